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
	"capsize/faults"

	"github.com/hashicorp/raft"

	"capsize/cluster/trace/recording"
)

// TestTheStateHoldsWhatTheDisksHold rebuilds disks from events, at random moments of
// much harm. Now and then it begins a branch there, whose disks are filled from
// the state for good.
func TestTheStateHoldsWhatTheDisksHold(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			w := open(t, 5, func(cfg *Config) {
				cfg.Settings.Storage = storage
				cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 60, 10
				cfg.Settings.Sessions = storage == Bolt
			})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			w.watchVotes()
			n := nemesis{w: w, rng: rand.New(rand.NewPCG(seed, 0))}
			w.must(func() error { return w.Load(20, 5, RouteLeader) })
			for i := range 150 {
				n.strike()
				n.order(func() error { w.Read(LevelStrong, RouteLeader); return nil })
				switch n.rng.IntN(8) {
				case 0:
					n.order(func() error { return w.Demote("n2") })
				case 1:
					n.order(func() error { return w.Promote("n2") })
				}
				w.pass(time.Duration(n.rng.IntN(2000)) * time.Millisecond)
				state := w.Trace().State()
				w.checkDisks(&state)
				if i%30 != 29 {
					continue
				}
				b := w.branch(&state)
				b.checkDisks(&state)
				b.must(func() error { return b.Load(20, 5, RouteLeader) })
				b.pass(20 * time.Second)
				if state.Settings.Sessions { // without, a retry counts twice
					b.keepsItsPromises()
				}
			}
		})
	}
}

func TestALyingDiskTellsWhatAPowerLossLeftOnIt(t *testing.T) {
	w := open(t, 3)
	w.add(1, RouteLeader)
	name := w.leaderName()
	w.must(func() error { return w.SetDisk(name, faults.Lie{}) })
	for range 3 {
		w.add(1, RouteLeader)
	}
	before := w.Trace().State()
	w.must(func() error { return w.PowerOff(name) })
	after := w.Trace().State()
	if was, is := before.Node(name).LastIndex(), after.Node(name).LastIndex(); is != was-3 {
		w.fatal("the log of %s ended at %d and ends at %d without power", name, was, is)
	}
	w.checkDisks(&after)
}

// branch opens a branch from a state.
func (w *world) branch(s *trace.State) *world {
	w.t.Helper()
	c, err := Open(Config{From: s})
	if err != nil {
		w.fatal("branch: %v", err)
	}
	w.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	})
	b := &world{Cluster: c, t: w.t}
	if err := c.clock.Do(func() {}); err != nil { // until all have started
		w.t.Fatal(err)
	}
	return b
}

// TestABranchHasAnotherFuture goes back to before a partition.
func TestABranchHasAnotherFuture(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			w := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				w.add(1, RouteLeader)
			}
			w.untilAll(5)
			fork := w.Trace().State()
			leader := w.leaderName()
			w.must(func() error { return w.Isolate(leader) })
			w.must(func() error { return w.Load(50, 3, leader) })
			w.pass(10 * time.Second)
			w.AwaitVerdicts()
			old := w.Trace().State()

			b := w.branch(&fork)
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
			b.untilAll(15)
			b.keepsItsPromises()
			if state := w.Trace().State(); !reflect.DeepEqual(state.Nodes, old.Nodes) || state.Seq != old.Seq {
				t.Error("the old future has changed")
			}
			if first := b.firstTerm(); first <= fork.LeaderNode().Term {
				t.Errorf("the branch elects a leader of term %d, the old one was of %d", first, fork.LeaderNode().Term)
			}
		})
	}
}

// keepsItsPromises ends the test if a check has found something.
func (w *world) keepsItsPromises() {
	w.t.Helper()
	w.AwaitVerdicts()
	state := w.Trace().State()
	if len(state.Checks) == 0 {
		w.fatal("nothing was checked")
	}
	for _, c := range state.Checks {
		if c.Verdict == trace.VerdictViolated {
			w.fatal("%s is violated: %s", c.Name, c.Text)
		}
	}
}

func (w *world) firstTerm() uint64 {
	state := w.Trace().State()
	return state.LeaderTerms[0].Term
}

// TestABranchOfAnything is of a moment with a compacted log, faults of all sorts,
// and dead nodes of each kind.
func TestABranchOfAnything(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			w := open(t, 7, func(cfg *Config) {
				cfg.Settings.Storage, cfg.Settings.TrailingLogs, cfg.Settings.Fsync = storage, 3, 5*time.Millisecond
			})
			for range 12 {
				w.add(1, RouteLeader)
			}
			w.untilAll(12)
			leader := w.leaderName()
			var others []string
			for _, name := range w.Names() {
				if name != leader {
					others = append(others, name)
				}
			}
			w.must(func() error { return w.Snapshot(leader) })
			w.must(func() error { return w.Snapshot(others[0]) })
			w.must(func() error { return w.Kill(others[1]) })
			w.must(func() error { return w.Wipe(others[1]) })
			w.must(func() error { return w.RemoveNode(others[2]) })
			w.must(func() error { return w.Kill(others[3]) })
			w.must(func() error { return w.PowerOff(others[3]) })
			w.must(func() error { return w.Pause(others[4]) })
			w.must(func() error { return w.SetDisk(others[0], faults.Slow{Latency: 20 * time.Millisecond}) })
			w.must(func() error { return w.SetClock(others[5], 3) })
			fault := faults.Only(faults.Delay{Mean: 20 * time.Millisecond, Jitter: time.Millisecond}, faults.KindVote, faults.KindAppend)
			w.must(func() error { return w.SetLink(others[0], leader, fault) })
			w.must(func() error { return w.SetLink(others[0], leader, faults.Lose{Percent: 2.5}) })
			state := w.Trace().State()

			b := w.branch(&state)
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

// TestABranchTellsOfItsSettingsFirst and of all disks before time goes on: whoever
// sees nothing but its events knows all.
func TestABranchTellsOfItsSettingsFirst(t *testing.T) {
	w := open(t, 3)
	w.add(5, RouteLeader)
	w.must(func() error { return w.Kill("n2") })
	state := w.Trace().State()
	b := w.branch(&state)
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

func TestWhatNothingCanGoOnFromIsRefused(t *testing.T) {
	w := open(t, 1)
	w.add(1, RouteLeader)
	w.must(func() error { return w.Snapshot("n1") })
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
			state := w.Trace().State()
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
