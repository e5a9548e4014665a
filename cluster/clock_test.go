package cluster

import (
	"math"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestClockFactorIsBounded(t *testing.T) {
	tc := open(t, 3)
	for _, factor := range []float64{0, -1, 0.49, 100.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		tc.expectRefused(tc.do(func() error { return tc.SetClock("n1", factor) }), "n1", "between 0.5", "100")
	}
	for _, factor := range []float64{0.5, 100, 1} {
		tc.must(func() error { return tc.SetClock("n1", factor) })
		if got := tc.nodeState("n1").ClockFactor; got != factor {
			t.Errorf("got clock factor %g, want %g", got, factor)
		}
	}
}

func TestFastestClockStartsTheElection(t *testing.T) {
	tc := open(t, 5)
	var mu sync.Mutex
	first := ""
	tc.Trace().Subscribe(func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == trace.KindRole && e.Role == trace.Candidate && first == "" {
			first = e.Node
		}
	})
	for round := range 4 {
		old := tc.leaderName()
		fast := tc.followers()[round]
		for _, name := range tc.Names() {
			factor := 5.0
			if name == fast {
				factor = 0.5
			}
			tc.must(func() error { return tc.SetClock(name, factor) })
		}
		tc.must(func() error { return tc.Kill(fast) }) // the clock factor survives a restart
		tc.must(func() error { return tc.Restart(fast) })
		tc.pass(time.Second)
		mu.Lock()
		first = ""
		mu.Unlock()
		tc.must(func() error { return tc.Kill(old) })
		tc.until("a node leads", func(s *trace.State) bool { return s.HasLeader() })
		mu.Lock()
		if first != fast {
			tc.fatal("got first candidate %q, want %s", first, fast)
		}
		mu.Unlock()
		tc.must(func() error { return tc.Restart(old) })
	}
}

func TestClockSetDuringStartTakesEffect(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	tc.must(func() error { return tc.Kill(follower) })
	tc.setDisk(follower, faults.Stall{})
	tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Restart(follower) }) })
	tc.pass(time.Second)
	tc.must(func() error { return tc.SetClock(follower, 7) })
	tc.setDisk(follower, nil)
	tc.pass(time.Second)
	var got time.Duration
	tc.inBubble(func() { got = tc.find(follower).running().raft.Load().ReloadableConfig().ElectionTimeout })
	if got != 7*time.Second {
		t.Errorf("got election timeout %v, want 7s", got)
	}
}
