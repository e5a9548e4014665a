package cluster

import (
	"errors"
	"fmt"
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

// testCluster is a cluster under test, seen from outside and from inside at once. Tests call
// the methods of Inside in functions that do, must and inBubble run.
type testCluster struct {
	*Cluster
	*Inside
	// faultyDisks holds the nodes whose disk has had a fault since their process
	// started. The trace's lock guards it.
	faultyDisks map[string]bool
	// partialVotes holds the nodes that may have stored the term of a vote without its
	// candidate. The trace's lock guards it.
	partialVotes map[string]bool
	t            *testing.T
}

// open is [openCluster] for tests.
func open(t *testing.T, n int, change ...func(*Config)) *testCluster {
	t.Helper()
	c := openCluster(t, n, change)
	return &testCluster{Cluster: c, Inside: c.inside, t: t}
}

// openCluster starts a cluster of n nodes with in-memory storage and waits for a leader.
func openCluster(tb testing.TB, n int, change []func(*Config)) *Cluster {
	tb.Helper()
	cfg := Config{Nodes: n, Settings: DefaultSettings()}
	cfg.Settings.Storage = Memory
	for _, f := range change {
		f(&cfg)
	}
	c, err := Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	if !c.AwaitLeader(time.Minute) {
		tb.Fatal("got no leader within a minute, want one")
	}
	return c
}

// Trace and AwaitVerdicts are methods of both Cluster and Inside.
func (tc *testCluster) Trace() *trace.Stream { return tc.Cluster.Trace() }
func (tc *testCluster) AwaitVerdicts()       { tc.Cluster.AwaitVerdicts() }

// Do is Cluster.Do for a function that uses tc.
func (tc *testCluster) Do(command string, f func() error) error {
	return tc.Cluster.Do(command, func(*Inside) error { return f() })
}

// fatal logs the story so far and the state of every node, then fails the test.
func (tc *testCluster) fatal(format string, args ...any) {
	tc.t.Helper()
	state := tc.Trace().State()
	for _, line := range state.Story {
		tc.t.Logf("%10.3f  %s", line.At.Seconds(), line.Text)
	}
	for i := range state.Nodes {
		n := &state.Nodes[i]
		tc.t.Logf("%s %s %s term %d, log %d to %d (term %d), snapshot %d (term %d), commit %d, applied %d, value %d, disk %q",
			n.ID, n.Process, n.Role, n.Term, n.First, n.LastIndex(), n.LastTerm(),
			n.SnapshotIndex, n.SnapshotTerm, n.Commit, n.Applied, n.Value, n.DiskFault)
	}
	tc.t.Fatalf(format, args...)
}

// do runs f in the cluster and advances virtual time until it returns.
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
	tc.fatal("command still running after 100s of virtual time, want it to return")
	return nil
}

// must is do for a command that must succeed.
func (tc *testCluster) must(f func() error) {
	tc.t.Helper()
	if err := tc.do(f); err != nil {
		tc.fatal("%v", err)
	}
}

// add sends an increment by delta over a route and returns its result.
func (tc *testCluster) add(delta int64, route string) (op trace.Op) {
	tc.t.Helper()
	tc.must(func() error { op = tc.Add(delta, route); return nil })
	return op
}

// pass advances virtual time by d.
func (tc *testCluster) pass(d time.Duration) {
	tc.t.Helper()
	if err := tc.clock.Advance(d); err != nil {
		tc.t.Fatal(err)
	}
}

// until advances virtual time until want holds, for at most a minute.
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
	tc.fatal("condition not met within a minute, want: %s", what)
}

// untilValue waits until there is a leader and every running node has the value.
func (tc *testCluster) untilValue(value int64) {
	tc.t.Helper()
	tc.until(fmt.Sprintf("every running node has value %d", value), func(s *trace.State) bool {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process.Running() && n.Value != value {
				return false
			}
		}
		return s.HasLeader()
	})
}

// leaderName returns the name of the leader and fails the test without one.
func (tc *testCluster) leaderName() string {
	tc.t.Helper()
	state := tc.Trace().State()
	if state.LeaderNode() == nil {
		tc.fatal("got no leader (%s), want one", state.LeaderProblem())
	}
	return state.LeaderNode().ID
}

// read sends a read over a route and returns its result.
func (tc *testCluster) read(level, route string) (op trace.Op) {
	tc.t.Helper()
	tc.must(func() error { op = tc.Read(level, route); return nil })
	return op
}

