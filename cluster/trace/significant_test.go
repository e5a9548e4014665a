package trace

import "testing"

func TestHeartbeatsAndRoutineAreNotSignificant(t *testing.T) {
	packet := func(kind string, fate PacketStatus, reply, ok bool) *Event {
		return &Event{Kind: KindPacket, Packet: &Packet{Kind: kind, Status: fate, Reply: reply, OK: ok}}
	}
	for _, e := range []*Event{
		packet("heartbeat", Delivered, false, false), packet("heartbeat", Lost, true, false), packet("append", Sent, false, false),
		packet("append", Delivered, false, false), packet("append", Delivered, true, true), packet("append", Lost, false, false),
		packet("vote", Sent, false, false),
		{Kind: KindLogLine, Node: "n1", Text: "x"},
		{Kind: KindVerdict, Verdict: VerdictOK},
		{Kind: KindReason, Node: "n1", Reason: &Reason{Decision: DenyVote}},
	} {
		if IsSignificant(e) {
			t.Errorf("%+v %+v is significant", e, e.Packet)
		}
	}
	for _, e := range []*Event{
		packet("append", Delivered, true, false), packet("vote", Delivered, false, false), packet("prevote", Lost, true, false),
		packet("snapshot", Delivered, false, false), packet("timeout-now", Delivered, false, false),
		{Kind: KindRole},
		{Kind: KindProcess},
		{Kind: KindVerdict},
		{Kind: KindLinkFault},
		{Kind: KindInvoked},
		{Kind: KindAppended},
		{Kind: KindApplied},
	} {
		if !IsSignificant(e) {
			t.Errorf("%+v %+v is not significant", e, e.Packet)
		}
	}
}
