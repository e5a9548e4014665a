package cluster

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"

	"go.uber.org/goleak"
)

func TestInstantCommandCompletesOnPausedClock(t *testing.T) {
	tc := open(t, 3)
	at := tc.clock.Now()
	follower := tc.followers()[0]
	for _, command := range []struct {
		f    func(string) error
		want trace.ProcessState
	}{
		{tc.Pause, trace.Paused},
		{tc.Resume, trace.Up},
		{tc.Kill, trace.Killed},
		{tc.Restart, trace.Up},
		{tc.PowerOff, trace.Off},
		{tc.Wipe, trace.Wiped},
	} {
		if err := tc.Do("command", func() error { return command.f(follower) }); err != nil {
			tc.fatal("%v", err)
		}
		tc.expectProcess(follower, command.want)
	}
	if err := tc.Do("isolate", func() error { return tc.Isolate("n1") }); err != nil || !tc.state().Isolated("n1") {
		tc.fatal("isolate n1: got error %v, isolated %t; want no error, isolated true", err, tc.state().Isolated("n1"))
	}
	tc.expectRefused(tc.Do("kill", func() error { return tc.Kill("n9") }), "no node")
	if tc.clock.Now() != at {
		tc.fatal("%v of virtual time passed, want none", tc.clock.Now()-at)
	}
}

func TestSlowCommandReportsItsErrorLater(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	var op trace.Op
	err := tc.Do("increment", func() error { op = tc.Add(1, RouteLeader); return nil })
	if err != nil || op.Outcome != trace.Pending {
		tc.fatal("before any time passes: got error %v, outcome %q; want no error, outcome %q",
			err, op.Outcome, trace.Pending)
	}
	if err := tc.Do("late", func() error { tc.Sleep(time.Second); return errors.New("no") }); err != nil {
		tc.fatal("before any time passes: got error %v, want none", err)
	}
	tc.pass(2 * time.Second)
	tc.inBubble(func() {})
	tc.expectOutcome(op, trace.OK, "")
	tc.expectStory("late: no")
	tc.expectRefused(tc.Do("increment", func() error { return tc.Transfer("n9") }), "no node")
	if op := tc.add(1, follower); op.Outcome != trace.Failed {
		tc.fatal("increment on a follower: got %+v, want outcome %s", op, trace.Failed)
	}
}

func TestCommandAfterCloseIsRefused(t *testing.T) {
	tc := open(t, 3)
	if err := tc.Close(); err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := tc.Do("kill n1", func() error { ran = true; return nil }); !errors.Is(err, vtime.ErrClosed) || ran {
		t.Fatalf("got error %v, ran %t; want %v, ran false", err, ran, vtime.ErrClosed)
	}
}

// TestCloseReturnsAndLeaksNothing closes clusters at awkward moments: Close returns and
// leaves no goroutine and no open file.
func TestCloseReturnsAndLeaksNothing(t *testing.T) {
	moments := map[string]func(tc *testCluster){
		"right after start": func(*testCluster) {},
		"under load": func(tc *testCluster) {
			tc.must(func() error { return tc.Load(500, 50, RouteRandom) })
			tc.pass(time.Second)
		},
		"reads in flight": func(tc *testCluster) {
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
						t.Errorf("%s is still open after Close, want it closed", file)
					}
				}
			})
		}
	}
}
