package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

func TestSingleNodeClusterWorks(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 1, change)
		tc.expectOutcome(tc.add(2, RouteLeader), trace.OK, "")
		for _, level := range Levels {
			if op := tc.read(level, RouteRandom); op.Outcome != trace.OK || op.Value != 2 {
				tc.fatal("read level %s: got %+v, want outcome %s, value 2", level, op, trace.OK)
			}
		}
		tc.expectStory("n1 becomes leader of term 2: it is the only voter")
		tc.must(func() error { return tc.Kill("n1") })
		tc.must(func() error { return tc.Restart("n1") })
		tc.untilValue(2)
		tc.must(func() error { return tc.AddNode("", true) })
		tc.untilValue(2)
		tc.crossCheck()
	})
}

func TestLargestClusterElectsAndReplicates(t *testing.T) {
	tc := open(t, NodesMax)
	tc.expectOutcome(tc.add(1, RouteLeader), trace.OK, "")
	tc.untilValue(1)
	tc.expectRefused(tc.do(func() error { return tc.AddNode("", true) }), "99 nodes already")
	tc.pass(time.Second)
	tc.crossCheck()
	tc.must(func() error { return tc.RemoveNode("n42") })
	tc.must(func() error { return tc.AddNode("", true) })
	if got := tc.Names()[NodesMax-1]; got != "n100" {
		t.Errorf("got new node %s, want n100", got)
	}
}

func TestNodeCountIsBounded(t *testing.T) {
	for _, n := range []int{-1, 0, 100} {
		settings := DefaultSettings()
		settings.Storage = Memory
		if c, err := Open(Config{Nodes: n, Settings: settings}); err == nil {
			t.Errorf("%d nodes: got no error, want one (Close: %v)", n, c.Close())
		}
	}
}
