package trace

import (
	"testing"
	"time"
)

func TestWhyThereIsNoLeader(t *testing.T) {
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
		"":                              func(*State) {},
		"nobody is a voter yet":         func(s *State) { *s = State{} },
		"1 of 3 nodes are up, 2 needed": func(s *State) { life(s, Killed, "n2", "n3") },
		"0 of 3 nodes are up, 2 needed": func(s *State) { life(s, Off, "n1", "n2", "n3") },
		"1 of 3 nodes can talk, 2 needed": func(s *State) {
			cut(s, Link{"n1", "n2"}, Link{"n3", "n1"}, Link{"n2", "n3"})
		},
		"n1 leads but is paused":          func(s *State) { life(s, Paused, "n1") },
		"n1 has lost its quorum":          func(s *State) { cut(s, Link{"n1", "n2"}, Link{"n3", "n1"}) },
		"waiting for an election timeout": follow,
		"n2 and n3 asking for votes": func(s *State) {
			follow(s)
			for _, id := range []string{"n2", "n3"} {
				s.Apply(&Event{Kind: KindRole, Node: id, Role: Candidate, At: s.At})
			}
		},
	}
	for want, arrange := range tests {
		s := three()
		arrange(s)
		if got := s.NoLeader(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhoTalksToWhomAndWhoIsCutOff(t *testing.T) {
	s := three()
	set := func(from, to string, faults ...string) {
		s.Apply(&Event{Kind: KindLinkFault, Node: from, Peer: to, Faults: faults, At: s.At})
	}
	if !s.CanSend("n1", "n2") || s.CanSend("n1", "n9") || s.Isolated("n1") {
		t.Error("with no fault set all talk")
	}
	for _, open := range []string{"delay 1s", "lose 99%", "cut only append", "duplicate 100%"} {
		if set("n1", "n2", open); !s.CanSend("n1", "n2") {
			t.Errorf("%s lets something pass", open)
		}
	}
	for _, closed := range []string{"cut", "refuse", "jam", "lose 100%"} {
		if set("n1", "n2", "delay 1s", closed); s.CanSend("n1", "n2") || !s.CanSend("n2", "n1") || s.Isolated("n1") {
			t.Errorf("%s closes one direction of one link", closed)
		}
	}
	set("n3", "n1", "cut")
	if !s.Isolated("n1") || s.Isolated("n2") || s.Isolated("n3") {
		t.Error("one direction to each of the others is enough to cut n1 off")
	}
	set("n1", "n2")
	if s.Isolated("n1") || len(s.Faults) != 1 {
		t.Errorf("faults taken back stay: %v", s.Faults)
	}
	s.Apply(&Event{Kind: KindProcess, Node: "n2", Process: Paused, At: s.At + time.Second})
	if s.CanSend("n1", "n2") || !s.Isolated("n1") {
		t.Error("with a paused node nobody talks")
	}
	s.Apply(&Event{Kind: KindProcess, Node: "n3", Process: Killed, At: s.At})
	if s.Isolated("n1") {
		t.Error("who is alone is not cut off from anyone")
	}
}
