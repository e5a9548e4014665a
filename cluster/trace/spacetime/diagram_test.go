package spacetime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// past is a history of hand-made events, one every 10 ms.
type past struct {
	*history.History
	state trace.State
}

func newPast(events ...trace.Event) *past {
	p := &past{History: history.New(1 << 20)}
	p.Start(&p.state)
	for _, e := range events {
		e.Seq, e.At = p.state.Seq+1, p.state.At+10*time.Millisecond
		p.state.Apply(&e)
		p.Add(&e, &p.state)
	}
	return p
}

func (p *past) end() trace.Position { return trace.Position{Seq: p.state.Seq, At: p.state.At} }

// whole returns the diagram of the whole past.
func (p *past) whole() *Diagram {
	d := New(p.History, 0)
	d.Extend(p.History, p.end())
	return d
}

func n1Is(state trace.ProcessState) trace.Event {
	return trace.Event{Kind: trace.KindProcess, Node: "n1", Process: state}
}

func n1Becomes(role trace.Role, term uint64) trace.Event {
	return trace.Event{Kind: trace.KindRole, Node: "n1", Role: role, Term: term}
}

func packet(p trace.Packet) trace.Event {
	return trace.Event{Kind: trace.KindPacket, Packet: &p}
}

// aLife returns the past of a node that is elected, paused, resumed, killed and wiped.
func aLife() *past {
	return newPast(
		n1Is(trace.Up), n1Becomes(trace.Candidate, 2), trace.Event{Kind: trace.KindTerm, Node: "n1", Term: 2},
		n1Becomes(trace.Leader, 2), n1Is(trace.Paused), n1Is(trace.Up), n1Is(trace.Killed), n1Is(trace.Wiped),
	)
}

func spans(l *Lane) string {
	var all []string
	for _, s := range l.Spans {
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%s %s %d", s.Process, s.Role, s.Term)), " "))
	}
	return strings.Join(all, ", ")
}

func TestLaneHoldsEveryStateOfItsNode(t *testing.T) {
	p := aLife()
	want := "up follower 0, up candidate 2, up leader 2, paused leader 2, up leader 2, killed 2, wiped 0"
	if got := spans(p.whole().Lane("n1")); got != want {
		t.Errorf("spans of n1: %s; want %s", got, want)
	}
	late := New(p.History, 45*time.Millisecond)
	if got := spans(late.Lane("n1")); got != "up leader 2" {
		t.Errorf("a diagram from 45ms starts with %s, want the leader of term 2", got)
	}
}

func TestSpansAreContiguousAndNeverEmpty(t *testing.T) {
	p := aLife()
	d := p.whole()
	d.Lane("n1").add(&trace.Event{Kind: trace.KindTerm, Node: "n1", Term: 9, At: p.state.At})
	all := d.Lane("n1").Spans
	for i, s := range all[:len(all)-1] {
		if s.To <= s.From || all[i+1].From != s.To {
			t.Errorf("span %d is %+v, the next one %+v", i, s, all[i+1])
		}
	}
	if last := all[len(all)-1]; last.To != 0 || last.Term != 9 || last.From != p.state.At {
		t.Errorf("the last span is %+v", last)
	}
}

// A screen extends its diagram a few events at a time.
func TestExtendingInStepsEqualsExtendingAtOnce(t *testing.T) {
	p := aLife()
	steps := New(p.History, 0)
	for seq := uint64(1); seq <= p.end().Seq; seq++ {
		steps.Extend(p.History, trace.Position{Seq: seq, At: p.state.At})
	}
	if a, b := fmt.Sprintf("%+v", steps), fmt.Sprintf("%+v", p.whole()); a != b {
		t.Errorf("in steps:\n%s\nat once:\n%s", a, b)
	}
}

func TestMarksSayWhatHappenedToANode(t *testing.T) {
	d := newPast(
		n1Is(trace.Up), n1Becomes(trace.Candidate, 2), n1Becomes(trace.Leader, 2), n1Becomes(trace.Follower, 3),
		trace.Event{Kind: trace.KindVote, Node: "n1", Peer: "n1", Term: 3}, // its own: no mark
		trace.Event{Kind: trace.KindVote, Node: "n1", Peer: "n2", Term: 4},
		trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 3, Last: 5},
		trace.Event{Kind: trace.KindSnapshot, Node: "n1", Index: 2},
		trace.Event{Kind: trace.KindInstalled, Node: "n1", Index: 9},
		trace.Event{Kind: trace.KindDiskFault, Node: "n1"}, // was healthy already
		trace.Event{Kind: trace.KindDiskFault, Node: "n1", Text: "full"},
		trace.Event{Kind: trace.KindDiskFault, Node: "n1"},
		trace.Event{Kind: trace.KindClockFault, Node: "n1", Factor: 3},
		n1Is(trace.Paused), n1Is(trace.Up), n1Is(trace.Killed),
	).whole()
	var got []string
	for _, m := range d.Lane("n1").Marks {
		got = append(got, m.Text)
	}
	want := []string{
		"starts", "asks for votes", "leads", "steps down", "votes n2", "truncates 3-5", "snapshot", "installs a snapshot",
		"disk full", "disk ok", "clock x3", "paused", "resumes", "killed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("marks: %q\nwant:  %q", got, want)
	}
}

