package cluster

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// TestStateMatchesDisks rebuilds disks from events, at random moments of
// much harm. Now and then it begins a branch there, whose disks are filled from
// the state for good.
func TestStateMatchesDisks(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) {
				cfg.Settings.Storage = storage
				cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 60, 10
				cfg.Settings.Sessions = storage == Bolt
			})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			tc.trackPartialVotes()
			n := nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
			tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
			for i := range 150 {
				n.inject()
				n.try(func() error { tc.Read(LevelStrong, RouteLeader); return nil })
				switch n.rng.IntN(8) {
				case 0:
					n.try(func() error { return tc.Demote("n2") })
				case 1:
					n.try(func() error { return tc.Promote("n2") })
				}
				tc.pass(time.Duration(n.rng.IntN(2000)) * time.Millisecond)
				state := tc.Trace().State()
				tc.checkDisks(&state)
				if i%30 != 29 {
					continue
				}
				b := tc.branch(&state)
				b.checkDisks(&state)
				b.must(func() error { return b.Load(20, 5, RouteLeader) })
				b.pass(20 * time.Second)
				if state.Settings.Sessions { // without, a retry counts twice
					b.expectNoViolation()
				}
			}
		})
	}
}

func TestPowerLossOnLyingDiskIsTraced(t *testing.T) {
	tc := open(t, 3)
	tc.add(1, RouteLeader)
	name := tc.leaderName()
	tc.must(func() error { return tc.SetDisk(name, faults.Lie{}) })
	for range 3 {
		tc.add(1, RouteLeader)
	}
	before := tc.Trace().State()
	tc.must(func() error { return tc.PowerOff(name) })
	after := tc.Trace().State()
	if was, is := before.Node(name).LastIndex(), after.Node(name).LastIndex(); is != was-3 {
		tc.fatal("the log of %s ended at %d and ends at %d without power", name, was, is)
	}
	tc.checkDisks(&after)
}

// TestBranchDivergesWithoutChangingTheOriginal goes back to before a partition.
func TestBranchDivergesWithoutChangingTheOriginal(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				tc.add(1, RouteLeader)
			}
			tc.untilValue(5)
			fork := tc.Trace().State()
			leader := tc.leaderName()
			tc.must(func() error { return tc.Isolate(leader) })
			tc.must(func() error { return tc.Load(50, 3, leader) })
			tc.pass(10 * time.Second)
			tc.AwaitVerdicts()
			old := tc.Trace().State()

			b := tc.branch(&fork)
			if now := b.clock.Now(); now != fork.At {
				t.Errorf("the branch begins at %v, it was %v", now, fork.At)
			}
			begun := b.Trace().State()
			if begun.At != fork.At || !reflect.DeepEqual(begun.Settings, fork.Settings) {
				t.Errorf("the branch begins at %v with %+v", begun.At, begun.Settings)
			}
			for _, n := range fork.Nodes {
				is := begun.Node(n.ID)
				if is == nil || is.Process != trace.Up || is.Term != n.Term || is.Vote != n.Vote || !reflect.DeepEqual(is.Entries, n.Entries) {
					t.Errorf("%s begins as %+v, it was %+v", n.ID, is, n)
				}
			}
			if !b.AwaitLeader(time.Minute) {
				b.fatal("no leader in the branch")
			}
			if op := b.add(10, RouteLeader); op.Outcome != trace.OK || op.Value != 15 {
				b.fatal("the branch answers %+v", op)
			}
			b.untilValue(15)
			b.expectNoViolation()
			if state := tc.Trace().State(); !reflect.DeepEqual(state.Nodes, old.Nodes) || state.Seq != old.Seq {
				t.Error("the old future has changed")
			}
			if first := b.firstTerm(); first <= fork.LeaderNode().Term {
				t.Errorf("the branch elects a leader of term %d, the old one was of %d", first, fork.LeaderNode().Term)
			}
		})
	}
}

func (tc *testCluster) firstTerm() uint64 {
	state := tc.Trace().State()
	return state.LeaderTerms[0].Term
}

