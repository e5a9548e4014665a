package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// voting returns the voters in the leader's configuration, and its other members.
func voting(s *trace.State) (voters, others []string) {
	leader := s.LeaderNode()
	if leader == nil {
		return nil, nil
	}
	for _, server := range leader.Servers {
		if server.Voter {
			voters = append(voters, server.ID)
		} else {
			others = append(others, server.ID)
		}
	}
	return voters, others
}

// members wants the leader to know these voters and other members; what it does
// last is seen at the next poll.
func (w *world) members(wantVoters, wantOthers string) {
	w.t.Helper()
	w.until("voters "+wantVoters+", others "+wantOthers, func(s *trace.State) bool {
		voters, others := voting(s)
		return strings.Join(voters, " ") == wantVoters && strings.Join(others, " ") == wantOthers
	})
}

func TestANewVoterCatchesUpAndVotes(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		w.add(5, RouteLeader)
		w.must(func() error { return w.AddNode("", true) })
		w.members("n1 n2 n3 n4", "")
		w.untilAll(5)
		w.must(func() error { return w.AddNode("zoe", true) })
		w.members("n1 n2 n3 n4 zoe", "")
		for _, name := range w.followers()[:2] {
			w.must(func() error { return w.Kill(name) })
		}
		if op := w.add(1, RouteLeader); op.Outcome != trace.OK {
			w.fatal("three of five: %+v", op)
		}
		w.untilAll(6)
		w.crossCheck()
	})
}

func TestANonVoterFollowsButDoesNotCount(t *testing.T) {
	w := open(t, 3)
	w.must(func() error { return w.AddNode("n4", false) })
	w.must(func() error { return w.AddNode("n5", false) })
	w.members("n1 n2 n3", "n4 n5")
	w.add(3, RouteLeader)
	w.untilAll(3)
	for _, name := range w.followers() {
		if name == "n4" || name == "n5" {
			continue
		}
		w.must(func() error { return w.Kill(name) })
	}
	w.until("the leader has lost its quorum", func(s *trace.State) bool { return !s.HasLeader() })
	if got := w.Trace().State(); got.LeaderProblem() != "1 of 3 voters up, 2 needed" {
		t.Errorf("no leader because %q", got.LeaderProblem())
	}
}

func TestPromoteAndDemote(t *testing.T) {
	w := open(t, 3)
	w.must(func() error { return w.AddNode("n4", false) })
	w.must(func() error { return w.Promote("n4") })
	w.members("n1 n2 n3 n4", "")
	follower := w.followers()[0]
	w.must(func() error { return w.Demote(follower) })
	w.until("it is a non-voter", func(s *trace.State) bool {
		_, others := voting(s)
		return slices.Equal(others, []string{follower})
	})
	w.refused(w.do(func() error { return w.Transfer(follower) }), follower, "not a voter")
	w.must(func() error { return w.Promote(follower) })
	w.members("n1 n2 n3 n4", "")
	w.refused(w.do(func() error { return w.Promote("n9") }), `no node "n9"`)
	w.refused(w.do(func() error { return w.Demote("n9") }), `no node "n9"`)
}

func TestADemotedLeaderStepsDown(t *testing.T) {
	w := open(t, 3)
	old := w.leaderName()
	w.must(func() error { return w.Demote(old) })
	w.until("another leads", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != old })
	w.add(1, RouteLeader)
	w.untilAll(1)
	w.storySays(old + " steps down: it is no longer a voter")
}

// storySays wants a line of the story.
func (w *world) storySays(want string) {
	w.t.Helper()
	state := w.Trace().State()
	if !slices.ContainsFunc(state.Story, func(l trace.StoryLine) bool { return l.Text == want }) {
		w.fatal("the story does not say %q", want)
	}
}

