package cluster

import (
	"regexp"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/faults"
)

// A leader cut off from all others answers by its lease as long as that runs, and that is before
// another node leads.
func TestLeaseReadEndsBeforeAnotherNodeLeads(t *testing.T) {
	tc := open(t, 5)
	tc.add(5, RouteLeader)
	tc.untilValue(5)
	old := tc.isolateLeader()
	if op := tc.read(LevelLease, old); op.Outcome != trace.OK || op.Value != 5 || op.Returned != op.Invoked {
		tc.fatal("lease read: got %+v, want value 5 at once", op)
	}
	refused := ""
	for range 100 {
		op := tc.read(LevelLease, old)
		if op.Outcome != trace.OK {
			refused = op.Why
			break
		}
		if s := tc.state(); s.LeaderNode().ID != old {
			tc.fatal("%s reads by its lease while %s leads", old, s.LeaderNode().ID)
		}
		tc.pass(10 * time.Millisecond)
	}
	if !regexp.MustCompile(`^n\d: its lease has run out: [12] of 5 voters have answered within 500ms$`).MatchString(refused) {
		tc.fatal("got refusal %q, want one that names the lease and who has answered", refused)
	}
	tc.expectNoViolation()
}

func TestLeaseReadOfAFollowerIsRefused(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	op := tc.read(LevelLease, follower)
	tc.expectOutcome(op, trace.Failed, follower+": node is not the leader, so it has no lease")
	if op := tc.read(LevelLease, RouteLeader); op.Outcome != trace.OK {
		tc.fatal("got %+v, want an answer from the leader", op)
	}
	tc.expectNoViolation()
}

// A leader whose clock runs slow trusts its lease for too long: another node leads by then, and
// what it answers is stale. The check says so.
func TestSlowClockMakesLeaseReadsStale(t *testing.T) {
	tc := open(t, 3)
	tc.add(1, RouteLeader)
	tc.untilValue(1)
	old := tc.leaderName()
	tc.must(func() error { return tc.SetClock(old, 10) })
	tc.pass(time.Second)
	tc.must(func() error { return tc.Isolate(old) })
	tc.until("another node leads", func(s *trace.State) bool { return s.LeaderNode() != nil && s.LeaderNode().ID != old })
	tc.expectOutcome(tc.add(5, tc.leaderName()), trace.OK, "")
	if op := tc.read(LevelLease, old); op.Outcome != trace.OK || op.Value != 1 {
		tc.fatal("lease read: got %+v, want the old value 1", op)
	}
	tc.AwaitVerdicts()
	if c := tc.state().Check(check.Linearizable); c == nil || c.Verdict != trace.VerdictViolated {
		tc.fatal("got verdict %+v, want violated", c)
	}
}

// A transfer makes a node leader before any lease ends, so the leader gives up its lease first.
// Here nothing reaches it in time, and it does not know that it is deposed.
func TestTransferEndsTheLease(t *testing.T) {
	tc := open(t, 3)
	tc.add(1, RouteLeader)
	tc.untilValue(1)
	old := tc.leaderName()
	to := tc.followers()[0]
	for _, name := range tc.followers() {
		tc.must(func() error { return tc.SetLink(name, old, faults.Delay{Mean: 300 * time.Millisecond}) })
	}
	tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Transfer(to) }) })
	tc.until(to+" leads", func(s *trace.State) bool { return s.Node(to).Role == trace.Leader })
	tc.expectOutcome(tc.add(5, to), trace.OK, "")
	if n := tc.nodeState(old); n.Role != trace.Leader {
		tc.fatal("%s has stepped down already: the test shows nothing", old)
	}
	tc.expectOutcome(tc.read(LevelLease, old), trace.Failed, "it has tried to transfer its leadership in term")
	tc.expectNoViolation()
}
