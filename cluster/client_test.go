package cluster

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

func (w *world) read(level, route string) (op trace.Op) {
	w.t.Helper()
	w.must(func() error { op = w.Read(level, route); return nil })
	return op
}

// wants an operation to have come out so, in time.
func (w *world) wants(op trace.Op, outcome trace.Outcome, why string) {
	w.t.Helper()
	if op.Outcome != outcome || !strings.Contains(op.Why, why) {
		w.fatal("%s (%s), want %s (%s): %+v", op.Outcome, op.Why, outcome, why, op)
	}
	if took := op.Returned - op.Invoked; took > w.settings.ClientTimeout || took < 0 {
		w.t.Errorf("it took %v: %+v", took, op)
	}
}

// cutOffLeader cuts the leader off and returns it, while it still thinks it leads.
func (w *world) cutOffLeader() string {
	w.t.Helper()
	leader := w.leaderName()
	w.must(func() error { return w.Isolate(leader) })
	return leader
}

func TestEveryRouteFindsTheLeader(t *testing.T) {
	w := open(t, 5)
	for i := range 30 {
		for _, route := range []string{RouteLeader, RouteRoundRobin, RouteRandom, w.leaderName()} {
			op := w.add(1, route)
			w.wants(op, trace.OK, "")
			if op.Node != w.leaderName() || op.Route != route {
				w.fatal("%d: %+v", i, op)
			}
		}
	}
	w.untilAll(120)
}

func TestTheLeaderRouteRemembersAndFollowsRedirects(t *testing.T) {
	w := open(t, 5)
	w.add(1, RouteLeader)
	if op := w.add(1, RouteLeader); op.Attempts != 1 {
		w.fatal("the leader is known: %+v", op)
	}
	w.must(func() error { return w.Transfer(w.followers()[0]) })
	w.until("it leads", func(s *trace.State) bool { return s.HasLeader() })
	if op := w.add(1, RouteLeader); op.Outcome != trace.OK || op.Attempts != 2 {
		w.fatal("the old leader knows the new one: %+v", op)
	}
}

func TestRoundRobinAsksOneNodeAfterTheOther(t *testing.T) {
	w := open(t, 5)
	var asked []string
	for range 10 {
		asked = append(asked, w.read(LevelNone, RouteRoundRobin).Node)
	}
	if !slices.Equal(asked[:5], asked[5:]) || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != 5 {
		w.fatal("asked %v", asked)
	}
}

func TestWhatIsCertainlyNotAppliedHasFailed(t *testing.T) {
	w := open(t, 3)
	follower, leader := w.followers()[0], w.leaderName()
	w.wants(w.add(1, follower), trace.Failed, "not the leader")
	w.wants(w.add(1, "n9"), trace.Failed, "no such node")
	w.must(func() error { return w.Kill(follower) })
	w.wants(w.add(1, follower), trace.Failed, "node is down")
	w.wants(w.add(math.MaxInt64, leader), trace.OK, "")
	for _, route := range []string{leader, RouteLeader} {
		op := w.add(1, route)
		w.wants(op, trace.Failed, "overflow")
		if op.Attempts != 1 {
			t.Errorf("an overflow is final: %+v", op)
		}
	}
	for _, name := range w.Names() {
		_ = w.do(func() error { return w.Kill(name) })
	}
	w.wants(w.add(1, RouteLeader), trace.Failed, "node is down")
	w.wants(w.add(1, RouteRandom), trace.Failed, "node is down")
	w.wants(w.read("strange", RouteLeader), trace.Failed, "node is down")
	for _, name := range w.Names() {
		w.must(func() error { return w.Restart(name) })
	}
	w.untilAll(math.MaxInt64)
	if op := w.read("strange", RouteLeader); op.Outcome != trace.Failed || op.Attempts != 1 {
		w.fatal("there is no such level: %+v", op)
	}
}

func TestOfACutOffLeaderTheOutcomeIsUnknown(t *testing.T) {
	w := open(t, 5)
	w.add(1, RouteLeader)
	old := w.cutOffLeader()
	last := w.at(old).LastIndex()
	w.wants(w.add(1, old), trace.Unknown, "leadership")
	if n := w.at(old); n.LastIndex() != last+1 || n.Commit != last {
		w.fatal("its log ends at %d, committed %d, before at %d", n.LastIndex(), n.Commit, last)
	}
	w.until("the others elect", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != old })
	w.must(w.Heal)
	w.untilAll(1) // that one was lost
	w.storySays(old + " steps down: lost contact with its quorum for 500ms (heard from 1 of 5)")
	w.until("it cut the entry off", func(s *trace.State) bool { return len(s.Node(old).Truncated) == 1 })
}

func TestOfAKilledLeaderTheOutcomeIsUnknown(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		leader := w.leaderName()
		var op trace.Op
		w.clockDo(func() { w.bubble.Go(func() { op = w.Add(1, leader) }) })
		w.pass(2 * time.Millisecond)
		w.must(func() error { return w.Kill(leader) })
		w.pass(time.Millisecond)
		w.clockDo(func() {}) // the client learns at once that the process it talked to is dead
		w.wants(op, trace.Unknown, leader)
	})
}