func TestOutageLastsUntilNoLinkIsFaulty(t *testing.T) {
	fault := func(from, to string, faults ...string) trace.Event {
		return trace.Event{Kind: trace.KindLinkFault, Node: from, Peer: to, Faults: faults}
	}
	d := newPast(
		n1Is(trace.Up), fault("n1", "n2", "cut"), fault("n2", "n1", "cut"),
		trace.Event{Kind: trace.KindShape, Text: "n1 is isolated"},
		fault("n1", "n2"), fault("n2", "n1"), fault("n1", "n2", "cut"),
	).whole()
	want := []Outage{{20 * time.Millisecond, 60 * time.Millisecond, "n1 is isolated"}, {70 * time.Millisecond, 0, "faulty links"}}
	if !slices.Equal(d.Outages, want) {
		t.Errorf("outages: %+v, want %+v", d.Outages, want)
	}
}

func TestMessageLastsFromSendingToDeliveryOrLoss(t *testing.T) {
	p := newPast(
		packet(trace.Packet{ID: 1, Status: trace.Sent, From: "n1", To: "n2", Kind: "vote"}),
		packet(trace.Packet{ID: 2, Status: trace.Sent, From: "n1", To: "n3", Kind: "vote"}),
		packet(trace.Packet{ID: 1, Status: trace.Delivered, From: "n1", To: "n2", Kind: "vote"}),
		packet(trace.Packet{ID: 2, Status: trace.Lost, From: "n1", To: "n3", Kind: "vote"}),
	)
	all := p.whole().Messages
	if len(all) != 2 || all[0].Ended != 30*time.Millisecond || all[1].Sent != 20*time.Millisecond || all[1].Packet.Status != trace.Lost {
		t.Errorf("messages: %+v", all)
	}
	late := New(p.History, 25*time.Millisecond)
	if len(late.Messages) != 2 || late.Messages[1].Ended != 0 {
		t.Errorf("in flight at 25ms: %+v", late.Messages)
	}
}

// A hold keeps a message in flight, for as long as it takes.
func TestHeldMessageIsInFlightUntilItIsDelivered(t *testing.T) {
	held := trace.Packet{ID: 1, RPC: 1, From: "n1", To: "n2", Kind: "vote"}
	as := func(status trace.PacketStatus) trace.Event {
		p := held
		p.Status = status
		return packet(p)
	}
	events := []trace.Event{as(trace.Sent), as(trace.Waiting), as(trace.Expired)}
	for id := uint64(2); id < 600; id++ { // more than a state remembers
		events = append(events, packet(trace.Packet{ID: id, RPC: id, Status: trace.Sent, From: "n2", To: "n1", Kind: "vote"}))
	}
	p := newPast(events...)
	if m := p.whole().Messages[0]; m.Ended != 0 || m.Packet.Status != trace.Sent {
		t.Errorf("while it is held: %+v", m)
	}
	late := New(p.History, p.state.At)
	if !slices.ContainsFunc(late.Messages, func(m Message) bool { return m.Packet.ID == 1 }) {
		t.Error("a diagram that starts later does not have it")
	}
	if end := newPast(append(events[:3:3], as(trace.Delivered))...); end.whole().Messages[0].Ended != 40*time.Millisecond {
		t.Errorf("delivered: %+v", end.whole().Messages[0])
	}
}

func TestQuietMessagesCarryNothingNew(t *testing.T) {
	var c Classifier
	for _, one := range []struct {
		p     trace.Packet
		class Class
		quiet bool
	}{
		{trace.Packet{RPC: 1, Kind: "heartbeat"}, Heartbeats, true},
		{trace.Packet{RPC: 1, Kind: "heartbeat", Reply: true}, Heartbeats, true},
		{trace.Packet{RPC: 2, Kind: "append"}, EmptyAppends, true},
		{trace.Packet{RPC: 2, Kind: "append", Reply: true, OK: true}, EmptyAppends, true},
		{trace.Packet{RPC: 3, Kind: "append"}, EmptyAppends, true},
		{trace.Packet{RPC: 3, Kind: "append", Reply: true}, EmptyAppends, false}, // it rejects the log
		{trace.Packet{RPC: 4, Kind: "append", Entries: 2}, Appends, false},
		{trace.Packet{RPC: 4, Kind: "append", Reply: true, OK: true}, AppendReplies, false},
		{trace.Packet{RPC: 5, Kind: "append", Reply: true, OK: true}, AppendReplies, false}, // the request was not seen
		{trace.Packet{RPC: 6, Kind: "vote"}, Votes, false},
		{trace.Packet{RPC: 7, Kind: "prevote", Reply: true, OK: true}, PreVotes, false},
		{trace.Packet{RPC: 8, Kind: "snapshot"}, Decisive, false},
	} {
		if class := c.Classify(&one.p); class != one.class || class.Quiet(&one.p) != one.quiet {
			t.Errorf("%+v is in class %d, quiet %t; want %d, %t", one.p, class, class.Quiet(&one.p), one.class, one.quiet)
		}
	}
}
