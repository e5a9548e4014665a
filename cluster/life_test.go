package cluster

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// storages runs a test on each kind of storage.
func storages(t *testing.T, f func(t *testing.T, change func(*Config))) {
	t.Helper()
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			f(t, func(cfg *Config) { cfg.Settings.Storage = storage })
		})
	}
}

// followers returns the running nodes that do not lead.
func (w *world) followers() (names []string) {
	w.t.Helper()
	leader := w.leaderName()
	w.Trace().Read(func(s *trace.State) {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process.Running() && n.ID != leader {
				names = append(names, n.ID)
			}
		}
	})
	return names
}

// at returns a copy of what is known of a node.
func (w *world) at(name string) *trace.Node {
	w.t.Helper()
	state := w.Trace().State()
	n := state.Node(name)
	if n == nil {
		w.fatal("there never was a node %s", name)
	}
	return n
}

// refused wants an order to be refused with all the words.
func (w *world) refused(err error, words ...string) {
	w.t.Helper()
	if err == nil {
		w.fatal("done, want an error with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.t.Errorf("error %q does not say %q", err, word)
		}
	}
}

func (w *world) life(name string, want trace.ProcessState) {
	w.t.Helper()
	if got := w.at(name).Process; got != want {
		w.fatal("%s is %s, want %s", name, got, want)
	}
}

// setDisk sets a disk fault and wants it to be set.
func (w *world) setDisk(name string, fault faults.DiskFault) {
	w.t.Helper()
	w.must(func() error { return w.SetDisk(name, fault) })
}

func TestAKilledNodeKeepsWhatItWrote(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		one := w.followers()[0]
		w.setDisk(one, faults.Lie{}) // the page cache survives a kill, also with a disk that lies
		w.add(7, RouteLeader)
		w.untilAll(7)
		before := w.at(one)
		w.must(func() error { return w.Kill(one) })
		w.life(one, trace.Killed)
		w.must(func() error { return w.Isolate(one) })
		w.must(func() error { return w.Restart(one) })
		after := w.at(one)
		if after.LastIndex() != before.LastIndex() || after.Term < before.Term {
			w.fatal("the log ends at %d in term %d, before the kill at %d in term %d", after.LastIndex(), after.Term, before.LastIndex(), before.Term)
		}
	})
}

func TestAnHonestDiskLosesNothingWithThePower(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		w.add(7, RouteLeader)
		w.untilAll(7)
		last := w.at("n1").LastIndex()
		for _, name := range w.Names() {
			w.must(func() error { return w.PowerOff(name) })
			w.life(name, trace.Off)
		}
		for _, name := range w.Names() {
			w.must(func() error { return w.Restart(name) })
			if got := w.at(name).LastIndex(); got < last {
				t.Errorf("%s comes back with entries up to %d of %d", name, got, last)
			}
		}
		w.untilAll(7)
	})
}

func TestALyingDiskLosesItsTailWithThePower(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		one := w.followers()[0]
		w.add(1, RouteLeader)
		w.untilAll(1)
		before := w.at(one).LastIndex()
		w.setDisk(one, faults.Lie{})
		w.add(2, RouteLeader)
		w.untilAll(3)
		w.must(func() error { return w.PowerOff(one) })
		w.must(func() error { return w.Isolate(one) })
		w.must(func() error { return w.Restart(one) })
		if got := w.at(one).LastIndex(); got != before {
			w.fatal("its log ends at %d, want what was stored before the lie: %d", got, before)
		}
		w.must(w.Heal)
		w.untilAll(3)
	})
}

func TestPowerLossAfterAKillLosesWhatTheDiskHeldBack(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	before := w.at(one).LastIndex()
	w.setDisk(one, faults.Lie{})
	w.add(2, RouteLeader)
	w.untilAll(2)
	w.must(func() error { return w.Kill(one) })
	w.must(func() error { return w.PowerOff(one) })
	w.must(func() error { return w.Isolate(one) })
	w.must(func() error { return w.Restart(one) })
	if got := w.at(one).LastIndex(); got != before {
		w.fatal("its log ends at %d, want %d", got, before)
	}
}

func TestWhenAMajorityLiesAnAcknowledgedIncrementCanVanish(t *testing.T) {
	w := open(t, 3)
	liars := w.followers()
	leader := w.leaderName()
	for _, name := range liars {
		w.setDisk(name, faults.Lie{})
	}
	if op := w.add(5, RouteLeader); op.Outcome != trace.OK {
		w.fatal("increment: %+v", op)
	}
	w.untilAll(5)
	w.must(func() error { return w.PowerOff(leader) })
	for _, name := range liars {
		w.must(func() error { return w.PowerOff(name) })
	}
	for _, name := range liars {
		w.must(func() error { return w.Restart(name) })
	}
	w.untilAll(0)
	w.must(func() error { return w.Restart(leader) })
	w.untilAll(0)
}

