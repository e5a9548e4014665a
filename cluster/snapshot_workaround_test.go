package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// outdated makes n1 a follower whose log goes on behind what the others have, with
// entries worth nothing, and whom the leader can only send a snapshot.
func outdated(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := open(t, 3, func(cfg *Config) {
		cfg.Settings.TrailingLogs = 5
		change(cfg)
	})
	w.must(func() error { return w.Transfer("n1") })
	w.until("n1 leads", func(s *trace.State) bool { l := s.LeaderNode(); return l != nil && l.ID == "n1" })
	w.must(func() error { return w.Isolate("n1") })
	w.must(func() error { return w.Load(1000, 100, "n1") })
	w.pass(200 * time.Millisecond)
	w.must(func() error { w.StopLoad(); return nil })
	w.until("another one leads", func(s *trace.State) bool {
		l := s.LeaderNode()
		return l != nil && l.ID != "n1" && l.Role == trace.Leader && s.Node("n1").Role != trace.Leader
	})
	for range 20 {
		w.add(1, RouteLeader)
	}
	w.until("n2 and n3 agree", func(s *trace.State) bool { return s.Node("n2").Value == 20 && s.Node("n3").Value == 20 })
	for _, name := range []string{"n2", "n3"} {
		w.must(func() error { return w.Snapshot(name) })
	}
	w.must(w.Heal)
	w.until("n1 has the snapshot", func(s *trace.State) bool { return s.Node("n1").Value == 20 })
	w.add(1, RouteLeader)
	return w
}

// The real library never lets the node in again (hashicorp/raft #697).
func TestWithoutTheCureASnapshotIsInstalledForEver(t *testing.T) {
	w := outdated(t, func(*Config) {})
	w.pass(time.Minute)
	state := w.Trace().State()
	if n := state.Node("n1"); n.Value != 20 {
		w.fatal("n1 has the value %d: the library has been cured, and the cure has lost its use", n.Value)
	}
}

func TestWithTheCureTheNodeGoesOnBehindTheSnapshot(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			w := outdated(t, func(cfg *Config) {
				cfg.Settings.SnapshotCure, cfg.Settings.Storage = true, storage
			})
			w.until("all nodes agree", converged)
			w.must(func() error { return w.Transfer("n1") })
			w.add(1, RouteLeader)
			w.until("all nodes agree under n1", converged)
			// What its log held below the snapshot it must not hand on to others.
			w.must(func() error { return w.Kill("n2") })
			w.must(func() error { return w.Wipe("n2") })
			w.must(func() error { return w.Restart("n2") })
			w.until("n2 has all from the snapshot", converged)
			w.must(func() error { return w.Kill("n1") })
			w.must(func() error { return w.Restart("n1") })
			w.until("n1 is back", converged)
			w.untilAll(22)
		})
	}
}
