package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// world is a cluster under test.
type world struct {
	*Cluster
	// unsound are the nodes whose disks had a fault since their processes started;
	// guarded by the trace's lock.
	unsound map[string]bool
	// halfVotes are the nodes that may have stored the half of a vote; guarded alike.
	halfVotes map[string]bool
	t         *testing.T
}

// open starts a cluster of n nodes in memory, with a leader.
func open(t *testing.T, n int, change ...func(*Config)) *world {
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
	w := &world{Cluster: c, t: t}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if !c.AwaitLeader(time.Minute) {
		w.fatal("no leader within a minute")
	}
	return w
}

// fatal ends the test with the story so far.
func (w *world) fatal(format string, args ...any) {
	w.t.Helper()
	state := w.Trace().State()
	for _, line := range state.Story {
		w.t.Logf("%10.3f  %s", line.At.Seconds(), line.Text)
	}
	for i := range state.Nodes {
		n := &state.Nodes[i]
		w.t.Logf("%s %s %s term %d, log %d to %d (term %d), snapshot %d (term %d), commit %d, applied %d, value %d, disk %q",
			n.ID, n.Process, n.Role, n.Term, n.First, n.LastIndex(), n.LastTerm(), n.SnapshotIndex, n.SnapshotTerm, n.Commit, n.Applied, n.Value, n.DiskFault)
	}
	w.t.Fatalf(format, args...)
}

// do carries out an order and lets time pass until it is done.
func (w *world) do(f func() error) error {
	w.t.Helper()
	done := make(chan error, 1)
	if err := w.clock.Do(func() { w.bubble.Go(func() { done <- f() }) }); err != nil {
		w.t.Fatal(err)
	}
	for range 100_000 {
		select {
		case err := <-done:
			return err
		default:
			w.pass(time.Millisecond)
		}
	}
	w.fatal("not done after 100 s")
	return nil
}

func (w *world) must(f func() error) {
	w.t.Helper()
	if err := w.do(f); err != nil {
		w.fatal("%v", err)
	}
}

func (w *world) add(delta int64, route string) (op trace.Op) {
	w.t.Helper()
	w.must(func() error { op = w.Add(delta, route); return nil })
	return op
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if err := w.clock.Advance(d); err != nil {
		w.t.Fatal(err)
	}
}

// until lets time pass until the state is as wanted, for at most a minute.
func (w *world) until(what string, want func(*trace.State) bool) {
	w.t.Helper()
	for range 6000 {
		met := false
		w.Trace().Read(func(s *trace.State) { met = want(s) })
		if met {
			return
		}
		w.pass(10 * time.Millisecond)
	}
	w.fatal("not within a minute: %s", what)
}

func (w *world) untilAll(value int64) {
	w.t.Helper()
	w.until("every running node shows the value", func(s *trace.State) bool {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process.Running() && n.Value != value {
				return false
			}
		}
		return s.HasLeader()
	})
}

func (w *world) leaderName() string {
	w.t.Helper()
	state := w.Trace().State()
	if state.LeaderNode() == nil {
		w.fatal("no leader: %s", state.LeaderProblem())
	}
	return state.LeaderNode().ID
}

func TestFirstSteps(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			w := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				if op := w.add(1, RouteLeader); op.Outcome != trace.OK {
					w.fatal("increment: %+v", op)
				}
			}
			w.untilAll(5)
			before := w.Trace().State()
			old := w.leaderName()
			w.must(func() error { return w.Kill(old) })
			w.untilAll(5)
			after := w.Trace().State()
			if after.LeaderNode().ID == old || after.LeaderNode().Term <= before.LeaderNode().Term {
				w.fatal("after the leader's death %s leads term %d", after.LeaderNode().ID, after.LeaderNode().Term)
			}
			w.add(1, RouteLeader)
			w.must(func() error { return w.Restart(old) })
			w.untilAll(6)
		})
	}
}
