package cluster

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// TestClusterSurvivesTenMinutesOfFaults is the promise: after random kills, cuts and disk faults
// all nodes converge once healed, no acknowledged increment is lost, none is
// counted twice, and nothing stays open.
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
				// Up to a poll, so that what only the poll sees has been seen.
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
				tc.fatal("the counter is %d after %d acknowledged and %d unknown increments", value, clients.OK, clients.Unknown)
			}
			if clients.OK < 300 {
				t.Errorf("only %d increments were acknowledged in ten minutes: the test tests too little", clients.OK)
			}
			if err := tc.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			for _, file := range openFiles(t) {
				if strings.HasPrefix(file, dir) {
					t.Errorf("%s is still open", file)
				}
			}
		})
	}
}
