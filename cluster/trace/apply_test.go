package trace

import (
	"fmt"
	"testing"
	"time"
)

func TestUntrustedEventsDoNotFillMemory(t *testing.T) {
	var s State
	leader := Event{Kind: KindRole, Node: "n1", Role: Leader}
	s.Apply(&leader)
	for i := range 12_000 {
		name := fmt.Sprint("x", i)
		s.Apply(&Event{Kind: KindTerm, Node: name})
		s.Apply(&Event{Kind: KindLinkFault, Node: name, Peer: "n1", Faults: []string{"cut"}})
		s.Apply(&Event{Kind: KindVerdict, Check: name, Entries: make([]Entry, 3)})
		s.Apply(&Event{Kind: KindPacket, Packet: &Packet{ID: 1, Status: Delivered, Reply: true, From: name, To: "n1", Kind: "append"}})
	}
	if len(s.Nodes) != NodesMax || len(s.Faults) != linksMax || len(s.Checks) != checksMax || len(s.Lost) != lostMax || len(s.Node("n1").Peers) != NodesMax {
		t.Errorf("the state keeps %d nodes, %d links, %d checks, %d lost entries, %d peers", len(s.Nodes), len(s.Faults), len(s.Checks), len(s.Lost), len(s.Node("n1").Peers))
	}
}

// node returns a node of a state, which must exist.
func (s *State) node(t *testing.T, id string) *Node {
	t.Helper()
	n := s.Node(id)
	if n == nil {
		t.Fatalf("there is no node %s", id)
	}
	return n
}

func TestAppliedCountsCommittedNoopEntries(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindAppended, Node: "n1", Index: 4, Entries: []Entry{{Kind: EntryAdd}, {Kind: EntryNoop}, {Kind: EntryNoop}}})
	later(s, 0, Event{Kind: KindApplied, Node: "n1", Index: 4})
	later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: 5})
	if got := s.node(t, "n1").Applied; got != 5 {
		t.Errorf("applied %d, want 5: the no-op at the commit index, but not the one after it", got)
	}
}

func TestADeadProcessForgetsWhatItHadInMemory(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindApplied, Node: "n1", Index: 3, Value: 7})
	later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: 3})
	later(s, 0, Event{Kind: KindProcess, Node: "n1", Process: Paused})
	if n := s.node(t, "n1"); n.Role != Leader || n.Commit != 3 || n.Applied != 3 {
		t.Errorf("paused: %s, commit %d, applied %d, want the leader as before", n.Role, n.Commit, n.Applied)
	}
	later(s, 0, Event{Kind: KindProcess, Node: "n1", Process: Killed})
	if n := s.node(t, "n1"); n.Role != "" || n.Commit != 0 || n.Applied != 0 || n.LastIndex() != 3 {
		t.Errorf("killed: role %q, commit %d, applied %d, log to %d, want nothing but the log", n.Role, n.Commit, n.Applied, n.LastIndex())
	}
	if s.Commit != 3 {
		t.Errorf("the cluster's commit index is %d, want 3: a commit is not undone", s.Commit)
	}
}

func TestLeaderLearnsFromRepliesOfItsOwnTerm(t *testing.T) {
	s := three()
	reply := Packet{Kind: "append", Reply: true, OK: true, From: "n2", To: "n1", Term: 2, LastIndex: 3}
	s.packet(reply)
	late, foreign := reply, reply
	late.LastIndex = 1                      // replies can overtake each other
	foreign.LastIndex, foreign.Term = 99, 1 // to an earlier leader of the same name
	at := s.At
	s.packet(late)
	s.At += time.Second
	s.packet(foreign)
	if got := s.node(t, "n1").Peers["n2"]; got.Match != 3 || got.LastHeard != at {
		t.Errorf("n1 knows that n2 holds %d, heard at %s, want 3 at %s", got.Match, got.LastHeard, at)
	}
}

func TestFollowerHearsLeadersOfItsOwnAndLaterTerms(t *testing.T) {
	for term, hears := range map[uint64]bool{1: false, 2: true, 3: true} {
		s := three()
		s.At += time.Second
		s.packet(Packet{Kind: "heartbeat", From: "n3", To: "n2", Term: term})
		if n := s.node(t, "n2"); (n.LastHeardFrom == "n3") != hears || (n.LastHeard == s.At) != hears {
			t.Errorf("term %d: heard from %s at %s, want to hear it: %t", term, n.LastHeardFrom, n.LastHeard, hears)
		}
	}
}

func TestPacketThatEndsLateLeavesItsSuccessorAlone(t *testing.T) {
	s := three()
	old := Packet{ID: 1000, Kind: "append", From: "n1", To: "n2", Status: Sent}
	next := old
	next.ID += inFlightMax // takes the same place
	for _, p := range []Packet{old, next} {
		later(s, 0, Event{Kind: KindPacket, Packet: &p})
	}
	old.Status = Lost
	later(s, 0, Event{Kind: KindPacket, Packet: &old})
	if flying := s.PacketsInFlight(); len(flying) != 1 || flying[0].ID != next.ID {
		t.Errorf("in flight are %+v, want packet %d alone", flying, next.ID)
	}
}

// Damage stays when its fault is cleared, and a fault that is set again is not spent.
func TestDamageOutlivesItsFault(t *testing.T) {
	s := three()
	fault := Event{Kind: KindDiskFault, Node: "n1", Text: "corrupt"}
	later(s, 0, fault)
	later(s, 0, Event{Kind: KindDamage, Node: "n1", Text: "corrupt"})
	if n := s.node(t, "n1"); !n.FaultSpent || n.Damage != "corrupt" {
		t.Errorf("damaged: %q, spent %t", n.Damage, n.FaultSpent)
	}
	later(s, 0, fault)
	if n := s.node(t, "n1"); n.FaultSpent || n.Damage != "corrupt" {
		t.Errorf("set again: %q, spent %t", n.Damage, n.FaultSpent)
	}
	later(s, 0, Event{Kind: KindProcess, Node: "n1", Process: Wiped})
	if n := s.node(t, "n1"); n.Damage != "" {
		t.Errorf("wiped: %q, want no damage", n.Damage)
	}
}
