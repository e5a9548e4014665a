package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// divergedFollower makes n1 a follower whose log goes on behind what the others have, with
// entries worth nothing, and whom the leader can only send a snapshot.
func divergedFollower(t *testing.T, change func(*Config)) *testCluster {
	t.Helper()
	tc := open(t, 3, func(cfg *Config) {
		cfg.Settings.TrailingLogs = 5
		change(cfg)
	})
	tc.must(func() error { return tc.Transfer("n1") })
	tc.until("n1 leads", func(s *trace.State) bool { l := s.LeaderNode(); return l != nil && l.ID == "n1" })
	tc.must(func() error { return tc.Isolate("n1") })
	tc.must(func() error { return tc.Load(1000, 100, "n1") })
	tc.pass(200 * time.Millisecond)
	tc.must(func() error { tc.StopLoad(); return nil })
	tc.until("another node leads", func(s *trace.State) bool {
		l := s.LeaderNode()
		return l != nil && l.ID != "n1" && l.Role == trace.Leader && s.Node("n1").Role != trace.Leader
	})
	for range 20 {
		tc.add(1, RouteLeader)
	}
	tc.until("n2 and n3 agree", func(s *trace.State) bool { return s.Node("n2").Value == 20 && s.Node("n3").Value == 20 })
	for _, name := range []string{"n2", "n3"} {
		tc.must(func() error { return tc.Snapshot(name) })
	}
	tc.must(tc.Heal)
	tc.until("n1 has the snapshot", func(s *trace.State) bool { return s.Node("n1").Value == 20 })
	tc.add(1, RouteLeader)
	return tc
}

// The real library never lets the node in again (hashicorp/raft #697).
func TestWithoutWorkaroundSnapshotInstallsForever(t *testing.T) {
	tc := divergedFollower(t, func(*Config) {})
	tc.pass(time.Minute)
	state := tc.Trace().State()
	if n := state.Node("n1"); n.Value != 20 {
		tc.fatal("n1 has the value %d: the library has been cured, and the cure has lost its use", n.Value)
	}
}

func TestWorkaroundLetsNodeContinueAfterSnapshot(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := divergedFollower(t, func(cfg *Config) {
				cfg.Settings.SnapshotCure, cfg.Settings.Storage = true, storage
			})
			tc.until("all nodes agree", converged)
			tc.must(func() error { return tc.Transfer("n1") })
			tc.add(1, RouteLeader)
			tc.until("all nodes agree under n1", converged)
			// What its log held below the snapshot it must not hand on to others.
			tc.must(func() error { return tc.Kill("n2") })
			tc.must(func() error { return tc.Wipe("n2") })
			tc.must(func() error { return tc.Restart("n2") })
			tc.until("n2 has all from the snapshot", converged)
			tc.must(func() error { return tc.Kill("n1") })
			tc.must(func() error { return tc.Restart("n1") })
			tc.until("n1 is back", converged)
			tc.untilValue(22)
		})
	}
}
