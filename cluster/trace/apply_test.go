package trace

import (
	"fmt"
	"testing"
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
