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

// TestStateMatchesDisks compares the state folded from events with the real disks at
// random moments while the nemesis is at work. From time to time it opens a fork,
// whose disks are written from the state, and checks that they match too.
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
				b := tc.fork(&state)
				b.checkDisks(&state)
				b.must(func() error { return b.Load(20, 5, RouteLeader) })
				b.pass(20 * time.Second)
				if state.Settings.Sessions { // without sessions, a retry counts twice
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
		tc.fatal("%s: got last index %d after the power loss, want %d", name, is, was-3)
	}
	tc.checkDisks(&after)
}

// TestForkDivergesWithoutChangingTheOriginal forks from a state before a
// partition: the fork elects its own leader, the original keeps its state.
func TestForkDivergesWithoutChangingTheOriginal(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				tc.add(1, RouteLeader)
			}
			tc.untilValue(5)
			origin := tc.Trace().State()
			leader := tc.leaderName()
			tc.must(func() error { return tc.Isolate(leader) })
			tc.must(func() error { return tc.Load(50, 3, leader) })
			tc.pass(10 * time.Second)
			tc.AwaitVerdicts()
			old := tc.Trace().State()

			b := tc.fork(&origin)
			if now := b.clock.Now(); now != origin.At {
				t.Errorf("clock of the fork: got %v, want %v", now, origin.At)
			}
			begun := b.Trace().State()
			if begun.At != origin.At || !reflect.DeepEqual(begun.Settings, origin.Settings) {
				t.Errorf("fork starts at %v with settings %+v, want %v with %+v",
					begun.At, begun.Settings, origin.At, origin.Settings)
			}
			for _, n := range origin.Nodes {
				is := begun.Node(n.ID)
				if is == nil || is.Process != trace.Up || is.Term != n.Term || is.Vote != n.Vote ||
					!reflect.DeepEqual(is.Entries, n.Entries) {
					t.Errorf("%s: fork starts with %+v, want %+v", n.ID, is, n)
				}
			}
			if !b.AwaitLeader(time.Minute) {
				b.fatal("fork got no leader within a minute, want one")
			}
			if op := b.add(10, RouteLeader); op.Outcome != trace.OK || op.Value != 15 {
				b.fatal("increment in the fork: got %+v, want outcome %s, value 15", op, trace.OK)
			}
			b.untilValue(15)
			b.expectNoViolation()
			if state := tc.Trace().State(); !reflect.DeepEqual(state.Nodes, old.Nodes) || state.Seq != old.Seq {
				t.Error("the original's state changed after forking, want it unchanged")
			}
			if first := b.firstTerm(); first <= origin.LeaderNode().Term {
				t.Errorf("fork: got first leader in term %d, want a term above %d", first, origin.LeaderNode().Term)
			}
		})
	}
}

// firstTerm returns the term of the first leader in the trace.
func (tc *testCluster) firstTerm() uint64 {
	state := tc.Trace().State()
	return state.LeaderTerms[0].Term
}

// breakSeven makes a cluster of seven nodes as varied as a state can be: a compacted log, disk,
// link and clock faults, and a wiped, a removed, a powered-off and a paused node. It returns the
// leader and the other nodes.
func (tc *testCluster) breakSeven() (leader string, others []string) {
	tc.t.Helper()
	leader = tc.leaderName()
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
	delay := faults.Delay{Mean: 20 * time.Millisecond, Jitter: time.Millisecond}
	fault := faults.Only(delay, faults.KindVote, faults.KindAppend)
	tc.must(func() error { return tc.SetLink(others[0], leader, fault) })
	tc.must(func() error { return tc.SetLink(others[0], leader, faults.Lose{Percent: 2.5}) })
	return leader, others
}