func TestWhatMayHaveBeenAppliedOnceStaysUnknown(t *testing.T) {
	w := open(t, 3)
	w.add(1, RouteLeader)
	others := w.followers()
	w.cutOffLeader()
	for _, name := range others {
		w.must(func() error { return w.Kill(name) })
	}
	op := w.add(1, RouteLeader) // into the log of the leader; and then nobody takes it any more
	w.wants(op, trace.Unknown, "")
	if op.Attempts < 2 {
		w.fatal("it was not tried again: %+v", op)
	}
}

func TestEveryOperationEndsInTime(t *testing.T) {
	for _, timeout := range []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second} {
		w := open(t, 3, func(cfg *Config) { cfg.Settings.ClientTimeout = timeout })
		leader := w.leaderName()
		check := func(what string) {
			for _, route := range []string{RouteLeader, RouteRandom, RouteRoundRobin, "n1", leader} {
				for _, op := range []trace.Op{
					w.add(1, route), w.read(LevelNone, route), w.read(LevelWeak, route), w.read(LevelLinearizable, route), w.read(LevelStrong, route),
				} {
					if took := op.Returned - op.Invoked; took > timeout {
						t.Errorf("timeout %v, %s: it took %v: %+v", timeout, what, took, op)
					}
				}
			}
		}
		check("whole")
		w.must(func() error { return w.Pause(leader) })
		check("leader paused")
		w.must(func() error { return w.Resume(leader) })
		w.must(func() error { return w.Isolate("n1", "n2", "n3") })
		check("nobody can talk")
		w.must(func() error { return w.Kill("n1") })
		check("n1 is down")
	}
}

// commitsUnanswered sends an increment by route in such a way that the leader
// stops right after it is committed and before the client hears of it. It returns
// the operation and the leader.
func (w *world) commitsUnanswered(stop func(string) error) (op trace.Op, leader string) {
	w.t.Helper()
	w.add(1, RouteLeader) // now the clients know the leader
	leader = w.leaderName()
	last := w.at(leader).LastIndex()
	done := make(chan struct{})
	w.clockDo(func() {
		w.bubble.Go(func() {
			op = w.Add(1, RouteLeader)
			close(done)
		})
	})
	// The entry reaches a follower after one way, and its answer the leader after
	// two. In between a majority has it, so it will be committed.
	followers := w.followers()
	for range 1000 {
		if w.at(followers[0]).LastIndex() > last || w.at(followers[1]).LastIndex() > last {
			break
		}
		w.pass(time.Millisecond)
	}
	if w.at(leader).Commit > last {
		w.fatal("the leader knows already")
	}
	w.must(func() error { return stop(leader) })
	w.pass(w.settings.ClientTimeout)
	w.clockDo(func() {})
	select {
	case <-done:
	default:
		w.fatal("the operation has not ended")
	}
	return op, leader
}

func TestARetryCountsOnceWithSessionsAndTwiceWithout(t *testing.T) {
	for _, sessions := range []bool{true, false} {
		for _, how := range []string{"killed", "paused"} {
			w := open(t, 3, func(cfg *Config) { cfg.Settings.Sessions, cfg.Settings.ClientTimeout = sessions, 15*time.Second })
			stop := w.Kill
			if how == "paused" {
				stop = w.Pause
			}
			op, _ := w.commitsUnanswered(stop)
			w.wants(op, trace.OK, "")
			if op.Attempts < 2 {
				w.fatal("it was not tried again: %+v", op)
			}
			want := int64(2) // one before, and this one
			if !sessions {
				want = 3
			}
			w.until("someone leads", func(s *trace.State) bool { return s.HasLeader() })
			if got := w.at(w.leaderName()).Value; got != want || op.Value != want {
				w.fatal("sessions %t, leader %s: the counter is %d and the client was told %d, want %d", sessions, how, got, op.Value, want)
			}
		}
	}
}

func TestALoadKeepsItsRateAndEnds(t *testing.T) {
	w := open(t, 5)
	for _, rate := range []float64{1, 20, 200} {
		before := w.Trace().State().Clients.OK
		w.must(func() error { return w.Load(rate, 20, RouteLeader) })
		w.pass(20 * time.Second)
		if got := float64(w.Trace().State().Clients.OK-before) / 20; math.Abs(got-rate) > rate/10+0.1 {
			t.Errorf("%g increments a second, want %g", got, rate)
		}
	}
	w.must(func() error { w.StopLoad(); w.StopLoad(); return nil })
	w.pass(time.Second)
	before := w.Trace().State().Clients
	w.pass(10 * time.Second)
	if after := w.Trace().State().Clients; after.OK != before.OK || after.InFlight != 0 {
		w.fatal("%d operations after the end", after.OK-before.OK)
	}
	for _, rate := range []float64{0, -1, 1e-9, 10_001, math.NaN(), math.Inf(1)} {
		w.refused(w.do(func() error { return w.Load(rate, 1, RouteLeader) }), "0.001 to 10000")
	}
	for _, clients := range []int{0, -1, 257} {
		w.refused(w.do(func() error { return w.Load(1, clients, RouteLeader) }), "1 to 256")
	}
}
