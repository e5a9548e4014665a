package cluster

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// TestClusterSurvivesTenMinutesOfFaults runs random kills, partitions and disk faults
// under load. Once healed, all nodes converge, no acknowledged increment is lost or
// applied twice, and Close leaves no file open.
func TestClusterSurvivesTenMinutesOfFaults(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			tc := open(t, 5, func(cfg *Config) {
				cfg.Settings.Storage = storage
				cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 100, 50
				if storage == Bolt {
					cfg.Dir = dir
				}
			})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			tc.trackDiskFaults()
			n := nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
			tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
			for tc.clock.Now() < 10*time.Minute {
				n.inject()
				// Stop right at a poll: some state reaches the trace only through the poll.
				now := tc.clock.Now()
				tc.pass(now.Truncate(pollEvery) + time.Duration(1+n.rng.IntN(30))*pollEvery - now)
				tc.crossCheck()
			}
			tc.healAll()
			tc.must(func() error { tc.StopLoad(); return nil })
			tc.until("every operation has ended", func(s *trace.State) bool { return s.Clients.InFlight == 0 })
			tc.until("all nodes agree", converged)
			tc.crossCheck()
			tc.expectAllOK()

			state := tc.Trace().State()
			value, clients := state.Nodes[0].Value, state.Clients
			if value < int64(clients.OK) || value > int64(clients.OK+clients.Unknown) {
				tc.fatal("got counter %d, want %d to %d (%d increments acknowledged, %d unknown)",
					value, clients.OK, clients.OK+clients.Unknown, clients.OK, clients.Unknown)
			}
			if clients.OK < 300 {
				t.Errorf("got %d acknowledged increments, want at least 300: the test covers too little", clients.OK)
			}
			if err := tc.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			for _, file := range openFiles(t) {
				if strings.HasPrefix(file, dir) {
					t.Errorf("%s is still open after Close, want it closed", file)
				}
			}
		})
	}
}
