package trace

import (
	"testing"
	"time"
)

func TestLeaderProblemNamesTheCause(t *testing.T) {
	cut := func(s *State, links ...Link) {
		for _, l := range links {
			s.Apply(&Event{Kind: KindLinkFault, Node: l.From, Peer: l.To, Faults: []string{"cut"}, At: s.At})
		}
	}
	life := func(s *State, l ProcessState, ids ...string) {
		for _, id := range ids {
			s.Apply(&Event{Kind: KindProcess, Node: id, Process: l, At: s.At})
		}
	}
	follow := func(s *State) { s.Apply(&Event{Kind: KindRole, Node: "n1", Role: Follower, At: s.At}) }
	tests := map[string]func(s *State){
		"":                           func(*State) {},
		"no voters yet":              func(s *State) { *s = State{} },
		"1 of 3 voters up, 2 needed": func(s *State) { life(s, Killed, "n2", "n3") },
		"0 of 3 voters up, 2 needed": func(s *State) { life(s, Off, "n1", "n2", "n3") },
		"no node reaches 2 of 3 voters": func(s *State) {
			cut(s, Link{"n1", "n2"}, Link{"n3", "n1"}, Link{"n2", "n3"})
		},
		"n1 leads but is paused":          func(s *State) { life(s, Paused, "n1") },
		"n1 has lost its quorum":          func(s *State) { cut(s, Link{"n1", "n2"}, Link{"n3", "n1"}) },
		"waiting for an election timeout": follow,
		"n2 and n3 are candidates": func(s *State) {
			follow(s)
			for _, id := range []string{"n2", "n3"} {
				s.Apply(&Event{Kind: KindRole, Node: id, Role: Candidate, At: s.At})
			}
		},
	}
	for want, arrange := range tests {
		s := three()
		arrange(s)
		if got := s.LeaderProblem(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if s.HasLeader() != (want == "") {
			t.Errorf("%q, but HasLeader is %t", want, s.HasLeader())
		}
	}
}

func TestFaultsAndProcessesDecideWhoCanSend(t *testing.T) {
	s := three()
	set := func(from, to string, faults ...string) {
		s.Apply(&Event{Kind: KindLinkFault, Node: from, Peer: to, Faults: faults, At: s.At})
	}
	if !s.CanSend("n1", "n2") || s.CanSend("n1", "n9") || s.Isolated("n1") {
		t.Error("without faults every node reaches every other")
	}
	for _, open := range []string{"delay 1s", "lose 99%", "cut only append", "duplicate 100%"} {
		if set("n1", "n2", open); !s.CanSend("n1", "n2") {
			t.Errorf("%s blocks the link", open)
		}
	}
	for _, closed := range []string{"cut", "refuse", "jam", "lose 100%"} {
		if set("n1", "n2", "delay 1s", closed); s.CanSend("n1", "n2") || !s.CanSend("n2", "n1") || s.Isolated("n1") {
			t.Errorf("%s must block one direction of one link only", closed)
		}
	}
	set("n3", "n1", "cut")
	if !s.Isolated("n1") || s.Isolated("n2") || s.Isolated("n3") {
		t.Error("a node that has lost one direction to each other node is isolated")
	}
	set("n1", "n2")
	if s.Isolated("n1") || len(s.Faults) != 1 {
		t.Errorf("cleared faults are still set: %v", s.Faults)
	}
	s.Apply(&Event{Kind: KindProcess, Node: "n2", Process: Paused, At: s.At + time.Second})
	if s.CanSend("n1", "n2") || !s.Isolated("n1") {
		t.Error("a paused node still exchanges packets")
	}
	s.Apply(&Event{Kind: KindProcess, Node: "n3", Process: Killed, At: s.At})
	if s.Isolated("n1") {
		t.Error("the only node that is up counts as isolated")
	}
}

func TestLeaderIsTheOneOfTheLatestTerm(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindTerm, Node: "n3", Term: 3})
	later(s, 0, Event{Kind: KindRole, Node: "n3", Role: Leader, Term: 3})
	if got := s.LeaderNode(); got == nil || got.ID != "n3" {
		t.Errorf("the leader is %+v, want n3: n1 does not know of term 3 yet", got)
	}
	later(s, 0, Event{Kind: KindProcess, Node: "n3", Process: Killed})
	if got := s.LeaderNode(); got == nil || got.ID != "n1" {
		t.Errorf("the leader is %+v, want n1, the only one that runs", got)
	}
}
