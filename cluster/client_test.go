package cluster

import (
	"math"
	"slices"
	"testing"
	"time"

	"capsize/cluster/trace"
)

func TestEveryRouteFindsTheLeader(t *testing.T) {
	tc := open(t, 5)
	for i := range 30 {
		for _, route := range []string{RouteLeader, RouteRoundRobin, RouteRandom, tc.leaderName()} {
			op := tc.add(1, route)
			tc.expectOutcome(op, trace.OK, "")
			if op.Node != tc.leaderName() || op.Route != route {
				tc.fatal("%d: %+v", i, op)
			}
		}
	}
	tc.untilValue(120)
}

func TestLeaderRouteRemembersLeaderAndFollowsRedirects(t *testing.T) {
	tc := open(t, 5)
	tc.add(1, RouteLeader)
	if op := tc.add(1, RouteLeader); op.Attempts != 1 {
		tc.fatal("the leader is known: %+v", op)
	}
	tc.must(func() error { return tc.Transfer(tc.followers()[0]) })
	tc.until("it leads", func(s *trace.State) bool { return s.HasLeader() })
	if op := tc.add(1, RouteLeader); op.Outcome != trace.OK || op.Attempts != 2 {
		tc.fatal("the old leader knows the new one: %+v", op)
	}
}

func TestRoundRobinVisitsEveryNodeInTurn(t *testing.T) {
	tc := open(t, 5)
	var asked []string
	for range 10 {
		asked = append(asked, tc.read(LevelNone, RouteRoundRobin).Node)
	}
	if !slices.Equal(asked[:5], asked[5:]) || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != 5 {
		tc.fatal("asked %v", asked)
	}
}

func TestOperationThatCannotApplyFails(t *testing.T) {
	tc := open(t, 3)
	follower, leader := tc.followers()[0], tc.leaderName()
	tc.expectOutcome(tc.add(1, follower), trace.Failed, "not the leader")
	tc.expectOutcome(tc.add(1, "n9"), trace.Failed, "no such node")
	tc.must(func() error { return tc.Kill(follower) })
	tc.expectOutcome(tc.add(1, follower), trace.Failed, "node is down")
	tc.expectOutcome(tc.add(math.MaxInt64, leader), trace.OK, "")
	for _, route := range []string{leader, RouteLeader} {
		op := tc.add(1, route)
		tc.expectOutcome(op, trace.Failed, "overflow")
		if op.Attempts != 1 {
			t.Errorf("an overflow is final: %+v", op)
		}
	}
	for _, name := range tc.Names() {
		_ = tc.do(func() error { return tc.Kill(name) })
	}
	tc.expectOutcome(tc.add(1, RouteLeader), trace.Failed, "node is down")
	tc.expectOutcome(tc.add(1, RouteRandom), trace.Failed, "node is down")
	tc.expectOutcome(tc.read("strange", RouteLeader), trace.Failed, "node is down")
	for _, name := range tc.Names() {
		tc.must(func() error { return tc.Restart(name) })
	}
	tc.untilValue(math.MaxInt64)
	if op := tc.read("strange", RouteLeader); op.Outcome != trace.Failed || op.Attempts != 1 {
		tc.fatal("there is no such level: %+v", op)
	}
}

func TestIsolatedLeaderGivesUnknownOutcome(t *testing.T) {
	tc := open(t, 5)
	tc.add(1, RouteLeader)
	old := tc.isolateLeader()
	last := tc.nodeState(old).LastIndex()
	tc.expectOutcome(tc.add(1, old), trace.Unknown, "leadership")
	if n := tc.nodeState(old); n.LastIndex() != last+1 || n.Commit != last {
		tc.fatal("its log ends at %d, committed %d, before at %d", n.LastIndex(), n.Commit, last)
	}
	tc.until("the others elect", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != old })
	tc.must(tc.Heal)
	tc.untilValue(1) // that one was lost
	tc.expectStory(old + " steps down: lost contact with its quorum for 500ms (heard from 1 of 5)")
	tc.until("it cut the entry off", func(s *trace.State) bool { return len(s.Node(old).Truncated) == 1 })
}

func TestKilledLeaderGivesUnknownOutcome(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		leader := tc.leaderName()
		var op trace.Op
		tc.inBubble(func() { tc.bubble.Go(func() { op = tc.Add(1, leader) }) })
		tc.pass(2 * time.Millisecond)
		tc.must(func() error { return tc.Kill(leader) })
		tc.pass(time.Millisecond)
		tc.inBubble(func() {}) // the client learns at once that the process it talked to is dead
		tc.expectOutcome(op, trace.Unknown, leader)
	})
}

func TestPossiblyAppliedIncrementStaysUnknown(t *testing.T) {
	tc := open(t, 3)
	tc.add(1, RouteLeader)
	others := tc.followers()
	tc.isolateLeader()
	for _, name := range others {
		tc.must(func() error { return tc.Kill(name) })
	}
	op := tc.add(1, RouteLeader) // into the log of the leader; and then nobody takes it any more
	tc.expectOutcome(op, trace.Unknown, "")
	if op.Attempts < 2 {
		tc.fatal("it was not tried again: %+v", op)
	}
}

func TestEveryOperationEndsWithinClientTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second} {
		tc := open(t, 3, func(cfg *Config) { cfg.Settings.ClientTimeout = timeout })
		leader := tc.leaderName()
		check := func(what string) {
			for _, route := range []string{RouteLeader, RouteRandom, RouteRoundRobin, "n1", leader} {
				for _, op := range []trace.Op{
					tc.add(1, route), tc.read(LevelNone, route), tc.read(LevelWeak, route), tc.read(LevelLinearizable, route), tc.read(LevelStrong, route),
				} {
					if took := op.Returned - op.Invoked; took > timeout {
						t.Errorf("timeout %v, %s: it took %v: %+v", timeout, what, took, op)
					}
				}
			}
		}
		check("whole")
		tc.must(func() error { return tc.Pause(leader) })
		check("leader paused")
		tc.must(func() error { return tc.Resume(leader) })
		tc.must(func() error { return tc.Isolate("n1", "n2", "n3") })
		check("nobody can talk")
		tc.must(func() error { return tc.Kill("n1") })
		check("n1 is down")
	}
}

// commitWithoutReply sends an increment by route in such a way that the leader
// stops right after it is committed and before the client hears of it. It returns
// the operation and the leader.
func (tc *testCluster) commitWithoutReply(stop func(string) error) (op trace.Op, leader string) {
	tc.t.Helper()
	tc.add(1, RouteLeader) // now the clients know the leader
	leader = tc.leaderName()
	last := tc.nodeState(leader).LastIndex()
	done := make(chan struct{})
	tc.inBubble(func() {
		tc.bubble.Go(func() {
			op = tc.Add(1, RouteLeader)
			close(done)
		})
	})
	// The entry reaches a follower after one way, and its answer the leader after
	// two. In between a majority has it, so it will be committed.
	followers := tc.followers()
	for range 1000 {
		if tc.nodeState(followers[0]).LastIndex() > last || tc.nodeState(followers[1]).LastIndex() > last {
			break
		}
		tc.pass(time.Millisecond)
	}
	if tc.nodeState(leader).Commit > last {
		tc.fatal("the leader knows already")
	}
	tc.must(func() error { return stop(leader) })
	tc.pass(tc.settings.ClientTimeout)
	tc.inBubble(func() {})
	select {
	case <-done:
	default:
		tc.fatal("the operation has not ended")
	}
	return op, leader
}

func TestRetryCountsOnceWithSessionsAndTwiceWithout(t *testing.T) {
	for _, sessions := range []bool{true, false} {
		for _, how := range []string{"killed", "paused"} {
			tc := open(t, 3, func(cfg *Config) { cfg.Settings.Sessions, cfg.Settings.ClientTimeout = sessions, 15*time.Second })
			stop := tc.Kill
			if how == "paused" {
				stop = tc.Pause
			}
			op, _ := tc.commitWithoutReply(stop)
			tc.expectOutcome(op, trace.OK, "")
			if op.Attempts < 2 {
				tc.fatal("it was not tried again: %+v", op)
			}
			want := int64(2) // one before, and this one
			if !sessions {
				want = 3
			}
			tc.until("someone leads", func(s *trace.State) bool { return s.HasLeader() })
			if got := tc.nodeState(tc.leaderName()).Value; got != want || op.Value != want {
				tc.fatal("sessions %t, leader %s: the counter is %d and the client was told %d, want %d", sessions, how, got, op.Value, want)
			}
		}
	}
}

func TestLoadKeepsItsRateAndStops(t *testing.T) {
	tc := open(t, 5)
	for _, rate := range []float64{1, 20, 200} {
		before := tc.Trace().State().Clients.OK
		tc.must(func() error { return tc.Load(rate, 20, RouteLeader) })
		tc.pass(20 * time.Second)
		if got := float64(tc.Trace().State().Clients.OK-before) / 20; math.Abs(got-rate) > rate/10+0.1 {
			t.Errorf("%g increments a second, want %g", got, rate)
		}
	}
	tc.must(func() error { tc.StopLoad(); tc.StopLoad(); return nil })
	tc.pass(time.Second)
	before := tc.Trace().State().Clients
	tc.pass(10 * time.Second)
	if after := tc.Trace().State().Clients; after.OK != before.OK || after.InFlight != 0 {
		tc.fatal("%d operations after the end", after.OK-before.OK)
	}
	for _, rate := range []float64{0, -1, 1e-9, 10_001, math.NaN(), math.Inf(1)} {
		tc.expectRefused(tc.do(func() error { return tc.Load(rate, 1, RouteLeader) }), "0.001 to 10000")
	}
	for _, clients := range []int{0, -1, 257} {
		tc.expectRefused(tc.do(func() error { return tc.Load(1, clients, RouteLeader) }), "1 to 256")
	}
}
