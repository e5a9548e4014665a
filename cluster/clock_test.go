package cluster

import (
	"math"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestAClockFactorHasBounds(t *testing.T) {
	w := open(t, 3)
	for _, factor := range []float64{0, -1, 0.49, 100.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		w.refused(w.do(func() error { return w.SetClock("n1", factor) }), "n1", "between 0.5", "100")
	}
	for _, factor := range []float64{0.5, 100, 1} {
		w.must(func() error { return w.SetClock("n1", factor) })
		if got := w.at("n1").ClockFactor; got != factor {
			t.Errorf("factor %g, want %g", got, factor)
		}
	}
}

func TestTheNodeWithTheFastestClockAsksForVotesFirst(t *testing.T) {
	w := open(t, 5)
	var mu sync.Mutex
	first := ""
	w.Trace().Subscribe(func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == trace.KindRole && e.Role == trace.Candidate && first == "" {
			first = e.Node
		}
	})
	for round := range 4 {
		old := w.leaderName()
		fast := w.followers()[round]
		for _, name := range w.Names() {
			factor := 5.0
			if name == fast {
				factor = 0.5
			}
			w.must(func() error { return w.SetClock(name, factor) })
		}
		w.must(func() error { return w.Kill(fast) }) // the factor outlives the process
		w.must(func() error { return w.Restart(fast) })
		w.pass(time.Second)
		mu.Lock()
		first = ""
		mu.Unlock()
		w.must(func() error { return w.Kill(old) })
		w.until("someone leads", func(s *trace.State) bool { return s.HasLeader() })
		mu.Lock()
		if first != fast {
			w.fatal("%s asks first, want %s", first, fast)
		}
		mu.Unlock()
		w.must(func() error { return w.Restart(old) })
	}
}

func TestAClockSetWhileANodeStartsHolds(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	w.must(func() error { return w.Kill(one) })
	w.setDisk(one, faults.Stall{})
	w.clockDo(func() { w.bubble.Go(func() { _ = w.Restart(one) }) })
	w.pass(time.Second)
	w.must(func() error { return w.SetClock(one, 7) })
	w.setDisk(one, nil)
	w.pass(time.Second)
	var got time.Duration
	w.clockDo(func() { got = w.find(one).running().raft.Load().ReloadableConfig().ElectionTimeout })
	if got != 7*time.Second {
		t.Errorf("election timeout %v, want 7s", got)
	}
}
