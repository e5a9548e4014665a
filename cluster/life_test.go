package cluster

import (
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestKilledNodeKeepsItsLog(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		follower := tc.followers()[0]
		tc.setDisk(follower, faults.Lie{}) // the page cache survives a kill, even on a lying disk
		tc.add(7, RouteLeader)
		tc.untilValue(7)
		before := tc.nodeState(follower)
		tc.must(func() error { return tc.Kill(follower) })
		tc.expectProcess(follower, trace.Killed)
		tc.must(func() error { return tc.Isolate(follower) })
		tc.must(func() error { return tc.Restart(follower) })
		after := tc.nodeState(follower)
		if after.LastIndex() != before.LastIndex() || after.Term < before.Term {
			tc.fatal("after the kill: got last index %d, term %d; want last index %d, term at least %d",
				after.LastIndex(), after.Term, before.LastIndex(), before.Term)
		}
	})
}

func TestHealthyDiskSurvivesPowerLoss(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		tc.add(7, RouteLeader)
		tc.untilValue(7)
		last := tc.nodeState("n1").LastIndex()
		for _, name := range tc.Names() {
			tc.must(func() error { return tc.PowerOff(name) })
			tc.expectProcess(name, trace.Off)
		}
		for _, name := range tc.Names() {
			tc.must(func() error { return tc.Restart(name) })
			if got := tc.nodeState(name).LastIndex(); got < last {
				t.Errorf("%s: got last index %d after the restart, want at least %d", name, got, last)
			}
		}
		tc.untilValue(7)
	})
}

func TestLyingDiskLosesUnsyncedEntriesOnPowerLoss(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		follower := tc.followers()[0]
		tc.add(1, RouteLeader)
		tc.untilValue(1)
		before := tc.nodeState(follower).LastIndex()
		tc.setDisk(follower, faults.Lie{})
		tc.add(2, RouteLeader)
		tc.untilValue(3)
		tc.must(func() error { return tc.PowerOff(follower) })
		tc.must(func() error { return tc.Isolate(follower) })
		tc.must(func() error { return tc.Restart(follower) })
		if got := tc.nodeState(follower).LastIndex(); got != before {
			tc.fatal("got last index %d, want %d, the last entry synced before the disk lied", got, before)
		}
		tc.must(tc.Heal)
		tc.untilValue(3)
	})
}

func TestPowerLossAfterKillLosesUnsyncedEntries(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	before := tc.nodeState(follower).LastIndex()
	tc.setDisk(follower, faults.Lie{})
	tc.add(2, RouteLeader)
	tc.untilValue(2)
	tc.must(func() error { return tc.Kill(follower) })
	tc.must(func() error { return tc.PowerOff(follower) })
	tc.must(func() error { return tc.Isolate(follower) })
	tc.must(func() error { return tc.Restart(follower) })
	if got := tc.nodeState(follower).LastIndex(); got != before {
		tc.fatal("got last index %d, want %d", got, before)
	}
}

func TestLyingMajorityCanLoseAcknowledgedIncrement(t *testing.T) {
	tc := open(t, 3)
	liars := tc.followers()
	leader := tc.leaderName()
	for _, name := range liars {
		tc.setDisk(name, faults.Lie{})
	}
	if op := tc.add(5, RouteLeader); op.Outcome != trace.OK {
		tc.fatal("increment: got %+v, want outcome %s", op, trace.OK)
	}
	tc.untilValue(5)
	tc.must(func() error { return tc.PowerOff(leader) })
	for _, name := range liars {
		tc.must(func() error { return tc.PowerOff(name) })
	}
	for _, name := range liars {
		tc.must(func() error { return tc.Restart(name) })
	}
	tc.untilValue(0)
	tc.must(func() error { return tc.Restart(leader) })
	tc.untilValue(0)
}

func TestPausedNodeReceivesHeldPacketsOnResume(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	tc.must(func() error { return tc.Pause(follower) })
	tc.add(3, RouteLeader)
	tc.pass(5 * time.Second)
	if n := tc.nodeState(follower); n.Value != 0 || n.Process != trace.Paused {
		tc.fatal("while paused: got process %s, value %d; want %s, value 0", n.Process, n.Value, trace.Paused)
	}
	stillHeld := func() (held int) {
		tc.Trace().Read(func(s *trace.State) {
			for _, f := range s.PacketsInFlight() {
				if f.Held && (f.To == follower || f.From == follower) {
					held++
				}
			}
		})
		return held
	}
	held, before := stillHeld(), tc.Trace().State().Traffic
	tc.must(func() error { return tc.Resume(follower) })
	tc.pass(time.Millisecond)
	after := tc.Trace().State().Traffic
	// Replies to calls that have already timed out count as lost.
	arrived := int(after.Delivered + after.Lost - before.Delivered - before.Lost)
	if held < 5 || stillHeld() > 0 || arrived < held {
		tc.fatal("got %d held packets, %d arrived within 1ms of resuming, %d still held; want at least 5, all of them, 0",
			held, arrived, stillHeld())
	}
	tc.untilValue(3)
}

