package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// crossCheck compares, at a quiet moment, the state folded from events with what
// raft says of itself, on every node that runs.
func (tc *testCluster) crossCheck() {
	tc.t.Helper()
	var wrong []string
	err := tc.clock.Do(func() {
		for _, n := range tc.allNodes() {
			if p := n.running(); p != nil && p.raft.Load() != nil {
				wrong = append(wrong, crossCheckNode(tc.Trace(), p, !tc.faultyDisks[n.name])...)
			}
		}
	})
	if err != nil {
		tc.t.Fatal(err)
	}
	if len(wrong) > 0 {
		tc.fatal("at %v the events and raft differ:\n%s", tc.clock.Now(), strings.Join(wrong, "\n"))
	}
}

func crossCheckNode(log *trace.Stream, p *process, sound bool) (wrong []string) {
	r := p.raft.Load()
	var servers []trace.Server
	if future := r.GetConfiguration(); future.Error() == nil {
		for _, s := range future.Configuration().Servers {
			servers = append(servers, trace.Server{ID: string(s.ID), Voter: s.Suffrage == raft.Voter})
		}
	}
	log.Read(func(s *trace.State) {
		n := s.Node(p.node.name)
		compare := func(what string, folded, actual any) {
			if folded != actual {
				wrong = append(wrong, fmt.Sprintf("%s: %s is %v by the events, %v by raft", n.ID, what, folded, actual))
			}
		}
		compare("role", n.Role, roleOf(r.State()))
		compare("term", n.Term, r.CurrentTerm())
		compare("commit index", n.Commit, r.CommitIndex())
		// Raft cuts entries off and then stores others in their place. If the disk
		// lets it wait in between, or fails, raft does not know that its log has
		// become shorter, until it stores something again (raft.go, appendEntries).
		if sound && n.Process == trace.Up {
			compare("last index", n.LastIndex(), r.LastIndex())
		}
		compare("value", n.Value, p.fsm.counter.Value())
		_, leader := r.LeaderWithID()
		compare("leader", n.Leader, string(leader))
		if !slices.Equal(n.Servers, servers) {
			wrong = append(wrong, fmt.Sprintf("%s: configuration is %v by the events, %v by raft", n.ID, n.Servers, servers))
		}
		if n.Process == trace.Paused || n.DiskFault == "stall" {
			return // its disk does not answer now
		}
		for i, e := range n.Entries {
			var entry raft.Log
			if err := p.disk.Logs().GetLog(n.First+uint64(i), &entry); err != nil || !reflect.DeepEqual(entryOf(&entry), e) {
				wrong = append(wrong, fmt.Sprintf("%s: entry %d is %+v by the events, %+v on disk (%v)", n.ID, n.First+uint64(i), e, entryOf(&entry), err))
				break
			}
		}
	})
	return wrong
}

// trackDiskFaults notes which nodes' disks had a fault since their processes started.
func (tc *testCluster) trackDiskFaults() {
	tc.faultyDisks = map[string]bool{}
	faulty := map[string]bool{}                // at this moment
	tc.Trace().Subscribe(func(e trace.Event) { // the trace is locked meanwhile, and time stands still at the checks
		switch {
		case e.Kind == trace.KindDiskFault:
			faulty[e.Node] = e.Text != ""
			tc.faultyDisks[e.Node] = tc.faultyDisks[e.Node] || faulty[e.Node]
		case e.Kind == trace.KindProcess && !e.Process.Running():
			tc.faultyDisks[e.Node] = faulty[e.Node]
		}
	})
}

// nemesis does random harm, within what Raft promises to survive.
type nemesis struct {
	tc  *testCluster
	rng *rand.Rand
}

func (n nemesis) inject() {
	c := n.tc.Cluster
	names := c.Names()
	one := names[n.rng.IntN(len(names))]
	other := names[n.rng.IntN(len(names))]
	// A minority may be down for long, a majority only for moments: otherwise
	// little would happen in ten minutes.
	if down := n.down(); len(down) > 2 {
		one = down[n.rng.IntN(len(down))]
		n.try(func() error { return errors.Join(c.SetDisk(one, nil), c.Restart(one)) })
		return
	}
	switch n.rng.IntN(16) {
	case 0, 1:
		n.try(func() error { return c.Kill(one) })
	case 2:
		n.try(func() error { return c.PowerOff(one) })
	case 3, 4, 5:
		n.try(func() error { return c.Restart(one) })
	case 6:
		n.try(func() error { return c.Pause(one) })
	case 7, 8:
		n.try(func() error { return c.Resume(one) })
	case 9:
		n.try(func() error { return c.Isolate(one) })
	case 10:
		n.try(func() error { return c.Partition([]string{one, other}) })
	case 11:
		n.try(c.Heal)
	case 12:
		link := []faults.LinkFault{
			faults.Lose{Percent: 30},
			faults.Delay{Mean: 100 * time.Millisecond, Jitter: 50 * time.Millisecond},
			faults.Duplicate{Percent: 50},
			faults.Reorder{Percent: 50},
			faults.Jam{},
		}[n.rng.IntN(5)]
		n.try(func() error { return c.SetLink(one, other, link) })
	case 13:
		disk := []faults.DiskFault{
			faults.Slow{Latency: 50 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{}, nil,
		}[n.rng.IntN(5)]
		n.try(func() error { return c.SetDisk(one, disk) })
	case 14:
		n.try(func() error { return c.SetDisk(one, nil) })
	case 15:
		n.try(func() error { return c.Snapshot(one) })
	}
}

// try gives an order and does not wait for it: a node may never start from a
// disk that stalls. Many make no sense, like killing the dead; that is refused.
func (n nemesis) try(f func() error) { _ = n.tc.Do("strike", f) }

// down returns the nodes without a process.
func (n nemesis) down() (down []string) {
	n.tc.Trace().Read(func(s *trace.State) {
		for i := range s.Nodes {
			if !s.Nodes[i].Process.Running() {
				down = append(down, s.Nodes[i].ID)
			}
		}
	})
	return down
}

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

// expectAllOK reports every check that does not say that all is well.
func (tc *testCluster) expectAllOK() {
	tc.t.Helper()
	tc.AwaitVerdicts()
	state := tc.Trace().State()
	for _, name := range check.Names() {
		if c := state.Check(name); c == nil || c.Verdict != trace.VerdictOK {
			tc.t.Errorf("%s: %+v", name, c)
		}
	}
}

// healAll takes back all harm and brings every node up.
func (tc *testCluster) healAll() {
	tc.t.Helper()
	tc.must(tc.HealEverything)
	for _, name := range tc.Names() {
		for range 3 { // a stalled crash may still be under way
			err := errors.Join(tc.do(func() error { return tc.Resume(name) }), tc.do(func() error { return tc.Restart(name) }))
			tc.pass(time.Second)
			state := tc.Trace().State()
			if state.Node(name).Process == trace.Up {
				break
			}
			tc.t.Logf("%s: %v", name, err)
		}
	}
}

// converged says whether all nodes are up, hold the same log to the same commit
// index, and show the same value.
func converged(s *trace.State) bool {
	if !s.HasLeader() {
		return false
	}
	leader := s.LeaderNode()
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process != trace.Up || n.Commit != leader.Commit || n.LastIndex() != leader.LastIndex() ||
			n.LastTerm() != leader.LastTerm() || n.Value != leader.Value || n.Commit != n.LastIndex() {
			return false
		}
	}
	return true
}

// openFiles returns the files this process has open, where the system tells.
func openFiles(t *testing.T) (files []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil {
			files = append(files, target)
		}
	}
	return files
}