func TestARemovedNodeIsGone(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		for _, who := range []string{"follower", "leader", "dead", "paused", "non-voter"} {
			w := open(t, 4, change)
			name := w.followers()[0]
			switch who {
			case "leader":
				name = w.leaderName()
			case "dead":
				w.must(func() error { return w.Kill(name) })
			case "paused":
				w.must(func() error { return w.Pause(name) })
			case "non-voter":
				w.must(func() error { return w.Demote(name) })
			}
			w.must(func() error { return w.Isolate(w.followers()[1]) })
			w.must(w.Heal)
			w.must(func() error { return w.RemoveNode(name) })
			w.life(name, trace.Removed)
			w.until("the others know", func(s *trace.State) bool { return s.HasLeader() && len(s.Voters()) == 3 })
			if slices.Contains(w.Names(), name) {
				t.Errorf("%s: it is still there", who)
			}
			w.add(1, RouteLeader)
			w.refused(w.do(func() error { return w.Restart(name) }), "no node")
			// Its name is free again, and what gets it starts with nothing.
			w.must(func() error { return w.AddNode(name, true) })
			w.until("all agree", converged)
			w.crossCheck()
		}
	})
}

func TestTheLastVoterStays(t *testing.T) {
	w := open(t, 2)
	w.must(func() error { return w.Demote(w.followers()[0]) })
	last := w.leaderName()
	w.refused(w.do(func() error { return w.RemoveNode(last) }), "last voter", last)
	w.refused(w.do(func() error { return w.Demote(last) }), "last voter", last)
	w.must(func() error { return w.RemoveNode(w.followers()[0]) })
	w.add(1, RouteLeader)
	w.untilAll(1)
}

func TestANameMustBeFreeAndMeanANode(t *testing.T) {
	w := open(t, 2)
	for name, word := range map[string]string{
		"n1": "already", "a b": "letters", "../n1": "letters", "leader": "reserved", "all": "reserved", "é": "letters",
		"abcdefghijklmnopqrstuvwxyz0123456": "1 to 32",
	} {
		w.refused(w.do(func() error { return w.AddNode(name, true) }), name, word)
	}
	if got := w.Names(); len(got) != 2 {
		t.Errorf("nodes %v", got)
	}
}

func TestOnlyOneOfTwoNodesOfOneNameIsAdded(t *testing.T) {
	w := open(t, 3, func(cfg *Config) { cfg.Settings.Fsync = 5 * time.Millisecond })
	errs := make(chan error, 2)
	w.clockDo(func() {
		for range 2 {
			w.bubble.Go(func() { errs <- w.AddNode("n4", true) })
		}
	})
	w.pass(5 * time.Second)
	if a, b := <-errs, <-errs; (a == nil) == (b == nil) {
		w.fatal("one is added and one refused, but: %v and %v", a, b)
	}
	w.members("n1 n2 n3 n4", "")
}

func TestWithoutALeaderANodeIsNotAdded(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		for _, name := range w.Names()[:2] {
			w.must(func() error { return w.Kill(name) })
		}
		w.pass(5 * time.Second)
		before := w.clock.Now()
		w.refused(w.do(func() error { return w.AddNode("n4", true) }), "cannot add n4", "there is no leader")
		if took := w.clock.Now() - before; took > w.settings.ClientTimeout+retryEvery {
			t.Errorf("that took %v", took)
		}
		if got := w.Names(); len(got) != 3 {
			w.fatal("nodes %v: n4 should be gone", got)
		}
		w.life("n4", trace.Removed)
	})
}

func TestTransferHandsLeadershipOver(t *testing.T) {
	w := open(t, 5)
	for range 5 {
		to := w.followers()[1]
		w.must(func() error { return w.Transfer(to) })
		w.until("it leads", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID == to })
		w.must(func() error { return w.Transfer(to) }) // nothing to do
		if got := w.leaderName(); got != to {
			w.fatal("%s leads, want %s", got, to)
		}
		w.pass(time.Second)
	}
	old := w.leaderName()
	w.must(func() error { return w.Transfer("") })
	w.until("another leads", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != old })
	w.pass(time.Second)

	dead := w.followers()[0]
	w.must(func() error { return w.Kill(dead) })
	w.refused(w.do(func() error { return w.Transfer(dead) }), dead, "it is killed")
	w.refused(w.do(func() error { return w.Transfer("n9") }), `no node "n9"`)
	w.storySays(fmt.Sprintf("%s hands leadership to %s, which starts an election at once", old, w.leaderName()))
}

