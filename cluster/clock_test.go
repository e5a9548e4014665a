package cluster

import (
	"math"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

func TestClockFactorIsBounded(t *testing.T) {
	tc := open(t, 3)
	for _, factor := range []float64{0, -1, 0.0099, 100.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		tc.expectRefused(tc.do(func() error { return tc.SetClock("n1", factor) }), "n1", "between 0.01", "100")
	}
	for _, factor := range []float64{0.01, 0.5, 100, 1} {
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
	if got := tc.raftTimeouts(follower); got != (timeouts{7 * time.Second, 7 * time.Second, 3500 * time.Millisecond}) {
		t.Errorf("got %+v, want 7s, 7s and 3.5s", got)
	}
}

// raftTimeouts returns the timeouts that raft uses on a node.
func (tc *testCluster) raftTimeouts(name string) (got timeouts) {
	tc.t.Helper()
	tc.inBubble(func() {
		conf, err := liveConfig(tc.find(name).running().raft.Load())
		if err != nil {
			tc.t.Error(err)
			return
		}
		c := conf.Load().(raft.Config)
		got = timeouts{c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout}
	})
	return got
}

// A slow clock stretches the lease of a leader at once, so it steps down later. A restart keeps
// the lease.
func TestSlowClockStretchesTheLease(t *testing.T) {
	for _, factor := range []float64{1, 4, 0.2} {
		tc := open(t, 3)
		leader := tc.leaderName()
		tc.must(func() error { return tc.SetClock(leader, factor) })
		tc.pass(10 * time.Second) // the check that was due under the old lease
		leader = tc.leaderName()
		tc.must(func() error { return tc.SetClock(leader, factor) })
		tc.pass(5 * time.Second)
		tc.must(func() error { return tc.Isolate(leader) })
		from, want := tc.state().At, time.Duration(factor*float64(500*time.Millisecond))
		tc.until(leader+" steps down", func(s *trace.State) bool { return s.Node(leader).Role != trace.Leader })
		// The last reply came up to a heartbeat before, and the timer waits for another lease at most.
		if took := tc.state().At - from; took < want/2 || took > 2*want+50*time.Millisecond {
			t.Errorf("factor %g: the leader steps down after %v, want about %v", factor, took, want)
		}
		tc.must(func() error { return tc.Kill(leader) })
		tc.must(func() error { return tc.Restart(leader) })
		if got := tc.raftTimeouts(leader).lease; got != want {
			t.Errorf("factor %g: the lease is %v after a restart, want %v", factor, got, want)
		}
	}
}
