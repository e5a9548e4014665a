package cluster

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// story returns the lines of the story that contain a text.
func (tc *testCluster) story(text string) (lines []string) {
	for _, line := range tc.Trace().State().Story {
		if strings.Contains(line.Text, text) {
			lines = append(lines, line.Text)
		}
	}
	return lines
}

// TestAVoteGivenTwiceToOneCandidateIsNotDenied duplicates every vote request and reply: raft
// grants the second request of a candidate that already has the vote.
func TestAVoteGivenTwiceToOneCandidateIsNotDenied(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.PreVote = false })
	leader := tc.leaderName()
	others := tc.followers()
	for _, from := range others {
		for _, to := range others {
			if from != to {
				tc.must(func() error { return tc.SetLink(from, to, faults.Duplicate{Percent: 100}) })
			}
		}
	}
	tc.must(func() error { return tc.Kill(leader) })
	tc.until("another leader", func(s *trace.State) bool { return s.HasLeader() })
	tc.pass(time.Second)
	for _, line := range tc.story("denies") {
		if strings.Contains(line, "it voted for") {
			words := strings.Fields(line)
			if strings.Contains(line, "it voted for "+words[2]+" ") {
				t.Errorf("%q: it granted that vote", line)
			}
		}
	}
}

// TestPausedLeaderKeepsItsRoleUntilItResumes pauses a leader until another one leads.
func TestPausedLeaderKeepsItsRoleUntilItResumes(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	tc.must(func() error { return tc.Pause(leader) })
	tc.until("another leader", func(s *trace.State) bool { l := s.LeaderNode(); return l != nil && l.ID != leader })
	tc.pass(10 * time.Second)
	if got := tc.nodeState(leader).Role; got != trace.Leader {
		t.Errorf("paused, it is %s, want leader: a stopped process does nothing", got)
	}
	if lines := tc.story(leader + " steps down"); len(lines) > 0 {
		t.Errorf("told while it is paused: %q", lines)
	}
	tc.must(func() error { return tc.Resume(leader) })
	tc.pass(time.Second)
	if got := tc.nodeState(leader).Role; got != trace.Follower {
		t.Errorf("resumed, it is %s, want follower", got)
	}
	want := fmt.Sprintf("%s steps down: lost contact with its quorum for 500ms (heard from 1 of 3)", leader)
	if lines := tc.story(leader + " steps down"); len(lines) != 1 || lines[0] != want {
		t.Errorf("told %q, want %q once", lines, want)
	}
}

// TestKilledWhilePausedTellsNothingOfThePause kills a paused leader, which has done nothing since.
func TestKilledWhilePausedTellsNothingOfThePause(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	tc.must(func() error { return tc.Pause(leader) })
	tc.pass(5 * time.Second)
	tc.must(func() error { return tc.Kill(leader) })
	tc.must(func() error { return tc.Restart(leader) })
	tc.pass(time.Second)
	if lines := tc.story(leader + " steps down"); len(lines) > 0 {
		t.Errorf("told %q of a process that was stopped until it died", lines)
	}
}

// TestRecoveryByForceIsTold recovers one of two nodes.
func TestRecoveryByForceIsTold(t *testing.T) {
	tc := open(t, 2)
	leader := tc.leaderName()
	tc.must(func() error { return tc.Kill(tc.followers()[0]) })
	tc.must(func() error { return tc.Recover(leader) })
	want := leader + " becomes the whole cluster, by force (unsafe recovery)"
	if lines := tc.story("by force"); len(lines) != 1 || lines[0] != want {
		t.Errorf("told %q, want %q", lines, want)
	}
}

