package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// testCluster is a cluster under test.
type testCluster struct {
	*Cluster
	// faultyDisks are the nodes whose disks had a fault since their processes started;
	// guarded by the trace's lock.
	faultyDisks map[string]bool
	// partialVotes are the nodes that may have stored the half of a vote; guarded alike.
	partialVotes map[string]bool
	t            *testing.T
}

// open starts a cluster of n nodes in memory, with a leader.
func open(t *testing.T, n int, change ...func(*Config)) *testCluster {
	t.Helper()
	cfg := Config{Nodes: n, Settings: DefaultSettings()}
	cfg.Settings.Storage = Memory
	for _, f := range change {
		f(&cfg)
	}
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tc := &testCluster{Cluster: c, t: t}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if !c.AwaitLeader(time.Minute) {
		tc.fatal("no leader within a minute")
	}
	return tc
}

// fatal ends the test with the story so far.
func (tc *testCluster) fatal(format string, args ...any) {
	tc.t.Helper()
	state := tc.Trace().State()
	for _, line := range state.Story {
		tc.t.Logf("%10.3f  %s", line.At.Seconds(), line.Text)
	}
	for i := range state.Nodes {
		n := &state.Nodes[i]
		tc.t.Logf("%s %s %s term %d, log %d to %d (term %d), snapshot %d (term %d), commit %d, applied %d, value %d, disk %q",
			n.ID, n.Process, n.Role, n.Term, n.First, n.LastIndex(), n.LastTerm(), n.SnapshotIndex, n.SnapshotTerm, n.Commit, n.Applied, n.Value, n.DiskFault)
	}
	tc.t.Fatalf(format, args...)
}

// do carries out an order and lets time pass until it is done.
func (tc *testCluster) do(f func() error) error {
	tc.t.Helper()
	done := make(chan error, 1)
	if err := tc.clock.Do(func() { tc.bubble.Go(func() { done <- f() }) }); err != nil {
		tc.t.Fatal(err)
	}
	for range 100_000 {
		select {
		case err := <-done:
			return err
		default:
			tc.pass(time.Millisecond)
		}
	}
	tc.fatal("not done after 100 s")
	return nil
}

func (tc *testCluster) must(f func() error) {
	tc.t.Helper()
	if err := tc.do(f); err != nil {
		tc.fatal("%v", err)
	}
}

func (tc *testCluster) add(delta int64, route string) (op trace.Op) {
	tc.t.Helper()
	tc.must(func() error { op = tc.Add(delta, route); return nil })
	return op
}

func (tc *testCluster) pass(d time.Duration) {
	tc.t.Helper()
	if err := tc.clock.Advance(d); err != nil {
		tc.t.Fatal(err)
	}
}

// until lets time pass until the state is as wanted, for at most a minute.
func (tc *testCluster) until(what string, want func(*trace.State) bool) {
	tc.t.Helper()
	for range 6000 {
		met := false
		tc.Trace().Read(func(s *trace.State) { met = want(s) })
		if met {
			return
		}
		tc.pass(10 * time.Millisecond)
	}
	tc.fatal("not within a minute: %s", what)
}

func (tc *testCluster) untilValue(value int64) {
	tc.t.Helper()
	tc.until("every running node shows the value", func(s *trace.State) bool {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process.Running() && n.Value != value {
				return false
			}
		}
		return s.HasLeader()
	})
}

func (tc *testCluster) leaderName() string {
	tc.t.Helper()
	state := tc.Trace().State()
	if state.LeaderNode() == nil {
		tc.fatal("no leader: %s", state.LeaderProblem())
	}
	return state.LeaderNode().ID
}

func TestClusterReplicatesAndFailsOver(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				if op := tc.add(1, RouteLeader); op.Outcome != trace.OK {
					tc.fatal("increment: %+v", op)
				}
			}
			tc.untilValue(5)
			before := tc.Trace().State()
			old := tc.leaderName()
			tc.must(func() error { return tc.Kill(old) })
			tc.untilValue(5)
			after := tc.Trace().State()
			if after.LeaderNode().ID == old || after.LeaderNode().Term <= before.LeaderNode().Term {
				tc.fatal("after the leader's death %s leads term %d", after.LeaderNode().ID, after.LeaderNode().Term)
			}
			tc.add(1, RouteLeader)
			tc.must(func() error { return tc.Restart(old) })
			tc.untilValue(6)
		})
	}
}