// TestBranchKeepsLogsFaultsAndStoppedNodes is of a moment with a compacted log, faults of all sorts,
// and dead nodes of each kind.
func TestBranchKeepsLogsFaultsAndStoppedNodes(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 7, func(cfg *Config) {
				cfg.Settings.Storage, cfg.Settings.TrailingLogs, cfg.Settings.Fsync = storage, 3, 5*time.Millisecond
			})
			for range 12 {
				tc.add(1, RouteLeader)
			}
			tc.untilValue(12)
			leader := tc.leaderName()
			var others []string
			for _, name := range tc.Names() {
				if name != leader {
					others = append(others, name)
				}
			}
			tc.must(func() error { return tc.Snapshot(leader) })
			tc.must(func() error { return tc.Snapshot(others[0]) })
			tc.must(func() error { return tc.Kill(others[1]) })
			tc.must(func() error { return tc.Wipe(others[1]) })
			tc.must(func() error { return tc.RemoveNode(others[2]) })
			tc.must(func() error { return tc.Kill(others[3]) })
			tc.must(func() error { return tc.PowerOff(others[3]) })
			tc.must(func() error { return tc.Pause(others[4]) })
			tc.must(func() error { return tc.SetDisk(others[0], faults.Slow{Latency: 20 * time.Millisecond}) })
			tc.must(func() error { return tc.SetClock(others[5], 3) })
			fault := faults.Only(faults.Delay{Mean: 20 * time.Millisecond, Jitter: time.Millisecond}, faults.KindVote, faults.KindAppend)
			tc.must(func() error { return tc.SetLink(others[0], leader, fault) })
			tc.must(func() error { return tc.SetLink(others[0], leader, faults.Lose{Percent: 2.5}) })
			state := tc.Trace().State()

			b := tc.branch(&state)
			b.checkDisks(&state)
			begun := b.Trace().State()
			for _, n := range state.Nodes {
				is, life := begun.Node(n.ID), n.Process
				if life == trace.Paused {
					life = trace.Up
				}
				if is.Process != life || is.DiskFault != n.DiskFault || is.ClockFactor != n.ClockFactor || is.SnapshotIndex != n.SnapshotIndex {
					t.Errorf("%s begins as %+v, it was %+v", n.ID, is, n)
				}
			}
			if !reflect.DeepEqual(begun.Faults, state.Faults) || len(b.network.Faults(raft.ServerAddress(others[0]), raft.ServerAddress(leader))) != 2 {
				t.Errorf("the links begin with %v, they had %v", begun.Faults, state.Faults)
			}
			if begun.Node(leader).SnapshotIndex == 0 || begun.Node(leader).First == 1 {
				t.Error("the leader had not compacted its log: the test tests too little")
			}
			if !b.AwaitLeader(time.Minute) {
				b.fatal("no leader in the branch")
			}
			if op := b.add(1, RouteLeader); op.Outcome != trace.OK || op.Value != 13 {
				b.fatal("the branch answers %+v", op)
			}
			b.must(func() error { return b.Restart(others[1]) })
			b.must(func() error { return b.Restart(others[3]) })
			b.must(b.HealEverything)
			b.until("all nodes agree", func(s *trace.State) bool {
				rest := *s
				rest.Nodes = slices.DeleteFunc(slices.Clone(s.Nodes), func(n trace.Node) bool { return n.Process == trace.Removed })
				return s.HasLeader() && converged(&rest)
			})
			end := b.Trace().State()
			b.checkDisks(&end)
		})
	}
}

// TestBranchTraceStartsWithSettings and of all disks before time goes on: whoever
// sees nothing but its events knows all.
func TestBranchTraceStartsWithSettings(t *testing.T) {
	tc := open(t, 3)
	tc.add(5, RouteLeader)
	tc.must(func() error { return tc.Kill("n2") })
	state := tc.Trace().State()
	b := tc.branch(&state)
	file := filepath.Join(t.TempDir(), "branch.trace")
	recorder, err := recording.Create(file, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.Trace().AddSink(recorder)
	if err := recorder.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if !strings.Contains(lines[1], `"kind":"settings"`) {
		t.Errorf("the first event is %s", lines[1])
	}
	now := b.Trace().State()
	if now.At != state.At {
		t.Errorf("after the start it is %v, not %v", now.At, state.At)
	}
	for _, n := range now.Nodes {
		if want := state.Node(n.ID); n.LastIndex() != want.LastIndex() || n.Term != want.Term {
			t.Errorf("%s is %+v, it was %+v", n.ID, n, want)
		}
	}
}

func TestInvalidStateCannotBeBranched(t *testing.T) {
	tc := open(t, 1)
	tc.add(1, RouteLeader)
	tc.must(func() error { return tc.Snapshot("n1") })
	for name, spoil := range map[string]func(*trace.State){
		"no node":      func(s *trace.State) { s.Nodes = nil },
		"a name":       func(s *trace.State) { s.Nodes[0].ID = "../n1" },
		"an entry":     func(s *trace.State) { s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryOther}} },
		"a client":     func(s *trace.State) { s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryAdd, Client: "\x1b"}} },
		"no members":   func(s *trace.State) { s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryConfig}} },
		"no snapshot":  func(s *trace.State) { s.Nodes[0].Snapshot = nil },
		"a sequence":   func(s *trace.State) { s.Nodes[0].Entries[0].Seq = 1 << 63 },
		"a disk":       func(s *trace.State) { s.Nodes[0].DiskFault = "earthquake" },
		"a clock":      func(s *trace.State) { s.Nodes[0].ClockFactor = 0 },
		"a link":       func(s *trace.State) { s.Faults[trace.Link{From: "n1", To: "n2"}] = []string{"earthquake"} },
		"a setting":    func(s *trace.State) { s.Settings.Latency = -1 },
		"all settings": func(s *trace.State) { s.Settings = trace.Settings{} },
	} {
		t.Run(name, func(t *testing.T) {
			state := tc.Trace().State()
			state.Nodes[0].Entries = slices.Clone(state.Nodes[0].Entries)
			spoil(&state)
			c, err := Open(Config{From: &state})
			if err == nil {
				t.Error("it was opened", c.Close())
			} else if strings.Contains(err.Error(), "panic") {
				t.Error(err)
			}
		})
	}
}
