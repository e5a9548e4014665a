package ui

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// send puts a packet on its way from n1 to n2, and returns what ends it.
func (w *world) send(p trace.Packet) (end func(trace.PacketStatus)) {
	w.packet++
	p.ID, p.RPC, p.From, p.To = w.packet, w.packet, "n1", "n2"
	p.Status = trace.Sent
	first := p
	w.emit(trace.Event{Kind: trace.KindPacket, Packet: &first})
	return func(fate trace.PacketStatus) {
		p.Status = fate
		w.emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	}
}

// sparks returns what is seen on its way at a moment, at a speed.
func (w *world) sparks(at time.Duration, speed float64) []spark {
	f := w.frame(120, 36)
	f.now, f.speed = at, speed
	return f.inFlight()
}

func TestAPacketIsSeenLongEnoughWhateverTheSpeed(t *testing.T) {
	for _, speed := range []float64{0.01, 1, 10} {
		w := healthy(2)
		w.state.InFlight = nil
		sent := w.at
		end := w.send(trace.Packet{Kind: "append", Entries: 1, Delay: time.Millisecond})
		w.pass(time.Millisecond)
		end(trace.Delivered)
		seen := 0
		for frame := range 60 {
			passed := time.Duration(frame) * frameEvery
			now := sent + time.Duration(float64(passed)*speed)
			if len(w.sparks(now, speed)) == 1 {
				seen++
			}
		}
		if seen < 5 || seen > 8 {
			t.Errorf("at speed %g it is seen for %d frames", speed, seen)
		}
	}
}

func TestAPacketIsDrawnWhereVirtualTimeHasIt(t *testing.T) {
	w := healthy(2)
	w.state.InFlight = nil
	sent := w.at
	w.send(trace.Packet{Kind: "append", Entries: 1, Delay: 10 * time.Second})
	for _, c := range []struct {
		after time.Duration
		at    float64
	}{{0, 0}, {time.Second, 0.1}, {5 * time.Second, 0.5}, {20 * time.Second, 1}} {
		got := w.sparks(sent+c.after, 1)
		if len(got) != 1 || got[0].at < c.at-0.01 || got[0].at > c.at+0.01 {
			t.Errorf("after %s: %+v, wanted it at %g", c.after, got, c.at)
		}
	}
	if got := w.sparks(sent-time.Second, 1); len(got) != 0 {
		t.Errorf("it is seen before it is sent: %+v", got)
	}
}

func TestALostPacketStopsHalfWayAndFades(t *testing.T) {
	w := healthy(2)
	w.state.InFlight = nil
	sent := w.at
	w.send(trace.Packet{Kind: "vote"})(trace.Lost)
	if got := w.sparks(sent+250*time.Millisecond, 1); len(got) != 1 || !got[0].lost || got[0].at != 0.5 || got[0].fade <= 0 {
		t.Errorf("it is %+v", got)
	}
	if got := w.sparks(sent+time.Second, 1); len(got) != 0 {
		t.Errorf("it stays: %+v", got)
	}
}

// Of heartbeats one is enough to see that the link is alive.
func TestOneQuietPacketIsSeenOnALink(t *testing.T) {
	w := healthy(2)
	w.state.InFlight = nil
	for range 5 {
		w.send(trace.Packet{Kind: "heartbeat", Delay: time.Second})
	}
	if got := w.sparks(w.at, 1); len(got) != 1 || !got[0].quiet {
		t.Errorf("there are %d", len(got))
	}
}

func TestAValueFlashesOnceAndNotUnderLoad(t *testing.T) {
	w := healthy(3)
	w.pass(2 * time.Second)
	apply := func(value int64) {
		w.emit(trace.Event{Kind: trace.KindApplied, Node: "n1", Index: uint64(value), Value: value})
	}
	flash := func() float64 {
		f := w.frame(120, 36)
		f.move(true)
		return f.flash["n1"]
	}
	apply(1000)
	if flash() != 1 {
		t.Errorf("a change flashes with %g", flash())
	}
	w.pass(flashTime)
	if flash() != 0 {
		t.Error("it flashes for too long")
	}
	for value := range int64(20) {
		apply(2000 + value)
		w.pass(100 * time.Millisecond)
	}
	if flash() != 0 {
		t.Error("it flashes all the time")
	}
}

func TestStillMeansThatNothingMoves(t *testing.T) {
	w := healthy(3)
	w.pass(2 * time.Second)
	w.send(trace.Packet{Kind: "append", Entries: 1, Delay: time.Second})
	w.emit(trace.Event{Kind: trace.KindApplied, Node: "n1", Index: 1000, Value: 1000})
	f := w.frame(120, 36)
	f.move(false)
	if len(f.sparks) != 0 || f.flash["n1"] != 0 {
		t.Errorf("%d packets, a flash of %g", len(f.sparks), f.flash["n1"])
	}
}
