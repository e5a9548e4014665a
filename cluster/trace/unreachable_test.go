package trace

import (
	"testing"
	"time"
)

// unreachable makes nodes of a cluster unreachable.
func unreachable(s *State, ids ...string) {
	for _, id := range ids {
		later(s, time.Second, Event{Kind: KindProcess, Node: id, Process: Unreachable, Text: "connection reset"})
	}
}

// What is known of a node stays when it no longer answers: it may still be so.
func TestUnreachableNodeKeepsWhatIsKnown(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: 3})
	later(s, 0, Event{Kind: KindApplied, Node: "n1", Index: 3, Value: 7})
	unreachable(s, "n1")
	n := s.Node("n1")
	if n.Commit != 3 || n.Value != 7 || n.Role != Leader || n.Term != 2 || n.Why != "connection reset" {
		t.Errorf("%+v", n)
	}
	later(s, 0, Event{Kind: KindProcess, Node: "n1", Process: Up})
	if n := s.Node("n1"); n.Role != Follower || n.Commit != 0 {
		t.Errorf("what it says when it answers again counts alone: %+v", n)
	}
	if text := s.Story[len(s.Story)-1].Text; text != "n1 answers again with 3 log entries on disk" {
		t.Error(text)
	}
}

// An unreachable node is neither up nor down: nobody takes it for the leader, and the leader may
// still reach it.
func TestUnreachableNodeIsNeitherUpNorDown(t *testing.T) {
	for state, want := range map[ProcessState][2]bool{
		Up: {true, false}, Paused: {true, false}, Unreachable: {}, "": {},
		Killed: {false, true}, Off: {false, true}, Crashed: {false, true}, Removed: {false, true}, Wiped: {false, true},
	} {
		if got := [2]bool{state.Running(), state.Down()}; got != want {
			t.Errorf("%q is running, down: %v", state, got)
		}
	}
	s := three()
	unreachable(s, "n2", "n3")
	if !s.HasLeader() || s.Isolated("n1") {
		t.Errorf("the leader is no leader: %s", s.LeaderProblem())
	}
	later(s, 0, Event{Kind: KindLinkFault, Node: "n1", Peer: "n2", Faults: []string{"cut"}})
	later(s, 0, Event{Kind: KindLinkFault, Node: "n1", Peer: "n3", Faults: []string{"cut"}})
	if s.HasLeader() || !s.Isolated("n1") {
		t.Error("the leader reaches nodes behind a wall")
	}
	s = three()
	unreachable(s, "n1", "n2")
	if s.LeaderNode() != nil {
		t.Errorf("%s leads", s.LeaderNode().ID)
	}
	if why := s.LeaderProblem(); why != "1 of 3 voters up, 2 unreachable, 2 needed" {
		t.Error(why)
	}
	if last := s.LeaderTerms[len(s.LeaderTerms)-1]; last.To == 0 {
		t.Error("it leads on")
	}
}

func TestGapStays(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindGap, Node: "n2", Text: "what it reports comes late"})
	later(s, 0, Event{Kind: KindProcess, Node: "n2", Process: Wiped})
	if s.Node("n2").Gap != "what it reports comes late" || s.Node("n1").Gap != "" {
		t.Errorf("%q, %q", s.Node("n2").Gap, s.Node("n1").Gap)
	}
	if text := s.Story[0].Text; text != "events of n2 may be missing from here: what it reports comes late" {
		t.Error(text)
	}
}