func TestForkKeepsLogsFaultsAndStoppedNodes(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 7, func(cfg *Config) {
				cfg.Settings.Storage, cfg.Settings.TrailingLogs, cfg.Settings.Fsync = storage, 3, 5*time.Millisecond
			})
			for range 12 {
				tc.add(1, RouteLeader)
			}
			tc.untilValue(12)
			leader, others := tc.breakSeven()
			state := tc.Trace().State()

			b := tc.fork(&state)
			b.checkDisks(&state)
			begun := b.Trace().State()
			for _, n := range state.Nodes {
				is, process := begun.Node(n.ID), n.Process
				if process == trace.Paused {
					process = trace.Up
				}
				if is.Process != process || is.DiskFault != n.DiskFault ||
					is.ClockFactor != n.ClockFactor || is.SnapshotIndex != n.SnapshotIndex {
					t.Errorf("%s: fork starts with %+v, want %+v", n.ID, is, n)
				}
			}
			onLink := b.network.Faults(raft.ServerAddress(others[0]), raft.ServerAddress(leader))
			if !reflect.DeepEqual(begun.Faults, state.Faults) || len(onLink) != 2 {
				t.Errorf("fork: got link faults %v, %d on %s -> %s; want %v, 2 on that link",
					begun.Faults, len(onLink), others[0], leader, state.Faults)
			}
			if begun.Node(leader).SnapshotIndex == 0 || begun.Node(leader).First == 1 {
				t.Error("the leader has not compacted its log: the test covers too little")
			}
			if !b.AwaitLeader(time.Minute) {
				b.fatal("fork got no leader within a minute, want one")
			}
			if op := b.add(1, RouteLeader); op.Outcome != trace.OK || op.Value != 13 {
				b.fatal("increment in the fork: got %+v, want outcome %s, value 13", op, trace.OK)
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

// TestForkTraceStartsWithSettings checks that a fork emits its settings first and
// the content of every disk before time moves on: its trace is complete on its own.
func TestForkTraceStartsWithSettings(t *testing.T) {
	tc := open(t, 3)
	tc.add(5, RouteLeader)
	tc.must(func() error { return tc.Kill("n2") })
	state := tc.Trace().State()
	b := tc.fork(&state)
	file := filepath.Join(t.TempDir(), "fork.trace")
	recorder, err := recording.Create(file, recording.Header{Seed: 1})
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
		t.Errorf("got first event %s, want kind settings", lines[1])
	}
	now := b.Trace().State()
	if now.At != state.At {
		t.Errorf("fork: got time %v after the start, want %v", now.At, state.At)
	}
	for _, n := range now.Nodes {
		if want := state.Node(n.ID); n.LastIndex() != want.LastIndex() || n.Term != want.Term {
			t.Errorf("%s: got %+v in the fork, want %+v", n.ID, n, want)
		}
	}
}

func TestInvalidStateCannotBeForked(t *testing.T) {
	tc := open(t, 1)
	tc.add(1, RouteLeader)
	tc.must(func() error { return tc.Snapshot("n1") })
	for name, corrupt := range map[string]func(*trace.State){
		"no nodes":   func(s *trace.State) { s.Nodes = nil },
		"node name":  func(s *trace.State) { s.Nodes[0].ID = "../n1" },
		"entry kind": func(s *trace.State) { s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryOther}} },
		"client name": func(s *trace.State) {
			s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryAdd, Client: "\x1b"}}
		},
		"empty configuration": func(s *trace.State) { s.Nodes[0].Entries = []trace.Entry{{Kind: trace.EntryConfig}} },
		"missing snapshot":    func(s *trace.State) { s.Nodes[0].Snapshot = nil },
		"sequence number":     func(s *trace.State) { s.Nodes[0].Entries[0].Seq = 1 << 63 },
		"disk fault":          func(s *trace.State) { s.Nodes[0].DiskFault = "earthquake" },
		"clock factor":        func(s *trace.State) { s.Nodes[0].ClockFactor = 0 },
		"link fault":          func(s *trace.State) { s.Faults[trace.Link{From: "n1", To: "n2"}] = []string{"earthquake"} },
		"negative latency":    func(s *trace.State) { s.Settings.Latency = -1 },
		"empty settings":      func(s *trace.State) { s.Settings = trace.Settings{} },
	} {
		t.Run(name, func(t *testing.T) {
			state := tc.Trace().State()
			state.Nodes[0].Entries = slices.Clone(state.Nodes[0].Entries)
			corrupt(&state)
			c, err := Open(Config{From: &state})
			if err == nil {
				t.Errorf("got no error, want one (Close: %v)", c.Close())
			} else if strings.Contains(err.Error(), "panic") {
				t.Errorf("got error %v, want one without a panic", err)
			}
		})
	}
}
