package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/message"
)

// past is a history of hand-made events, one every millisecond.
type past struct {
	*history.History
	state  trace.State
	packet uint64
}

func newPast() *past {
	p := &past{History: history.New(1 << 26)}
	p.Start(&p.state)
	for _, id := range []string{"n1", "n2", "n3"} {
		p.add(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	return p
}

func (p *past) add(e trace.Event) uint64 {
	e.Seq, e.At = p.state.Seq+1, p.state.At+time.Millisecond
	p.state.Apply(&e)
	p.Add(&e, &p.state)
	return e.Seq
}

// send adds the sending of a packet, which is its own RPC unless it names another.
func (p *past) send(packet trace.Packet) trace.Packet {
	p.packet++
	packet.ID, packet.Status = p.packet, trace.Sent
	if packet.RPC == 0 {
		packet.RPC = packet.ID
	}
	p.follow(packet, trace.Sent, "")
	return packet
}

// follow adds what becomes of a packet.
func (p *past) follow(packet trace.Packet, status trace.PacketStatus, why string) uint64 {
	packet.Status, packet.Why = status, why
	return p.add(trace.Event{Kind: trace.KindPacket, Packet: &packet})
}

// answered adds a request that arrives, and the reply that follows.
func (p *past) answered(request, reply trace.Packet, between ...trace.Event) (asked, answer uint64) {
	request = p.send(request)
	p.follow(request, trace.Delivered, "")
	for _, e := range between {
		p.add(e)
	}
	reply.RPC, reply.From, reply.To, reply.Kind, reply.Reply = request.RPC, request.To, request.From, request.Kind, true
	reply = p.send(reply)
	p.follow(reply, trace.Delivered, "")
	return request.ID, reply.ID
}

func (p *past) log(node string, terms ...uint64) {
	for _, term := range terms {
		p.add(trace.Event{Kind: trace.KindAppended, Node: node, Index: p.state.Node(node).LastIndex() + 1, Entries: []trace.Entry{{Term: term, Kind: trace.EntryAdd, Delta: 1}}})
	}
}

func find(t *testing.T, p *past, id uint64) *message.Exchange {
	t.Helper()
	x, ok := message.Find(p.History, id)
	if !ok {
		t.Fatalf("packet %d not found", id)
	}
	return x
}

func TestReceiversAnswerHasItsReason(t *testing.T) {
	vote := trace.Packet{From: "n1", To: "n2", Kind: "vote", Term: 3, LastIndex: 2, LastTerm: 1}
	preVote := vote
	preVote.Kind = "prevote"
	appendTo := func(prev, prevTerm uint64) trace.Packet {
		return trace.Packet{From: "n1", To: "n2", Kind: "append", Term: 3, PrevIndex: prev, PrevTerm: prevTerm, First: prev + 1, Entries: 1}
	}
	denial := func(d trace.Decision, peer string) trace.Event {
		return trace.Event{Kind: trace.KindReason, Node: "n2", Reason: &trace.Reason{Decision: d, Cause: trace.VoteGiven, Peer: peer, Other: "n3", Term: 3}}
	}
	granted := trace.Event{Kind: trace.KindVote, Node: "n2", Peer: "n1", Term: 3}
	for _, c := range []struct {
		name           string
		request, reply trace.Packet
		between        []trace.Event
		want           string
		proof          bool
	}{
		{"vote granted", vote, trace.Packet{OK: true, Term: 3}, []trace.Event{granted}, "n2 had not voted in term 3, and n1's log is at least as up to date", true},
		{"vote denied", vote, trace.Packet{Term: 3}, []trace.Event{denial(trace.DenyVote, "n1")}, "it voted for n3 in term 3", true},
		{"another node's denial", vote, trace.Packet{Term: 3}, []trace.Event{denial(trace.DenyVote, "n3")}, "", false},
		{"a denied pre-vote is not a denied vote", vote, trace.Packet{Term: 3}, []trace.Event{denial(trace.DenyPreVote, "n1")}, "", false},
		{"pre-vote denied", preVote, trace.Packet{Term: 3}, []trace.Event{denial(trace.DenyPreVote, "n1")}, "it voted for n3 in term 3", true},
		{"pre-vote granted", preVote, trace.Packet{OK: true, Term: 3}, nil, "n2 would vote for n1 in term 3: it follows no leader, and n1's log is at least as up to date", false},
		{"old term", appendTo(2, 1), trace.Packet{Term: 5}, nil, "n2 is already in term 5, the request is of term 3", false},
		{"stored", appendTo(2, 1), trace.Packet{OK: true, Term: 3}, nil, "n2 has entry 2 of term 1 too, so it stores up to entry 3", false},
		{"missing entry", appendTo(7, 2), trace.Packet{Term: 3}, nil, "n2's log has no entry 7: it ends at 3", false},
		{"another term", appendTo(3, 1), trace.Packet{Term: 3}, nil, "n2's entry 3 is of term 2, not of term 1", false},
		{"error", appendTo(2, 1), trace.Packet{Term: 3, Error: "disk full"}, nil, "n2 failed to handle it: disk full", false},
		{"heartbeat", trace.Packet{From: "n1", To: "n2", Kind: "heartbeat", Term: 3}, trace.Packet{OK: true, Term: 3}, nil, "n2 follows n1, leader of term 3", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPast()
			p.log("n2", 1, 1, 2)
			asked, answer := p.answered(c.request, c.reply, c.between...)
			for _, id := range []uint64{asked, answer} {
				x := find(t, p, id)
				if x.Why != c.want || (x.WhyAt.Seq != 0) != c.proof {
					t.Errorf("packet %d: %q, proof at %d; want %q", id, x.Why, x.WhyAt.Seq, c.want)
				}
				if x.Request().ID != asked || x.Reply().ID != answer || x.Counterpart(x.Packet(id)).ID != asked+answer-id {
					t.Errorf("packet %d: request %d, reply %d", id, x.Request().ID, x.Reply().ID)
				}
			}
		})
	}
}

func TestAppendCarriesWhatItsSendersLogHeld(t *testing.T) {
	p := newPast()
	p.log("n1", 1, 1, 2)
	sent := p.send(trace.Packet{From: "n1", To: "n2", Kind: "append", Term: 2, PrevIndex: 1, PrevTerm: 1, First: 2, Entries: 2})
	// What the sender's log holds later does not matter.
	p.add(trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 2, Last: 3})
	p.log("n1", 5, 5)
	var terms []uint64
	for _, e := range find(t, p, sent.ID).Entries {
		terms = append(terms, e.Term)
	}
	if fmt.Sprint(terms) != "[1 2]" {
		t.Errorf("terms of the entries: %v, want [1 2]", terms)
	}
	p.add(trace.Event{Kind: trace.KindCompacted, Node: "n1", Index: 1, Last: 2})
	sent = p.send(trace.Packet{From: "n1", To: "n2", Kind: "append", Term: 5, PrevIndex: 1, First: 2, Entries: 2})
	if x := find(t, p, sent.ID); x.Entries != nil {
		t.Errorf("entries that the log no longer held: %v", x.Entries)
	}
}

