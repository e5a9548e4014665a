package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

func TestOneNodeIsACluster(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 1, change)
		w.wants(w.add(2, RouteLeader), trace.OK, "")
		for _, level := range Levels {
			if op := w.read(level, RouteRandom); op.Outcome != trace.OK || op.Value != 2 {
				w.fatal("%s: %+v", level, op)
			}
		}
		w.storySays("n1 becomes leader of term 2: it is the only voter")
		w.must(func() error { return w.Kill("n1") })
		w.must(func() error { return w.Restart("n1") })
		w.untilAll(2)
		w.must(func() error { return w.AddNode("", true) })
		w.untilAll(2)
		w.crossCheck()
	})
}

func TestNinetyNineNodesElectAndReplicate(t *testing.T) {
	w := open(t, NodesMax)
	w.wants(w.add(1, RouteLeader), trace.OK, "")
	w.untilAll(1)
	w.refused(w.do(func() error { return w.AddNode("", true) }), "99 nodes already")
	w.pass(time.Second)
	w.crossCheck()
	w.must(func() error { return w.RemoveNode("n42") })
	w.must(func() error { return w.AddNode("", true) })
	if got := w.Names()[NodesMax-1]; got != "n100" {
		t.Errorf("the new one is called %s", got)
	}
}

func TestAClusterHasAtLeastOneNodeAndAtMost99(t *testing.T) {
	for _, n := range []int{-1, 0, 100} {
		settings := DefaultSettings()
		settings.Storage = Memory
		if c, err := Open(Config{Nodes: n, Settings: settings}); err == nil {
			t.Errorf("%d nodes: opened, %v", n, c.Close())
		}
	}
}
