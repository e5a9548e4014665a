package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// An isolated leader answers lease reads until its lease expires, which is before another node
// leads.
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
	if !regexp.MustCompile(`^n\d: its lease has expired: [12] of 5 voters answered within 500ms$`).MatchString(refused) {
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

// A leader with a slow clock trusts its lease for too long: another node already leads, and the
// read is stale. The check says so.
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

// A transfer makes another node leader before the lease expires, so the leader gives up its lease
// first. In this test no message reaches it in time, so it does not know that it is deposed.
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
	tc.expectOutcome(tc.read(LevelLease, old), trace.Failed, "it started a leadership transfer in term")
	tc.expectNoViolation()
}

func TestLeaseNeedsAMajorityOfTheVotersInItsTerm(t *testing.T) {
	members := func(voters, others int) (all []raft.Server) {
		for i := range voters + others {
			s := raft.Server{ID: raft.ServerID(fmt.Sprintf("n%d", i+1)), Suffrage: raft.Voter}
			if i >= voters {
				s.Suffrage = raft.Nonvoter
			}
			all = append(all, s)
		}
		return all
	}
	now := time.Now()
	for _, test := range []struct {
		what    string
		members []raft.Server
		term    uint64 // of the leader; the contacts are of term 3
		heard   []string
		age     time.Duration // of the contacts
		holds   bool
	}{
		{"one of three besides itself", members(3, 0), 3, []string{"n2"}, time.Minute, true},
		{"none", members(3, 0), 3, nil, 0, false},
		{"itself alone", members(1, 0), 3, nil, 0, true},
		{"half of four", members(4, 0), 3, []string{"n2"}, time.Minute, false},
		{"a majority of four", members(4, 0), 3, []string{"n2", "n3"}, time.Minute, true},
		{"a non-voter", members(3, 1), 3, []string{"n4"}, time.Minute, false},
		{"too long ago", members(3, 0), 3, []string{"n2", "n3"}, time.Hour, false},
		{"in an earlier term", members(3, 0), 5, []string{"n2", "n3"}, time.Minute, false},
		{"somebody who is no member", members(3, 0), 3, []string{"n9"}, time.Minute, false},
	} {
		c := &leadershipConfirmations{}
		for _, name := range test.heard {
			c.contact(raft.ServerID(name), 3, now.Add(-test.age))
			c.contact(raft.ServerID(name), 2, now) // a late reply from an earlier term
			c.contact(raft.ServerID(name), 3, now.Add(-2*time.Hour))
		}
		err := c.holdsLease(30*time.Minute, test.term, "n1", test.members)
		if (err == nil) != test.holds || err != nil && !errors.Is(err, errNoLease) {
			t.Errorf("%s: got error %v, want the lease held: %v", test.what, err, test.holds)
		}
		c.handOver()
		if len(test.heard) > 0 && test.term == 3 && c.holdsLease(30*time.Minute, 3, "n1", test.members) == nil {
			t.Errorf("%s: the lease is held after a transfer", test.what)
		}
	}
}