func TestPassageLastsFromSendingToItsEnd(t *testing.T) {
	p := newPast()
	held := p.send(trace.Packet{From: "n1", To: "n2", Kind: "vote", Term: 2})
	x := find(t, p, held.ID)
	if one := x.Packet(held.ID); one.Ended.Seq != 0 || one.Status != trace.Sent || x.Reply() != nil {
		t.Errorf("in flight: %+v", one)
	}
	waited := p.follow(held, trace.Waiting, "")
	held.Deadline = time.Second
	p.follow(held, trace.Waiting, "") // its deadline begins to run
	expired := p.follow(held, trace.Expired, "")
	dropped := p.follow(held, trace.Lost, trace.DroppedByHand)
	x.Extend(p.History)
	one := x.Packet(held.ID)
	if one.Sent.Seq != waited-1 || one.Waited.Seq != waited || one.Ended.Seq != dropped || one.Why != trace.DroppedByHand ||
		one.Deadline != time.Second || x.Expired.Seq != expired || one.Held(time.Hour) != 3*time.Millisecond {
		t.Errorf("dropped: %+v, expired at %d", one, x.Expired.Seq)
	}
}

// A lost reply says less than the copy that arrived.
func TestReplyThatArrivedCountsMoreThanALostOne(t *testing.T) {
	p := newPast()
	asked, _ := p.answered(trace.Packet{From: "n1", To: "n2", Kind: "vote", Term: 2}, trace.Packet{OK: true, Term: 2})
	lost := newPast()
	request := lost.send(trace.Packet{From: "n1", To: "n2", Kind: "vote", Term: 2})
	lost.follow(request, trace.Delivered, "")
	var copies []trace.Packet
	for range 2 {
		copies = append(copies, lost.send(trace.Packet{RPC: request.RPC, From: "n2", To: "n1", Kind: "vote", Reply: true, OK: true, Duplicate: len(copies) > 0}))
	}
	lost.follow(copies[0], trace.Lost, "cut")
	lost.follow(copies[1], trace.Delivered, "")
	if got := find(t, lost, request.ID).Reply().ID; got != copies[1].ID {
		t.Errorf("the reply is %d, want %d", got, copies[1].ID)
	}
	if got := find(t, p, asked).Reply().Status; got != trace.Delivered {
		t.Errorf("the reply is %s", got)
	}
}

func TestEveryPacketOfALongHistoryIsFound(t *testing.T) {
	p := newPast()
	request := trace.Packet{From: "n1", To: "n2", Kind: "heartbeat", Term: 1}
	for range 20_000 {
		p.answered(request, trace.Packet{OK: true, Term: 1}, trace.Event{Kind: trace.KindLogLine, Node: "n2", Text: "x"})
	}
	for id := uint64(1); id <= p.packet; id += 1999 {
		x := find(t, p, id)
		if one := x.Packet(id); one.ID != id || one.Ended.Seq == 0 || x.Counterpart(one) == nil || !strings.Contains(x.Why, "follows n1") {
			t.Fatalf("packet %d: %+v, %q", id, x.Packets, x.Why)
		}
	}
	for _, id := range []uint64{0, p.packet + 1, 1 << 60} {
		if _, ok := message.Find(p.History, id); ok {
			t.Errorf("found packet %d, which was never sent", id)
		}
	}
	if _, ok := message.Find(history.New(1<<20), 1); ok {
		t.Error("found a packet in an empty history")
	}
}

func BenchmarkFind(b *testing.B) {
	p := newPast()
	for range 200_000 {
		p.answered(trace.Packet{From: "n1", To: "n2", Kind: "heartbeat", Term: 1}, trace.Packet{OK: true, Term: 1}, trace.Event{Kind: trace.KindLogLine, Node: "n2", Text: "x"})
	}
	id := uint64(0)
	for b.Loop() {
		id = (id+100_003)%p.packet + 1
		if _, ok := message.Find(p.History, id); !ok {
			b.Fatal(id)
		}
	}
}