// TestDeposedLeaderTellsOfTheLaterTermOnce cuts a leader off until another one is elected, and heals
// the network before its lease runs out. It learns of the later term from the other leader, or before
// that from the reply of a follower.
func TestDeposedLeaderTellsOfTheLaterTermOnce(t *testing.T) {
	for _, fromFollower := range []bool{false, true} {
		tc := open(t, 3, func(cfg *Config) {
			cfg.Settings.Heartbeat, cfg.Settings.Election, cfg.Settings.Lease = 4*time.Second, 4*time.Second, 4*time.Second
			cfg.Settings.PreVote = false
		})
		leader := tc.leaderName()
		told := 0
		tc.Trace().Subscribe(func(e trace.Event) {
			if e.Node == leader && e.Reason != nil && e.Reason.Decision == trace.StepDown {
				told++
			}
		})
		for _, name := range tc.followers() {
			tc.must(func() error { return tc.SetClock(name, 0.1) })
		}
		tc.must(func() error { return tc.Isolate(leader) })
		tc.until("another leader", func(s *trace.State) bool { l := s.LeaderNode(); return l != nil && l.ID != leader })
		successor := tc.leaderName()
		tc.must(tc.Heal)
		if fromFollower {
			tc.must(func() error { return tc.SetLink(successor, leader, faults.Cut{}) })
			tc.until("the first leader steps down", func(s *trace.State) bool { return s.Node(leader).Role == trace.Follower })
			tc.must(tc.Heal)
		}
		tc.until("the first leader follows", func(s *trace.State) bool { return s.Node(leader).Leader == successor })
		tc.pass(time.Second)
		want := regexp.MustCompile(`: n\d (leads term \d+|is in a later term)$`)
		lines := tc.story(leader + " steps down")
		if len(lines) != 1 || !want.MatchString(lines[0]) || told != 1 {
			t.Errorf("told %d reasons and %q, want one that matches %s", told, lines, want)
		}
	}
}

// TestTransferToAPreCandidateThatHealedIsToldAsATransfer hands leadership to a node whose pre-vote a
// heartbeat ended: raft logs the timeout of that pre-vote although it starts no other.
func TestTransferToAPreCandidateThatHealedIsToldAsATransfer(t *testing.T) {
	tc := open(t, 3)
	leader, target := tc.leaderName(), tc.followers()[0]
	late := false // raft has logged the timeout of a follower's pre-vote
	role := trace.Follower
	var asked []string // kinds of its requests for votes
	tc.Trace().Subscribe(func(e trace.Event) {
		switch p := e.Packet; {
		case e.Node == target && e.Kind == trace.KindRole:
			role = e.Role
		case e.Node == target && e.Kind == trace.KindLogLine:
			late = late || role == trace.Follower && strings.Contains(e.Text, "Election timeout reached")
		case p != nil && p.From == target && !p.Reply && (p.Kind == "vote" || p.Kind == "prevote"):
			asked = append(asked, p.Kind)
		}
	})
	for i := range 100 { // raft logs it only if no entries reach the node between the heartbeat and the timeout
		tc.must(func() error { return tc.Isolate(target) })
		tc.until("a pre-vote", func(s *trace.State) bool { return s.Node(target).Role == trace.Candidate })
		tc.pass(time.Duration(i) * 20 * time.Millisecond)
		tc.must(tc.Heal)
		tc.pass(5 * time.Second)
		if late {
			break
		}
	}
	if !late {
		t.Fatal("no heartbeat ended a pre-vote just before its timeout")
	}
	asked = nil
	before := len(tc.story("pre-vote"))
	tc.must(func() error { return tc.Transfer(target) })
	tc.pass(time.Second)
	tc.expectStory(fmt.Sprintf("%s hands leadership to %s, which starts an election at once", leader, target))
	if lines := tc.story("pre-vote"); len(lines) != before {
		t.Errorf("told %q of a transfer, which needs no pre-vote", lines[before:])
	}
	if len(asked) == 0 || asked[0] != "vote" {
		t.Errorf("it asks for %v, want a vote", asked)
	}
}

// An answer that never leaves, because its caller is gone, is not taken for that to the next request
// of the same term.
func TestAnswerThatNeverLeavesExplainsNoOther(t *testing.T) {
	var why reasons
	ask := voteRequest{candidate: "n5", preVote: true, term: 9}
	why.ask(ask) // raft grants it
	why.ask(ask)
	why.current().explained = true // raft denies it, and logs why
	if told := why.answered("n5", true, 9, true); told != nil {
		t.Errorf("it tells that the term of %+v is behind", told)
	}
	ask.behind = true
	why.ask(ask)
	if told := why.answered("n5", true, 9, true); told == nil || !told.behind {
		t.Errorf("got %+v for a request whose term is behind", told)
	}
	if told := why.answered("n5", true, 9, false); told != nil || len(why.asks) > 0 {
		t.Errorf("got %+v for one that is granted; %d are left", told, len(why.asks))
	}
}
