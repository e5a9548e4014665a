package trace_test

import (
	"fmt"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// heldState is a state in which the leader n1 of three nodes has sent an append to n2 at 1s, and
// a hold has stopped it.
func heldState() *trace.State {
	s := &trace.State{}
	seq := uint64(0)
	add := func(at time.Duration, e trace.Event) {
		seq++
		e.Seq, e.At = seq, at
		s.Apply(&e)
	}
	servers := []trace.Server{{ID: "n1", Voter: true}, {ID: "n2", Voter: true}, {ID: "n3", Voter: true}}
	add(0, trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{Heartbeat: time.Second, Election: time.Second, Lease: 500 * time.Millisecond}})
	for _, id := range []string{"n1", "n2", "n3"} {
		add(0, trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
		add(0, trace.Event{Kind: trace.KindConfig, Node: id, Servers: servers})
	}
	add(time.Second, trace.Event{Kind: trace.KindRole, Node: "n1", Role: trace.Leader, Term: 2})
	add(time.Second, trace.Event{Kind: trace.KindLinkFault, Node: "n1", Peer: "n2", Faults: []string{"hold"}})
	p := trace.Packet{ID: 7, RPC: 3, Status: trace.Sent, From: "n1", To: "n2", Kind: "append", Term: 2, Held: true}
	add(time.Second, trace.Event{Kind: trace.KindPacket, Packet: &p})
	p.Status, p.Deadline = trace.Waiting, 2*time.Second
	add(time.Second, trace.Event{Kind: trace.KindPacket, Packet: &p})
	return s
}

// packetEvent adds another event of the waiting packet to a state.
func packetEvent(s *trace.State, at time.Duration, status trace.PacketStatus, why string) {
	p := s.Waiting[0].Packet
	p.Status, p.Why = status, why
	s.Apply(&trace.Event{Seq: s.Seq + 1, At: at, Kind: trace.KindPacket, Packet: &p})
}

func waiting(s *trace.State) string { return fmt.Sprint(len(s.Waiting), " ", len(s.Unanswered)) }

func TestWaitingPackets(t *testing.T) {
	if s := heldState(); waiting(s) != "1 0" || s.Waiting[0].SentAt != time.Second || !s.HoldsAny() {
		t.Errorf("after the packet came to wait: %s, %+v", waiting(s), s.Waiting)
	}
	for _, c := range []struct {
		status trace.PacketStatus
		why    string
		want   string
	}{
		{trace.Delivered, "", "0 0"},
		{trace.Lost, "n2 is down", "0 0"},
		{trace.Lost, trace.DroppedByHand, "0 1"},
		{trace.Expired, "", "1 0"},
	} {
		s := heldState()
		packetEvent(s, time.Second, c.status, c.why)
		if got := waiting(s); got != c.want {
			t.Errorf("after %s %s: %s, want %s", c.status, c.why, got, c.want)
		}
	}
	s := heldState()
	packetEvent(s, time.Second, trace.Expired, "")
	if s.Waiting[0].Deadline != 0 {
		t.Errorf("deadline after it has passed: %s", s.Waiting[0].Deadline)
	}
	s.Apply(&trace.Event{Seq: s.Seq + 1, At: time.Second, Kind: trace.KindLinkFault, Node: "n1", Peer: "n2", Faults: []string{"cut"}})
	if waiting(s) != "0 0" || s.HoldsAny() {
		t.Errorf("after the link is no longer held: %s", waiting(s))
	}
}

func TestUpcoming(t *testing.T) {
	s := heldState()
	var got []string
	for _, next := range s.Upcoming() {
		got = append(got, fmt.Sprintf("%s %s-%s", next.Command, next.Earliest, next.Latest))
	}
	want := []string{
		"fire n1 heartbeat 1s-1.2s", "fire n2 election 1s-3s", "fire n3 election 1s-3s",
		"fire n1 lease 1.5s-1.5s", "fire n1 -> n2 append deadline 2s-2s",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("upcoming:\n%q\nwant:\n%q", got, want)
	}
}