func TestPausedLeaderIsReplacedAndResumesAsFollower(t *testing.T) {
	tc := open(t, 3)
	old := tc.leaderName()
	tc.must(func() error { return tc.Pause(old) })
	tc.until("another node leads", func(s *trace.State) bool {
		return s.LeaderNode() != nil && s.LeaderNode().ID != old && s.HasLeader()
	})
	tc.add(4, RouteLeader)
	tc.must(func() error { return tc.Resume(old) })
	tc.untilValue(4)
	if got := tc.nodeState(old).Role; got != trace.Follower {
		tc.fatal("%s: got role %s after its pause, want %s", old, got, trace.Follower)
	}
}

func TestPausedNodeCanBeStopped(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		for _, stop := range []func(string) error{tc.Kill, tc.PowerOff, tc.Wipe} {
			name := tc.leaderName()
			tc.must(func() error { return tc.Pause(name) })
			tc.pass(300 * time.Millisecond)
			tc.must(func() error { return stop(name) })
			tc.must(func() error { return tc.Restart(name) })
			tc.until(name+" has caught up with the leader", func(s *trace.State) bool {
				return s.HasLeader() && s.Node(name).LastIndex() == s.LeaderNode().LastIndex()
			})
		}
	})
}

func TestWipedNodeStartsEmptyAndCatchesUp(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		tc.add(6, RouteLeader)
		tc.untilValue(6)
		follower := tc.followers()[0]
		tc.setDisk(follower, faults.Slow{Latency: time.Millisecond})
		tc.must(func() error { return tc.Wipe(follower) })
		n := tc.nodeState(follower)
		if n.Process != trace.Wiped || n.LastIndex() != 0 || n.Term != 0 || n.Vote != "" || n.DiskFault != "" {
			tc.fatal("after the wipe: got %+v, want a wiped node with an empty, healthy disk", n)
		}
		tc.must(func() error { return tc.Wipe(follower) }) // wiping twice is allowed
		tc.must(func() error { return tc.Restart(follower) })
		tc.untilValue(6)
		tc.crossCheck()
	})
}

func TestCommandInWrongProcessStateIsRefused(t *testing.T) {
	tc := open(t, 3)
	tc.expectRefused(tc.do(func() error { return tc.Restart("n1") }), "restart n1", "it is up", "kill it first")
	tc.expectRefused(tc.do(func() error { return tc.Resume("n1") }), "resume n1", "it is up")
	tc.expectRefused(tc.do(func() error { return tc.Kill("n9") }), `no node "n9"`, "n1, n2, n3")
	tc.must(func() error { return tc.Pause("n1") })
	tc.expectRefused(tc.do(func() error { return tc.Pause("n1") }), "pause n1", "resume it first")
	tc.must(func() error { return tc.Kill("n1") })
	for _, command := range []func(string) error{tc.Kill, tc.Pause, tc.Resume, tc.Snapshot} {
		tc.expectRefused(tc.do(func() error { return command("n1") }), "n1", "it is killed", "restart it first")
	}
	tc.must(func() error { return tc.PowerOff("n1") })
	tc.expectRefused(tc.do(func() error { return tc.PowerOff("n1") }), "power off n1", "it is off")
	tc.must(func() error { return tc.Restart("n1") })
	tc.expectProcess("n1", trace.Up)
}

func TestRestartImmediatelyAfterKillWorks(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		tc.must(func() error { return tc.Load(50, 5, RouteLeader) })
		for range 30 {
			name := tc.leaderName()
			tc.must(func() error {
				if err := tc.Kill(name); err != nil {
					return err
				}
				return tc.Restart(name)
			})
			tc.expectProcess(name, trace.Up)
			tc.pass(50 * time.Millisecond)
			tc.until("a node leads", func(s *trace.State) bool { return s.HasLeader() })
		}
		tc.must(func() error { tc.StopLoad(); return nil })
		tc.until("all nodes agree", converged)
		tc.crossCheck()
	})
}

func TestNodeStartingFromStalledDiskCanBeStopped(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		follower := tc.followers()[0]
		for _, stop := range []func(string) error{tc.Kill, tc.PowerOff, tc.Wipe} {
			tc.must(func() error { return tc.Kill(follower) })
			tc.setDisk(follower, faults.Stall{})
			tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Restart(follower) }) })
			tc.pass(3 * time.Second)
			tc.expectProcess(follower, trace.Up)
			tc.expectRefused(tc.do(func() error { return tc.Snapshot(follower) }), "still starting")
			tc.must(func() error { return stop(follower) })
			tc.setDisk(follower, nil)
			tc.must(func() error { return tc.Restart(follower) })
			tc.expectProcess(follower, trace.Up)
		}
		tc.untilValue(0)
	})
}