func TestTransferToANodeThatCannotBeReachedFailsInTime(t *testing.T) {
	w := open(t, 3)
	to := w.followers()[0]
	w.must(func() error { return w.Isolate(to) })
	before := w.clock.Now()
	w.refused(w.do(func() error { return w.Transfer(to) }), "transfer leadership to "+to)
	if took := w.clock.Now() - before; took > w.settings.ClientTimeout+retryEvery {
		t.Errorf("that took %v", took)
	}
	w.add(1, RouteLeader)
}

func TestASnapshotIsTakenWhenThereIsSomethingNew(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		one := w.followers()[0]
		w.add(3, RouteLeader)
		w.untilAll(3)
		w.must(func() error { return w.Snapshot(one) })
		if n := w.at(one); n.SnapshotIndex != n.Applied {
			w.fatal("the snapshot covers %d of %d", n.SnapshotIndex, n.Applied)
		}
		w.must(func() error { return w.Kill(one) })
		w.must(func() error { return w.Restart(one) })
		w.refused(w.do(func() error { return w.Snapshot(one) }), "snapshot of "+one, "nothing new")
		w.refused(w.do(func() error { return w.Snapshot("n9") }), `no node "n9"`)
		w.untilAll(3)
		w.crossCheck()
	})
}

func TestASnapshotOnAStalledDiskEndsInTime(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	w.add(3, RouteLeader)
	w.untilAll(3)
	w.must(func() error { return w.Pause(one) })
	for range 3 { // the second one finds the first one under way
		before := w.clock.Now()
		w.refused(w.do(func() error { return w.Snapshot(one) }), "no reply in time")
		if took := w.clock.Now() - before; took > w.settings.ClientTimeout+retryEvery {
			t.Errorf("that took %v", took)
		}
	}
}

func TestAFollowerFarBehindGetsASnapshot(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change, func(cfg *Config) { cfg.Settings.TrailingLogs = 2 })
		one := w.followers()[0]
		w.must(func() error { return w.Isolate(one) })
		for range 20 {
			w.add(1, RouteLeader)
		}
		leader := w.leaderName()
		w.must(func() error { return w.Snapshot(leader) })
		if n := w.at(leader); n.First <= w.at(one).LastIndex()+1 {
			w.fatal("the leader still has entry %d", n.First)
		}
		w.must(w.Heal)
		w.untilAll(20)
		if n := w.at(one); n.SnapshotIndex == 0 {
			w.fatal("it got no snapshot")
		}
		w.pass(time.Second)
		w.crossCheck()
		w.must(func() error { return w.Kill(one) })
		w.must(func() error { return w.Restart(one) })
		w.untilAll(20)
		w.crossCheck()
	})
}

func TestTwoOfFiveCanBecomeTheCluster(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 5, change)
		w.add(4, RouteLeader)
		w.untilAll(4)
		for _, name := range []string{"n3", "n4", "n5"} {
			w.must(func() error { return w.PowerOff(name) })
		}
		w.pass(3 * time.Second)
		if state := w.Trace().State(); state.HasLeader() {
			w.fatal("two of five have a leader")
		}
		w.refused(w.do(func() error { return w.Recover() }), "no node is named")
		w.refused(w.do(func() error { return w.Recover("n1", "n9") }), `no node "n9"`)
		w.must(func() error { return w.Recover("n1", "n2", "n1") })
		w.until("they elect", func(s *trace.State) bool { return s.HasLeader() })
		w.members("n1 n2", "")
		w.add(1, RouteLeader)
		w.untilAll(5)
		w.crossCheck()
		w.must(func() error { return w.RemoveNode("n5") })
		w.must(func() error { return w.AddNode("n5", true) })
		w.untilAll(5)
	})
}
