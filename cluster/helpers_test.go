package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/faults"
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

func (tc *testCluster) read(level, route string) (op trace.Op) {
	tc.t.Helper()
	tc.must(func() error { op = tc.Read(level, route); return nil })
	return op
}

// expectOutcome an operation to have come out so, in time.
func (tc *testCluster) expectOutcome(op trace.Op, outcome trace.Outcome, why string) {
	tc.t.Helper()
	if op.Outcome != outcome || !strings.Contains(op.Why, why) {
		tc.fatal("%s (%s), want %s (%s): %+v", op.Outcome, op.Why, outcome, why, op)
	}
	if took := op.Returned - op.Invoked; took > tc.settings.ClientTimeout || took < 0 {
		tc.t.Errorf("it took %v: %+v", took, op)
	}
}

// isolateLeader cuts the leader off and returns it, while it still thinks it leads.
func (tc *testCluster) isolateLeader() string {
	tc.t.Helper()
	leader := tc.leaderName()
	tc.must(func() error { return tc.Isolate(leader) })
	return leader
}

// forEachStorage runs a test on each kind of storage.
func forEachStorage(t *testing.T, f func(t *testing.T, change func(*Config))) {
	t.Helper()
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			f(t, func(cfg *Config) { cfg.Settings.Storage = storage })
		})
	}
}

// followers returns the running nodes that do not lead.
func (tc *testCluster) followers() (names []string) {
	tc.t.Helper()
	leader := tc.leaderName()
	tc.Trace().Read(func(s *trace.State) {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process.Running() && n.ID != leader {
				names = append(names, n.ID)
			}
		}
	})
	return names
}

// nodeState returns a copy of what is known of a node.
func (tc *testCluster) nodeState(name string) *trace.Node {
	tc.t.Helper()
	state := tc.Trace().State()
	n := state.Node(name)
	if n == nil {
		tc.fatal("there never was a node %s", name)
	}
	return n
}

// expectRefused wants an order to be refused with all the words.
func (tc *testCluster) expectRefused(err error, words ...string) {
	tc.t.Helper()
	if err == nil {
		tc.fatal("done, want an error with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			tc.t.Errorf("error %q does not say %q", err, word)
		}
	}
}

func (tc *testCluster) expectProcess(name string, want trace.ProcessState) {
	tc.t.Helper()
	if got := tc.nodeState(name).Process; got != want {
		tc.fatal("%s is %s, want %s", name, got, want)
	}
}

// setDisk sets a disk fault and wants it to be set.
func (tc *testCluster) setDisk(name string, fault faults.DiskFault) {
	tc.t.Helper()
	tc.must(func() error { return tc.SetDisk(name, fault) })
}

func (tc *testCluster) inBubble(f func()) {
	tc.t.Helper()
	if err := tc.clock.Do(f); err != nil {
		tc.t.Fatal(err)
	}
}

// expectStory wants a line of the story.
func (tc *testCluster) expectStory(want string) {
	tc.t.Helper()
	state := tc.Trace().State()
	if !slices.ContainsFunc(state.Story, func(l trace.StoryLine) bool { return l.Text == want }) {
		tc.fatal("the story does not say %q", want)
	}
}

func (tc *testCluster) state() *trace.State {
	state := tc.Trace().State()
	return &state
}

// expectAllOK reports every check that does not say that all is well.
func (tc *testCluster) expectAllOK() {
	tc.t.Helper()
	tc.AwaitVerdicts()
	state := tc.Trace().State()
	for _, name := range check.Names() {
		if c := state.Check(name); c == nil || c.Verdict != trace.VerdictOK {
			tc.t.Errorf("%s: %+v", name, c)
		}
	}
}

// healAll takes back all harm and brings every node up.
func (tc *testCluster) healAll() {
	tc.t.Helper()
	tc.must(tc.HealEverything)
	for _, name := range tc.Names() {
		for range 3 { // a stalled crash may still be under way
			err := errors.Join(tc.do(func() error { return tc.Resume(name) }), tc.do(func() error { return tc.Restart(name) }))
			tc.pass(time.Second)
			state := tc.Trace().State()
			if state.Node(name).Process == trace.Up {
				break
			}
			tc.t.Logf("%s: %v", name, err)
		}
	}
}

// converged says whether all nodes are up, hold the same log to the same commit
// index, and show the same value.
func converged(s *trace.State) bool {
	if !s.HasLeader() {
		return false
	}
	leader := s.LeaderNode()
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process != trace.Up || n.Commit != leader.Commit || n.LastIndex() != leader.LastIndex() ||
			n.LastTerm() != leader.LastTerm() || n.Value != leader.Value || n.Commit != n.LastIndex() {
			return false
		}
	}
	return true
}

// openFiles returns the files this process has open, where the system tells.
func openFiles(t *testing.T) (files []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil {
			files = append(files, target)
		}
	}
	return files
}

// branch opens a branch from a state.
func (tc *testCluster) branch(s *trace.State) *testCluster {
	tc.t.Helper()
	c, err := Open(Config{From: s})
	if err != nil {
		tc.fatal("branch: %v", err)
	}
	tc.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			tc.t.Errorf("Close: %v", err)
		}
	})
	b := &testCluster{Cluster: c, t: tc.t}
	if err := c.clock.Do(func() {}); err != nil { // until all have started
		tc.t.Fatal(err)
	}
	return b
}

// expectNoViolation ends the test if a check has found something.
func (tc *testCluster) expectNoViolation() {
	tc.t.Helper()
	tc.AwaitVerdicts()
	state := tc.Trace().State()
	if len(state.Checks) == 0 {
		tc.fatal("nothing was checked")
	}
	for _, c := range state.Checks {
		if c.Verdict == trace.VerdictViolated {
			tc.fatal("%s is violated: %s", c.Name, c.Text)
		}
	}
}