// expectOutcome checks that op has the outcome, gives why as its reason, and returned
// within the client timeout.
func (tc *testCluster) expectOutcome(op trace.Op, outcome trace.Outcome, why string) {
	tc.t.Helper()
	if op.Outcome != outcome || !strings.Contains(op.Why, why) {
		tc.fatal("got outcome %s (%s), want %s (%s): %+v", op.Outcome, op.Why, outcome, why, op)
	}
	if took := op.Returned - op.Invoked; took > tc.settings.ClientTimeout || took < 0 {
		tc.t.Errorf("operation took %v, want 0 to %v: %+v", took, tc.settings.ClientTimeout, op)
	}
}

// isolateLeader isolates the leader and returns its name. The leader does not step
// down until its lease expires.
func (tc *testCluster) isolateLeader() string {
	tc.t.Helper()
	leader := tc.leaderName()
	tc.must(func() error { return tc.Isolate(leader) })
	return leader
}

// forEachStorage runs f as a subtest with each kind of storage.
func forEachStorage(t *testing.T, f func(t *testing.T, change func(*Config))) {
	t.Helper()
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			f(t, func(cfg *Config) { cfg.Settings.Storage = storage })
		})
	}
}

// followers returns the running nodes other than the leader.
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

// nodeState returns a copy of a node's state, as folded from the trace.
func (tc *testCluster) nodeState(name string) *trace.Node {
	tc.t.Helper()
	state := tc.Trace().State()
	n := state.Node(name)
	if n == nil {
		tc.fatal("got no state for node %s, want one", name)
	}
	return n
}

// expectRefused checks that err is an error that contains every one of words.
func (tc *testCluster) expectRefused(err error, words ...string) {
	tc.t.Helper()
	if err == nil {
		tc.fatal("got no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			tc.t.Errorf("got error %q, want it to contain %q", err, word)
		}
	}
}

// expectProcess checks the process state of a node.
func (tc *testCluster) expectProcess(name string, want trace.ProcessState) {
	tc.t.Helper()
	if got := tc.nodeState(name).Process; got != want {
		tc.fatal("%s: got process %s, want %s", name, got, want)
	}
}

// setDisk sets the disk fault of a node, nil for none.
func (tc *testCluster) setDisk(name string, fault faults.DiskFault) {
	tc.t.Helper()
	tc.must(func() error { return tc.SetDisk(name, fault) })
}

// inBubble runs f at once inside the cluster's bubble, before virtual time moves on.
func (tc *testCluster) inBubble(f func()) {
	tc.t.Helper()
	if err := tc.clock.Do(f); err != nil {
		tc.t.Fatal(err)
	}
}

// expectStory checks that the story contains the line want.
func (tc *testCluster) expectStory(want string) {
	tc.t.Helper()
	state := tc.Trace().State()
	if !slices.ContainsFunc(state.Story, func(l trace.StoryLine) bool { return l.Text == want }) {
		tc.fatal("story has no line %q, want one", want)
	}
}

// state returns a copy of the cluster's state.
func (tc *testCluster) state() *trace.State {
	state := tc.Trace().State()
	return &state
}

// expectAllOK checks that every safety check ran and has the verdict OK.
func (tc *testCluster) expectAllOK() {
	tc.t.Helper()
	tc.AwaitVerdicts()
	state := tc.Trace().State()
	for _, name := range check.Names() {
		if c := state.Check(name); c == nil || c.Verdict != trace.VerdictOK {
			tc.t.Errorf("check %s: got %+v, want verdict %s", name, c, trace.VerdictOK)
		}
	}
}

// healAll removes every fault and brings every node up.
func (tc *testCluster) healAll() {
	tc.t.Helper()
	tc.must(tc.HealEverything)
	for _, name := range tc.Names() {
		for range 3 { // a crash may still be in progress on a stalled disk
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

// converged reports whether all nodes are up and have committed their whole log, the
// logs end at the same entry, and the values are equal.
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

// openFiles returns the files this process has open, nil where /proc is not available.
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

// fork opens a new cluster from a state.
func (tc *testCluster) fork(s *trace.State) *testCluster {
	tc.t.Helper()
	c, err := Open(Config{From: s})
	if err != nil {
		tc.fatal("open a fork: %v", err)
	}
	tc.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			tc.t.Errorf("Close: %v", err)
		}
	})
	b := &testCluster{Cluster: c, Inside: c.inside, t: tc.t}
	if err := c.clock.Do(func() {}); err != nil { // returns once all nodes have started
		tc.t.Fatal(err)
	}
	return b
}

// expectNoViolation fails the test if any safety check found a violation.
func (tc *testCluster) expectNoViolation() {
	tc.t.Helper()
	tc.AwaitVerdicts()
	state := tc.Trace().State()
	if len(state.Checks) == 0 {
		tc.fatal("got no verdicts, want one for each check")
	}
	for _, c := range state.Checks {
		if c.Verdict == trace.VerdictViolated {
			tc.fatal("check %s: got a violation (%s), want none", c.Name, c.Text)
		}
	}
}
