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

func TestAnOrderThatTakesNoTimeIsDoneOnAPausedClock(t *testing.T) {
	w := open(t, 3)
	at := w.clock.Now()
	one := w.followers()[0]
	for _, order := range []struct {
		f    func(string) error
		want trace.ProcessState
	}{{w.Pause, trace.Paused}, {w.Resume, trace.Up}, {w.Kill, trace.Killed}, {w.Restart, trace.Up}, {w.PowerOff, trace.Off}, {w.Wipe, trace.Wiped}} {
		if err := w.Do("order", func() error { return order.f(one) }); err != nil {
			w.fatal("%v", err)
		}
		w.life(one, order.want)
	}
	if err := w.Do("cut", func() error { return w.Isolate("n1") }); err != nil || !w.stateOf().Isolated("n1") {
		w.fatal("error %v, cut off %t", err, w.stateOf().Isolated("n1"))
	}
	w.refused(w.Do("kill", func() error { return w.Kill("n9") }), "no node")
	if w.clock.Now() != at {
		w.fatal("%v passed", w.clock.Now()-at)
	}
}

func (w *world) stateOf() *trace.State {
	state := w.Trace().State()
	return &state
}

func TestAnOrderThatTakesTimeIsDoneLaterAndItsErrorIsToldThen(t *testing.T) {
	w := open(t, 3)
	follower := w.followers()[0]
	var op trace.Op
	if err := w.Do("increment", func() error { op = w.Add(1, RouteLeader); return nil }); err != nil || op.Outcome != trace.Pending {
		w.fatal("error %v, outcome %q before any time has passed", err, op.Outcome)
	}
	if err := w.Do("late", func() error { w.sleep(time.Second); return errors.New("no") }); err != nil {
		w.fatal("error %v before any time has passed", err)
	}
	w.pass(2 * time.Second)
	w.clockDo(func() {})
	w.wants(op, trace.OK, "")
	w.storySays("late: no")
	w.refused(w.Do("increment", func() error { return w.Transfer("n9") }), "no node")
	if op := w.add(1, follower); op.Outcome != trace.Failed {
		w.fatal("%+v", op)
	}
}

func TestAfterCloseAnOrderIsRefused(t *testing.T) {
	w := open(t, 3)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := w.Do("kill n1", func() error { ran = true; return nil }); !errors.Is(err, vtime.ErrClosed) || ran {
		t.Fatalf("error %v, ran %t", err, ran)
	}
}

