package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestTimeoutsChangeWhileTheClusterRuns(t *testing.T) {
	tc := open(t, 3)
	tc.must(func() error { return tc.Kill("n3") })
	tc.must(func() error { return tc.SetClock("n2", 2) })
	for _, set := range [][2]string{{"election", "3s"}, {"heartbeat", "2s"}, {"lease", "1500ms"}} {
		tc.must(func() error { return tc.SetTimeout(set[0], set[1]) })
	}
	tc.must(func() error { return tc.Restart("n3") })
	tc.must(func() error { return tc.AddNode("n4", true) })
	want := timeouts{2 * time.Second, 3 * time.Second, 1500 * time.Millisecond}
	for name, want := range map[string]timeouts{"n1": want, "n2": {4 * time.Second, 6 * time.Second, 3 * time.Second}, "n3": want, "n4": want} {
		if got := tc.raftTimeouts(name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if s := tc.state().Settings; s.Heartbeat != 2*time.Second || s.Election != 3*time.Second || s.Lease != 1500*time.Millisecond {
		t.Errorf("the state has settings %+v", s)
	}
	if now, first := tc.CurrentSettings(), tc.Settings(); now.Heartbeat != 2*time.Second || first.Heartbeat != time.Second {
		t.Errorf("the heartbeat timeout is %v, and was %v at the start; want 2s and 1s", now.Heartbeat, first.Heartbeat)
	}
	tc.expectStory("the heartbeat timeout is now 2s (was 1s)")
	fork := tc.fork(tc.state())
	if got := fork.raftTimeouts("n1"); got != want {
		t.Errorf("a branch has %+v, want %+v", got, want)
	}
}

// What raft would reject changes nothing, on no node.
func TestRejectedTimeoutChangesNothing(t *testing.T) {
	tc := open(t, 3)
	tc.must(func() error { return tc.SetClock("n2", 0.1) })
	before := map[string]timeouts{}
	for _, name := range tc.Names() {
		before[name] = tc.raftTimeouts(name)
	}
	settings := tc.state().Settings
	for _, set := range []struct {
		key, value string
		words      []string
	}{
		{"heartbeat", "2s", []string{"election (1s) is shorter than heartbeat (2s)"}},
		{"heartbeat", "400ms", []string{"lease (500ms) is longer than heartbeat (400ms)"}},
		{"election", "900ms", []string{"election (900ms) is shorter"}},
		{"lease", "1100ms", []string{"lease (1.1s) is longer"}},
		{"lease", "49ms", []string{"lease 49ms is too short for n2", "factor is 0.1", "5ms"}},
		{"lease", "soon", []string{"not a duration"}},
		{"latency", "5ms", []string{"latency cannot change while the cluster runs"}},
	} {
		tc.expectRefused(tc.do(func() error { return tc.SetTimeout(set.key, set.value) }), set.words...)
		for _, name := range tc.Names() {
			if got := tc.raftTimeouts(name); got != before[name] {
				t.Errorf("set %s %s was refused, but %s has %+v instead of %+v", set.key, set.value, name, got, before[name])
			}
		}
	}
	tc.must(func() error { return tc.SetTimeout("lease", "50ms") }) // the shortest possible
	if got := tc.raftTimeouts("n2").lease; got != shortestTimeout {
		t.Errorf("n2 has a lease of %v, want %v", got, shortestTimeout)
	}
	tc.must(func() error { return tc.SetTimeout("lease", "500ms") })
	if now := tc.state().Settings; now != settings {
		t.Errorf("the state has settings %+v, want %+v", now, settings)
	}
	if got := tc.CurrentSettings(); got != tc.Settings() {
		t.Errorf("the settings are %+v, want those of the start", got)
	}
}

// A rejection by raft itself changes nothing either.
func TestTimeoutsThatRaftRejectsAreNotSet(t *testing.T) {
	tc := open(t, 1)
	before := tc.raftTimeouts("n1")
	tc.inBubble(func() {
		tc.timeouts.Store(&timeouts{time.Second, time.Millisecond, 100 * time.Millisecond})
		tc.expectRefused(tc.find("n1").running().reloadTimeouts(), "n1: ", "ElectionTimeout")
	})
	if got := tc.raftTimeouts("n1"); got != before {
		t.Errorf("got %+v, want %+v", got, before)
	}
}

func TestScaledDurationsAreRounded(t *testing.T) {
	if got := scale(100*time.Millisecond, 0.29); got != 29*time.Millisecond {
		t.Errorf("100ms times 0.29 is %v, want 29ms", got)
	}
}

// With a heartbeat timeout below the round trip there is no stable leader, and the story says why.
func TestTimeoutNearTheLatencyCausesAWarning(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.Latency = 20 * time.Millisecond })
	term := tc.nodeState(tc.leaderName()).Term
	tc.must(func() error { return tc.SetTimeout("lease", "40ms") })
	tc.expectStory("warning: leader lease 40ms is shorter than the 140ms between two replies: the leader may step down")
	tc.until("the leader steps down", func(s *trace.State) bool { return s.LeaderNode() == nil || s.LeaderNode().Term > term })
	tc.must(func() error { return tc.SetTimeout("heartbeat", "150ms") })
	tc.expectStory("warning: heartbeat timeout 150ms is under 4 round trips (160ms): followers may start elections")
	for _, link := range [][2]string{{"n1", "n2"}, {"n2", "n1"}} {
		tc.must(func() error {
			return tc.SetLink(link[0], link[1], faults.Delay{Mean: 100 * time.Millisecond, Jitter: 5 * time.Millisecond})
		})
	}
	tc.must(func() error { return tc.SetTimeout("election", "2s") })
	tc.expectStory("warning: heartbeat timeout 150ms is under 4 round trips (1s): followers may start elections")
}
