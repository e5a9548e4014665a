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
				tc.fatal("round %d, route %s: got %+v, want node %s", i, route, op, tc.leaderName())
			}
		}
	}
	tc.untilValue(120)
}

func TestLeaderRouteRemembersLeaderAndFollowsRedirects(t *testing.T) {
	tc := open(t, 5)
	tc.add(1, RouteLeader)
	if op := tc.add(1, RouteLeader); op.Attempts != 1 {
		tc.fatal("with a known leader: got %+v, want 1 attempt", op)
	}
	tc.must(func() error { return tc.Transfer(tc.followers()[0]) })
	tc.pass(time.Second) // by now every node knows the new leader
	if op := tc.add(1, RouteLeader); op.Outcome != trace.OK || op.Attempts != 2 {
		tc.fatal("after a redirect: got %+v, want outcome %s in 2 attempts", op, trace.OK)
	}
}

func TestRoundRobinVisitsEveryNodeInTurn(t *testing.T) {
	tc := open(t, 5)
	var asked []string
	for range 10 {
		asked = append(asked, tc.read(LevelNone, RouteRoundRobin).Node)
	}
	if !slices.Equal(asked[:5], asked[5:]) || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != 5 {
		tc.fatal("got nodes %v, want all 5 in the same order twice", asked)
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
			t.Errorf("overflow: got %+v, want 1 attempt", op)
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
		tc.fatal("unknown read level: got %+v, want outcome %s in 1 attempt", op, trace.Failed)
	}
}

func TestIsolatedLeaderGivesUnknownOutcome(t *testing.T) {
	tc := open(t, 5)
	tc.add(1, RouteLeader)
	old := tc.isolateLeader()
	last := tc.nodeState(old).LastIndex()
	tc.expectOutcome(tc.add(1, old), trace.Unknown, "leadership")
	if n := tc.nodeState(old); n.LastIndex() != last+1 || n.Commit != last {
		tc.fatal("got last index %d, commit %d; want last index %d, commit %d", n.LastIndex(), n.Commit, last+1, last)
	}
	tc.until("another node leads", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != old })
	tc.must(tc.Heal)
	tc.untilValue(1) // the isolated leader's entry was lost
	tc.expectStory(old + " steps down: lost contact with its quorum for 500ms (heard from 1 of 5)")
	tc.until("the old leader has truncated the entry", func(s *trace.State) bool {
		return len(s.Node(old).Truncated) == 1
	})
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
		tc.inBubble(func() {}) // the client's connection to the killed process breaks at once
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
	op := tc.add(1, RouteLeader) // the first attempt reaches the leader's log, later ones fail
	tc.expectOutcome(op, trace.Unknown, "")
	if op.Attempts < 2 {
		tc.fatal("got %+v, want at least 2 attempts", op)
	}
}

func TestEveryOperationEndsWithinClientTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second} {
		tc := open(t, 3, func(cfg *Config) { cfg.Settings.ClientTimeout = timeout })
		leader := tc.leaderName()
		check := func(what string) {
			for _, route := range []string{RouteLeader, RouteRandom, RouteRoundRobin, "n1", leader} {
				for _, op := range []trace.Op{
					tc.add(1, route), tc.read(LevelNone, route), tc.read(LevelWeak, route),
					tc.read(LevelLinearizable, route), tc.read(LevelStrong, route),
				} {
					if took := op.Returned - op.Invoked; took > timeout {
						t.Errorf("%s: operation took %v, want at most %v: %+v", what, took, timeout, op)
					}
				}
			}
		}
		check("healthy")
		tc.must(func() error { return tc.Pause(leader) })
		check("leader paused")
		tc.must(func() error { return tc.Resume(leader) })
		tc.must(func() error { return tc.Isolate("n1", "n2", "n3") })
		check("every node isolated")
		tc.must(func() error { return tc.Kill("n1") })
		check("n1 is down")
	}
}

// commitWithoutReply sends an increment to the leader and stops the leader once a
// majority has the entry and before the leader learns of it. The entry will commit, but
// the first attempt gets no reply.
func (tc *testCluster) commitWithoutReply(stop func(string) error) (op trace.Op) {
	tc.t.Helper()
	tc.add(1, RouteLeader) // teaches the clients who leads
	leader := tc.leaderName()
	last := tc.nodeState(leader).LastIndex()
	done := make(chan struct{})
	tc.inBubble(func() {
		tc.bubble.Go(func() {
			op = tc.Add(1, RouteLeader)
			close(done)
		})
	})
	// The entry reaches a follower after one network delay, the follower's reply
	// reaches the leader after two. In between, a majority already has the entry.
	followers := tc.followers()
	for range 1000 {
		if tc.nodeState(followers[0]).LastIndex() > last || tc.nodeState(followers[1]).LastIndex() > last {
			break
		}
		tc.pass(time.Millisecond)
	}
	if tc.nodeState(leader).Commit > last {
		tc.fatal("got commit index %d on the leader, want at most %d", tc.nodeState(leader).Commit, last)
	}
	tc.must(func() error { return stop(leader) })
	tc.pass(tc.settings.ClientTimeout)
	tc.inBubble(func() {})
	select {
	case <-done:
	default:
		tc.fatal("operation still running after the client timeout %v", tc.settings.ClientTimeout)
	}
	return op
}

func TestRetryCountsOnceWithSessionsAndTwiceWithout(t *testing.T) {
	for _, sessions := range []bool{true, false} {
		for _, how := range []string{"killed", "paused"} {
			tc := open(t, 3, func(cfg *Config) { cfg.Settings.Sessions, cfg.Settings.ClientTimeout = sessions, 15*time.Second })
			stop := tc.Kill
			if how == "paused" {
				stop = tc.Pause
			}
			op := tc.commitWithoutReply(stop)
			tc.expectOutcome(op, trace.OK, "")
			if op.Attempts < 2 {
				tc.fatal("got %+v, want at least 2 attempts", op)
			}
			want := int64(2) // the increment before, and this one
			if !sessions {
				want = 3
			}
			tc.until("a node leads", func(s *trace.State) bool { return s.HasLeader() })
			if got := tc.nodeState(tc.leaderName()).Value; got != want || op.Value != want {
				tc.fatal("sessions %t, leader %s: got counter %d and reply %d, want %d", sessions, how, got, op.Value, want)
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
			t.Errorf("got %g increments a second, want %g", got, rate)
		}
	}
	tc.must(func() error { tc.StopLoad(); tc.StopLoad(); return nil })
	tc.pass(time.Second)
	before := tc.Trace().State().Clients
	tc.pass(10 * time.Second)
	if after := tc.Trace().State().Clients; after.OK != before.OK || after.InFlight != 0 {
		tc.fatal("after StopLoad: got %d increments and %d in flight, want none", after.OK-before.OK, after.InFlight)
	}
	for _, rate := range []float64{0, -1, 1e-9, 10_001, math.NaN(), math.Inf(1)} {
		tc.expectRefused(tc.do(func() error { return tc.Load(rate, 1, RouteLeader) }), "0.001 to 10000")
	}
	for _, clients := range []int{0, -1, 257} {
		tc.expectRefused(tc.do(func() error { return tc.Load(1, clients, RouteLeader) }), "1 to 256")
	}
}
