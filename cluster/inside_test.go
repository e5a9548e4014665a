package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"

	"github.com/hashicorp/raft"
	"go.uber.org/goleak"
)

func TestInstantCommandCompletesOnPausedClock(t *testing.T) {
	tc := open(t, 3)
	at := tc.clock.Now()
	one := tc.followers()[0]
	for _, order := range []struct {
		f    func(string) error
		want trace.ProcessState
	}{{tc.Pause, trace.Paused}, {tc.Resume, trace.Up}, {tc.Kill, trace.Killed}, {tc.Restart, trace.Up}, {tc.PowerOff, trace.Off}, {tc.Wipe, trace.Wiped}} {
		if err := tc.Do("order", func() error { return order.f(one) }); err != nil {
			tc.fatal("%v", err)
		}
		tc.expectProcess(one, order.want)
	}
	if err := tc.Do("cut", func() error { return tc.Isolate("n1") }); err != nil || !tc.state().Isolated("n1") {
		tc.fatal("error %v, cut off %t", err, tc.state().Isolated("n1"))
	}
	tc.expectRefused(tc.Do("kill", func() error { return tc.Kill("n9") }), "no node")
	if tc.clock.Now() != at {
		tc.fatal("%v passed", tc.clock.Now()-at)
	}
}

func (tc *testCluster) state() *trace.State {
	state := tc.Trace().State()
	return &state
}

func TestSlowCommandReportsItsErrorLater(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	var op trace.Op
	if err := tc.Do("increment", func() error { op = tc.Add(1, RouteLeader); return nil }); err != nil || op.Outcome != trace.Pending {
		tc.fatal("error %v, outcome %q before any time has passed", err, op.Outcome)
	}
	if err := tc.Do("late", func() error { tc.sleep(time.Second); return errors.New("no") }); err != nil {
		tc.fatal("error %v before any time has passed", err)
	}
	tc.pass(2 * time.Second)
	tc.inBubble(func() {})
	tc.expectOutcome(op, trace.OK, "")
	tc.expectStory("late: no")
	tc.expectRefused(tc.Do("increment", func() error { return tc.Transfer("n9") }), "no node")
	if op := tc.add(1, follower); op.Outcome != trace.Failed {
		tc.fatal("%+v", op)
	}
}

func TestCommandAfterCloseIsRefused(t *testing.T) {
	tc := open(t, 3)
	if err := tc.Close(); err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := tc.Do("kill n1", func() error { ran = true; return nil }); !errors.Is(err, vtime.ErrClosed) || ran {
		t.Fatalf("error %v, ran %t", err, ran)
	}
}

// TestCloseReturnsAndLeaksNothing closes clusters in the worst of moments.
func TestCloseReturnsAndLeaksNothing(t *testing.T) {
	moments := map[string]func(tc *testCluster){
		"at once": func(*testCluster) {},
		"under load": func(tc *testCluster) {
			tc.must(func() error { return tc.Load(500, 50, RouteRandom) })
			tc.pass(time.Second)
		},
		"reads under way": func(tc *testCluster) {
			tc.inBubble(func() {
				for _, level := range Levels {
					for _, name := range tc.Names() {
						tc.bubble.Go(func() { tc.Read(level, name) })
					}
				}
			})
			tc.pass(3 * time.Millisecond)
		},
		"disks stall": func(tc *testCluster) {
			for _, name := range tc.Names() {
				tc.setDisk(name, faults.Stall{})
			}
			tc.inBubble(func() { tc.bubble.Go(func() { tc.Add(1, RouteLeader) }) })
			tc.pass(10 * time.Second)
		},
		"all paused": func(tc *testCluster) {
			tc.must(func() error { return tc.Load(50, 5, RouteLeader) })
			for _, name := range tc.Names() {
				tc.must(func() error { return tc.Pause(name) })
			}
			tc.pass(3 * time.Second)
		},
		"starting from stalled disks": func(tc *testCluster) {
			for _, name := range tc.Names() {
				tc.must(func() error { return tc.Kill(name) })
				tc.setDisk(name, faults.Stall{})
				tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Restart(name) }) })
			}
		},
		"disks fail": func(tc *testCluster) {
			for _, name := range tc.Names() {
				tc.setDisk(name, faults.Fail{})
			}
			tc.inBubble(func() { tc.bubble.Go(func() { tc.Read(LevelLinearizable, RouteLeader) }) })
			tc.pass(5 * time.Second)
		},
		"members change": func(tc *testCluster) {
			tc.must(func() error { return tc.Isolate("n1", "n2", "n3") })
			tc.inBubble(func() {
				tc.bubble.Go(func() { _ = tc.AddNode("", true) })
				tc.bubble.Go(func() { _ = tc.RemoveNode("n2") })
				tc.bubble.Go(func() { _ = tc.Transfer("") })
				tc.bubble.Go(func() { _ = tc.Snapshot("n3") })
			})
			tc.pass(20 * time.Millisecond)
		},
	}
	for name, arrange := range moments {
		for _, storage := range []string{Memory, Bolt} {
			t.Run(name+"/"+storage, func(t *testing.T) {
				ignore := goleak.IgnoreCurrent()
				dir := filepath.Join(t.TempDir(), "data")
				tc := open(t, 3, func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = storage, dir })
				arrange(tc)
				if err := tc.Close(); err != nil {
					tc.fatal("Close: %v", err)
				}
				goleak.VerifyNone(t, ignore)
				for _, file := range openFiles(t) {
					if strings.HasPrefix(file, dir) {
						t.Errorf("%s is still open", file)
					}
				}
			})
		}
	}
}

