package uitest

import (
	"time"

	"capsize/cluster/trace"
)

// Hold holds all links.
func (s *Sample) Hold() {
	for i := range s.State.Nodes {
		for j := range s.State.Nodes {
			if i != j {
				s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: s.State.Nodes[i].ID, Peer: s.State.Nodes[j].ID, Faults: []string{"hold"}})
			}
		}
	}
}

// Wait sends a packet that a hold stops, and returns it. Its caller waits for so long.
func (s *Sample) Wait(p trace.Packet, deadline time.Duration) trace.Packet {
	s.packet++
	p.ID, p.Status, p.Held = s.packet, trace.Sent, true
	if p.RPC == 0 {
		p.RPC = p.ID
	}
	sent := p
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &sent})
	p.Status = trace.Waiting
	if deadline > 0 {
		p.Deadline = s.At + deadline
	}
	held := p
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &held})
	return p
}

// End lets a packet that waited arrive, or loses it.
func (s *Sample) End(p trace.Packet, status trace.PacketStatus, why string) {
	p.Status, p.Why = status, why
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
}

// Held returns five nodes with all links held: n3, the leader, was killed, n2 asks for votes in
// term 3, and n1's vote is on its way back.
func Held() *Sample {
	s := Healthy(5)
	s.Append(Increments(2, 2, 1), "n3", "n5")
	s.Hold()
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
	s.Advance(200 * time.Millisecond)
	s.stand("n2", 3, 3)
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: "n2", Term: 3})
	s.Emit(trace.Event{Kind: trace.KindVote, Node: "n2", Term: 3, Peer: "n2"})
	vote := trace.Packet{From: "n2", Kind: "vote", Term: 3, LastIndex: 127, LastTerm: 2, SizeBytes: 64}
	var asked []trace.Packet
	for _, to := range []string{"n1", "n4", "n5"} {
		vote.To = to
		asked = append(asked, s.Wait(vote, 2*time.Second))
	}
	s.Advance(100 * time.Millisecond)
	s.End(asked[0], trace.Delivered, "")
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: "n1", Term: 3})
	s.Emit(trace.Event{Kind: trace.KindVote, Node: "n1", Term: 3, Peer: "n2"})
	s.Wait(trace.Packet{RPC: asked[0].RPC, From: "n1", To: "n2", Kind: "vote", Reply: true, OK: true, Term: 3, SizeBytes: 48}, 1900*time.Millisecond)
	s.End(asked[2], trace.Delivered, "")
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: "n5", Term: 3})
	s.Emit(trace.Event{Kind: trace.KindReason, Node: "n5", Reason: &trace.Reason{
		Decision: trace.DenyVote, Cause: trace.LogBehind, Peer: "n2", Term: 3, LastIndex: 129, LastTerm: 2, PeerIndex: 127, PeerTerm: 2,
	}})
	s.Wait(trace.Packet{RPC: asked[2].RPC, From: "n5", To: "n2", Kind: "vote", Reply: true, Term: 3, SizeBytes: 48}, 1900*time.Millisecond)
	s.Wait(trace.Packet{From: "n3", To: "n1", Kind: "append", Term: 2, First: 128, Entries: 2, PrevIndex: 127, PrevTerm: 2, Commit: 126, SizeBytes: 190}, 0)
	return s
}

// HeldMany returns 25 nodes with all links held and so many packets that wait.
func HeldMany(packets int) *Sample {
	s := Healthy(25)
	s.Hold()
	names := numbered(25)
	for i := range packets {
		from, to := names[i%25], names[(i*7+1+i%25)%25]
		if from == to {
			to = names[(i+1)%25]
		}
		s.Wait(trace.Packet{From: from, To: to, Kind: []string{"append", "heartbeat", "vote", "prevote"}[i%4], Reply: i%3 == 0, Term: 3, LastIndex: 126, LastTerm: 2, First: 127, Entries: i % 3}, 2*time.Second)
	}
	return s
}