// TestCloseAlwaysEndsAndLeavesNothing closes clusters in the worst of moments.
func TestCloseAlwaysEndsAndLeavesNothing(t *testing.T) {
	moments := map[string]func(w *world){
		"at once":    func(*world) {},
		"under load": func(w *world) { w.must(func() error { return w.Load(500, 50, RouteRandom) }); w.pass(time.Second) },
		"reads under way": func(w *world) {
			w.clockDo(func() {
				for _, level := range Levels {
					for _, name := range w.Names() {
						w.bubble.Go(func() { w.Read(level, name) })
					}
				}
			})
			w.pass(3 * time.Millisecond)
		},
		"disks stall": func(w *world) {
			for _, name := range w.Names() {
				w.setDisk(name, faults.Stall{})
			}
			w.clockDo(func() { w.bubble.Go(func() { w.Add(1, RouteLeader) }) })
			w.pass(10 * time.Second)
		},
		"all paused": func(w *world) {
			w.must(func() error { return w.Load(50, 5, RouteLeader) })
			for _, name := range w.Names() {
				w.must(func() error { return w.Pause(name) })
			}
			w.pass(3 * time.Second)
		},
		"starting from stalled disks": func(w *world) {
			for _, name := range w.Names() {
				w.must(func() error { return w.Kill(name) })
				w.setDisk(name, faults.Stall{})
				w.clockDo(func() { w.bubble.Go(func() { _ = w.Restart(name) }) })
			}
		},
		"disks fail": func(w *world) {
			for _, name := range w.Names() {
				w.setDisk(name, faults.Fail{})
			}
			w.clockDo(func() { w.bubble.Go(func() { w.Read(LevelLinearizable, RouteLeader) }) })
			w.pass(5 * time.Second)
		},
		"members change": func(w *world) {
			w.must(func() error { return w.Isolate("n1", "n2", "n3") })
			w.clockDo(func() {
				w.bubble.Go(func() { _ = w.AddNode("", true) })
				w.bubble.Go(func() { _ = w.RemoveNode("n2") })
				w.bubble.Go(func() { _ = w.Transfer("") })
				w.bubble.Go(func() { _ = w.Snapshot("n3") })
			})
			w.pass(20 * time.Millisecond)
		},
	}
	for name, arrange := range moments {
		for _, storage := range []string{Memory, Bolt} {
			t.Run(name+"/"+storage, func(t *testing.T) {
				ignore := goleak.IgnoreCurrent()
				dir := filepath.Join(t.TempDir(), "data")
				w := open(t, 3, func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = storage, dir })
				arrange(w)
				if err := w.Close(); err != nil {
					w.fatal("Close: %v", err)
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

// TestAFutureOfADeadProcessIsAnswered holds the trick that await relies on: raft
// itself would never answer these.
func TestAFutureOfADeadProcessIsAnswered(t *testing.T) {
	w := open(t, 3)
	leader := w.leaderName()
	var answered atomic.Int64
	ask := func(name string, f func(r *raft.Raft) future) {
		p := w.find(leader).running()
		w.bubble.Go(func() {
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
	w.clockDo(func() { w.find(leader).running().fsm.gate.close() })
	const applies = 50
	for range applies { // committed, and waiting for the counter
		w.clockDo(func() {
			ask("apply", func(r *raft.Raft) future { return r.Apply([]byte{1, 2, 0, 0, 0}, 0) })
		})
		w.pass(20 * time.Millisecond)
	}
	w.clockDo(func() {
		for name, f := range others {
			ask(name, f)
		}
	})
	w.pass(2 * time.Millisecond)
	w.must(func() error { return w.Kill(leader) })
	w.pass(time.Millisecond)
	if got := answered.Load(); got != applies+int64(len(others)) {
		t.Errorf("%d of %d are answered", got, applies+len(others))
	}
}

func TestACrashIsOfTheProcessThatMetTheFault(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	n := w.find(one)
	var first *process
	w.clockDo(func() { first = n.running() })
	w.must(func() error { return w.Kill(one) })
	w.must(func() error { return w.Restart(one) })
	w.must(func() error { return n.finishCrash(first, errors.New("late news")) })
	w.life(one, trace.Up)
	w.clockDo(func() { n.crash(errors.New("news")) })
	w.life(one, trace.Crashed)
	if n := w.at(one); n.Why != "news" {
		t.Errorf("it crashed because of %q", n.Why)
	}
	w.must(func() error { return w.Restart(one) })
	w.untilAll(0)
}

func TestADirectoryKeepsTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keep := func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = Bolt, dir }
	for round := range int64(3) {
		w := open(t, 3, keep)
		for _, name := range w.Names() {
			if n := w.at(name); round == 1 && n.LastIndex() == 0 {
				w.fatal("%s starts with nothing", name)
			}
		}
		w.wants(w.add(2, RouteLeader), trace.OK, "")
		w.untilAll(2 * (round + 1))
		if _, err := Open(Config{Dir: dir, Settings: DefaultSettings()}); !errors.Is(err, ErrBusy) {
			w.fatal("a second one: %v", err)
		}
		if round == 1 {
			w.must(func() error { return w.Wipe("n2") }) // it is a node of the cluster still
		}
		if err := w.Close(); err != nil {
			w.fatal("Close: %v", err)
		}
		if _, err := Open(Config{Dir: dir, Nodes: 4, Settings: DefaultSettings()}); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "3 nodes") {
			w.fatal("another size: %v", err)
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