// TestKilledProcessAnswersPendingFutures holds the trick that await relies on: raft
// itself would never answer these.
func TestKilledProcessAnswersPendingFutures(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	var answered atomic.Int64
	ask := func(name string, f func(r *raft.Raft) future) {
		p := tc.find(leader).running()
		tc.bubble.Go(func() {
			if err := p.awaitFuture(f(p.raft.Load())); err == nil && name == "apply" {
				t.Error("nothing is applied, but an apply has succeeded")
			}
			answered.Add(1)
		})
	}
	others := map[string]func(r *raft.Raft) future{
		"verify":   func(r *raft.Raft) future { return r.VerifyLeader() },
		"member":   func(r *raft.Raft) future { return r.AddVoter("n9", "n9", 0, 0) },
		"transfer": func(r *raft.Raft) future { return r.LeadershipTransfer() },
		"snapshot": func(r *raft.Raft) future { return r.Snapshot() },
		"barrier":  func(r *raft.Raft) future { return r.Barrier(0) },
	}
	tc.inBubble(func() { tc.find(leader).running().fsm.gate.close() })
	const applies = 50
	for range applies { // committed, and waiting for the counter
		tc.inBubble(func() {
			ask("apply", func(r *raft.Raft) future { return r.Apply([]byte{1, 2, 0, 0, 0}, 0) })
		})
		tc.pass(20 * time.Millisecond)
	}
	tc.inBubble(func() {
		for name, f := range others {
			ask(name, f)
		}
	})
	tc.pass(2 * time.Millisecond)
	tc.must(func() error { return tc.Kill(leader) })
	tc.pass(time.Millisecond)
	if got := answered.Load(); got != applies+int64(len(others)) {
		t.Errorf("%d of %d are answered", got, applies+len(others))
	}
}

func TestLateCrashDoesNotStopNewProcess(t *testing.T) {
	tc := open(t, 3)
	one := tc.followers()[0]
	n := tc.find(one)
	var first *process
	tc.inBubble(func() { first = n.running() })
	tc.must(func() error { return tc.Kill(one) })
	tc.must(func() error { return tc.Restart(one) })
	tc.must(func() error { return n.finishCrash(first, errors.New("late news")) })
	tc.expectProcess(one, trace.Up)
	tc.inBubble(func() { n.crash(errors.New("news")) })
	tc.expectProcess(one, trace.Crashed)
	if n := tc.nodeState(one); n.Why != "news" {
		t.Errorf("it crashed because of %q", n.Why)
	}
	tc.must(func() error { return tc.Restart(one) })
	tc.untilValue(0)
}

func TestDataDirectoryKeepsTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keep := func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = Bolt, dir }
	for round := range int64(3) {
		tc := open(t, 3, keep)
		for _, name := range tc.Names() {
			if n := tc.nodeState(name); round == 1 && n.LastIndex() == 0 {
				tc.fatal("%s starts with nothing", name)
			}
		}
		tc.expectOutcome(tc.add(2, RouteLeader), trace.OK, "")
		tc.untilValue(2 * (round + 1))
		if _, err := Open(Config{Dir: dir, Settings: DefaultSettings()}); !errors.Is(err, ErrBusy) {
			tc.fatal("a second one: %v", err)
		}
		if round == 1 {
			tc.must(func() error { return tc.Wipe("n2") }) // it is a node of the cluster still
		}
		if err := tc.Close(); err != nil {
			tc.fatal("Close: %v", err)
		}
		if _, err := Open(Config{Dir: dir, Nodes: 4, Settings: DefaultSettings()}); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "3 nodes") {
			tc.fatal("another size: %v", err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "raft.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("raft.db: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "snapshots")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("snapshots: %v, %v", info.Mode(), err)
	}
}
