package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

func TestSlowStateMachineTakesItsTime(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	tc.must(func() error { return tc.SetApply(follower, 2*time.Second) })
	tc.add(3, RouteLeader) // a leader answers once it has applied the entry itself
	tc.pass(time.Second)
	if n := tc.nodeState(follower); n.Value != 0 || n.Commit < tc.nodeState(tc.leaderName()).LastIndex() || n.ApplyFault != "slow 2s" {
		tc.fatal("got value %d, commit %d, fault %q on %s, want the entry committed but not applied", n.Value, n.Commit, n.ApplyFault, follower)
	}
	tc.until("the entry is applied", func(s *trace.State) bool { return s.Node(follower).Value == 3 })
	tc.expectStory(follower + "'s state machine is slow: each command takes 2s longer")

	// It is slow after a restart too, and ends at once for the command that it is applying.
	tc.must(func() error { return tc.Kill(follower) })
	tc.must(func() error { return tc.Restart(follower) })
	tc.pass(time.Second)
	if n := tc.nodeState(follower); n.Value != 0 {
		tc.fatal("got value %d a second after a restart, want the log not yet applied", n.Value)
	}
	tc.must(func() error { return tc.SetApply(follower, 0) })
	if n := tc.nodeState(follower); n.Value != 3 || n.ApplyFault != "" {
		tc.fatal("got value %d, fault %q at full speed again, want 3 at once", n.Value, n.ApplyFault)
	}
	tc.expectStory(follower + "'s state machine is at full speed again")
}

// A slow state machine does not delay the shutdown of its process, and a branch keeps it slow.
func TestSlowStateMachineDiesWithItsProcess(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	tc.must(func() error { return tc.SetApply(leader, time.Hour) })
	tc.inBubble(func() { tc.bubble.Go(func() { tc.Add(1, leader) }) })
	tc.pass(100 * time.Millisecond)
	fork := tc.fork(tc.state())
	if n := fork.nodeState(leader); n.ApplyFault != "slow 1h0m0s" {
		t.Errorf("a branch has fault %q, want slow 1h0m0s", n.ApplyFault)
	}
	before := tc.state().At
	tc.must(func() error { return tc.Kill(leader) })
	if took := tc.state().At - before; took > time.Second {
		t.Errorf("killing it took %v", took)
	}
	tc.must(func() error { return tc.Restart(leader) })
	tc.must(tc.HealEverything)
	if n := tc.nodeState(leader); n.ApplyFault != "" {
		t.Errorf("got fault %q once everything is healed, want none", n.ApplyFault)
	}
	tc.expectRefused(tc.do(func() error { return tc.SetApply(leader, -time.Second) }), "0s to 1h")
	tc.untilValue(1)
}