func TestAPausedNodeWaitsAndThenMeetsAFlood(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	w.must(func() error { return w.Pause(one) })
	w.add(3, RouteLeader)
	w.pass(5 * time.Second)
	if n := w.at(one); n.Value != 0 || n.Process != trace.Paused {
		w.fatal("while paused it is %s and shows %d", n.Process, n.Value)
	}
	waiting := func() (held int) {
		w.Trace().Read(func(s *trace.State) {
			for _, f := range s.PacketsInFlight() {
				if f.Held && (f.To == one || f.From == one) {
					held++
				}
			}
		})
		return held
	}
	held, before := waiting(), w.Trace().State().Traffic
	w.must(func() error { return w.Resume(one) })
	w.pass(time.Millisecond)
	after := w.Trace().State().Traffic
	// Answers to calls that are over by now are lost on arrival.
	flood := int(after.Delivered + after.Lost - before.Delivered - before.Lost)
	if held < 5 || waiting() > 0 || flood < held {
		w.fatal("%d packets waited, %d arrived in a millisecond, %d still wait", held, flood, waiting())
	}
	w.untilAll(3)
}

func TestAPausedLeaderIsReplacedAndFollowsAfterwards(t *testing.T) {
	w := open(t, 3)
	old := w.leaderName()
	w.must(func() error { return w.Pause(old) })
	w.until("another leads", func(s *trace.State) bool {
		return s.LeaderNode() != nil && s.LeaderNode().ID != old && s.HasLeader()
	})
	w.add(4, RouteLeader)
	w.must(func() error { return w.Resume(old) })
	w.untilAll(4)
	if got := w.at(old).Role; got != trace.Follower {
		w.fatal("%s is a %s after its pause", old, got)
	}
}

func TestAPausedNodeCanBeKilled(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		for _, end := range []func(string) error{w.Kill, w.PowerOff, w.Wipe} {
			name := w.leaderName()
			w.must(func() error { return w.Pause(name) })
			w.pass(300 * time.Millisecond)
			w.must(func() error { return end(name) })
			w.must(func() error { return w.Restart(name) })
			w.until("it takes part again", func(s *trace.State) bool {
				return s.HasLeader() && s.Node(name).LastIndex() == s.LeaderNode().LastIndex()
			})
		}
	})
}

func TestAWipedNodeForgetsEverythingAndCatchesUp(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		w.add(6, RouteLeader)
		w.untilAll(6)
		one := w.followers()[0]
		w.setDisk(one, faults.Slow{Latency: time.Millisecond})
		w.must(func() error { return w.Wipe(one) })
		if n := w.at(one); n.Process != trace.Wiped || n.LastIndex() != 0 || n.Term != 0 || n.Vote != "" || n.DiskFault != "" {
			w.fatal("after the wipe: %+v", n)
		}
		w.must(func() error { return w.Wipe(one) }) // harmless
		w.must(func() error { return w.Restart(one) })
		w.untilAll(6)
		w.crossCheck()
	})
}

func TestALifeThatDoesNotAllowAnOrderIsAClearError(t *testing.T) {
	w := open(t, 3)
	w.refused(w.do(func() error { return w.Restart("n1") }), "restart n1", "it is up", "kill it first")
	w.refused(w.do(func() error { return w.Resume("n1") }), "resume n1", "it is up")
	w.refused(w.do(func() error { return w.Kill("n9") }), `no node "n9"`, "n1, n2, n3")
	w.must(func() error { return w.Pause("n1") })
	w.refused(w.do(func() error { return w.Pause("n1") }), "pause n1", "resume it first")
	w.must(func() error { return w.Kill("n1") })
	for _, order := range []func(string) error{w.Kill, w.Pause, w.Resume, w.Snapshot} {
		w.refused(w.do(func() error { return order("n1") }), "n1", "it is killed", "restart it first")
	}
	w.must(func() error { return w.PowerOff("n1") })
	w.refused(w.do(func() error { return w.PowerOff("n1") }), "power off n1", "it is off")
	w.must(func() error { return w.Restart("n1") })
	w.life("n1", trace.Up)
}

func TestRestartRightAfterKillWorks(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		w.must(func() error { return w.Load(50, 5, RouteLeader) })
		for range 30 {
			name := w.leaderName()
			w.must(func() error {
				if err := w.Kill(name); err != nil {
					return err
				}
				return w.Restart(name)
			})
			w.life(name, trace.Up)
			w.pass(50 * time.Millisecond)
			w.until("someone leads", func(s *trace.State) bool { return s.HasLeader() })
		}
		w.must(func() error { w.StopLoad(); return nil })
		w.until("all agree", converged)
		w.crossCheck()
	})
}

func TestANodeThatStartsFromAStalledDiskCanBeEnded(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		one := w.followers()[0]
		for _, end := range []func(string) error{w.Kill, w.PowerOff, w.Wipe} {
			w.must(func() error { return w.Kill(one) })
			w.setDisk(one, faults.Stall{})
			w.clockDo(func() { w.bubble.Go(func() { _ = w.Restart(one) }) })
			w.pass(3 * time.Second)
			w.life(one, trace.Up)
			w.refused(w.do(func() error { return w.Snapshot(one) }), "still starting")
			w.must(func() error { return end(one) })
			w.setDisk(one, nil)
			w.must(func() error { return w.Restart(one) })
			w.life(one, trace.Up)
		}
		w.untilAll(0)
	})
}

func (w *world) clockDo(f func()) {
	w.t.Helper()
	if err := w.clock.Do(f); err != nil {
		w.t.Fatal(err)
	}
}
