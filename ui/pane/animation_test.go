package pane

import (
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// spritesAt returns the packets drawn at a moment, at a speed.
func spritesAt(w *uitest.Sample, at time.Duration, speed float64) []PacketSprite {
	f := movingFrame(w)
	f.Now, f.Speed = at, speed
	return f.sprites()
}

func TestPacketsStayVisibleAtAnySpeed(t *testing.T) {
	for _, speed := range []float64{0.01, 1, 10} {
		w := uitest.Healthy(2)
		w.State.InFlight = nil
		sent := w.At
		end := w.Send(trace.Packet{Kind: "append", Entries: 1, Delay: time.Millisecond})
		w.Advance(time.Millisecond)
		end(trace.Delivered)
		seen := 0
		for frame := range 60 {
			passed := time.Duration(frame) * FrameEvery
			now := sent + time.Duration(float64(passed)*speed)
			if len(spritesAt(w, now, speed)) == 1 {
				seen++
			}
		}
		if seen < 5 || seen > 8 {
			t.Errorf("at speed %g the packet is drawn in %d frames, want 5 to 8", speed, seen)
		}
	}
}

func TestPacketsMoveInVirtualTime(t *testing.T) {
	w := uitest.Healthy(2)
	w.State.InFlight = nil
	sent := w.At
	w.Send(trace.Packet{Kind: "append", Entries: 1, Delay: 10 * time.Second})
	for _, c := range []struct {
		after time.Duration
		at    float64
	}{{0, 0}, {time.Second, 0.1}, {5 * time.Second, 0.5}, {20 * time.Second, 1}} {
		got := spritesAt(w, sent+c.after, 1)
		if len(got) != 1 || got[0].Progress < c.at-0.01 || got[0].Progress > c.at+0.01 {
			t.Errorf("after %s: sprites %+v, want one at %g", c.after, got, c.at)
		}
	}
	if got := spritesAt(w, sent-time.Second, 1); len(got) != 0 {
		t.Errorf("a packet is drawn before it is sent: %+v", got)
	}
}

func TestLostPacketStopsHalfWayAndFades(t *testing.T) {
	w := uitest.Healthy(2)
	w.State.InFlight = nil
	sent := w.At
	w.Send(trace.Packet{Kind: "vote"})(trace.Lost)
	if got := spritesAt(w, sent+250*time.Millisecond, 1); len(got) != 1 || !got[0].Lost || got[0].Progress != 0.5 || got[0].Fade <= 0 {
		t.Errorf("sprites %+v, want a lost one half way that fades", got)
	}
	if got := spritesAt(w, sent+time.Second, 1); len(got) != 0 {
		t.Errorf("the lost packet is still drawn after 1s: %+v", got)
	}
}

// One heartbeat is enough to show that the link is alive.
func TestOneRoutinePacketIsDrawnPerLink(t *testing.T) {
	w := uitest.Healthy(2)
	w.State.InFlight = nil
	for range 5 {
		w.Send(trace.Packet{Kind: "heartbeat", Delay: time.Second})
	}
	if got := spritesAt(w, w.At, 1); len(got) != 1 || !got[0].routine {
		t.Errorf("%d sprites, want one routine packet", len(got))
	}
}

func TestValueFlashesOnceAndNotUnderLoad(t *testing.T) {
	w := uitest.Healthy(3)
	w.Advance(2 * time.Second)
	apply := func(value int64) {
		w.Emit(trace.Event{Kind: trace.KindApplied, Node: "n1", Index: uint64(value), Value: value})
	}
	flash := func() float64 {
		f := movingFrame(w)
		f.Move(true)
		return f.flash["n1"]
	}
	apply(1000)
	if flash() != 1 {
		t.Errorf("a changed value flashes with %g, want 1", flash())
	}
	w.Advance(flashTime)
	if flash() != 0 {
		t.Error("the value flashes for longer than flashTime")
	}
	for value := range int64(20) {
		apply(2000 + value)
		w.Advance(100 * time.Millisecond)
	}
	if flash() != 0 {
		t.Error("the value flashes under load")
	}
}

func TestWithoutAnimationNothingMoves(t *testing.T) {
	w := uitest.Healthy(3)
	w.Advance(2 * time.Second)
	w.Send(trace.Packet{Kind: "append", Entries: 1, Delay: time.Second})
	w.Emit(trace.Event{Kind: trace.KindApplied, Node: "n1", Index: 1000, Value: 1000})
	f := movingFrame(w)
	f.Move(false)
	if len(f.Sprites) != 0 || f.flash["n1"] != 0 {
		t.Errorf("%d sprites, a flash of %g, want neither", len(f.Sprites), f.flash["n1"])
	}
}

// movingFrame returns a frame at the latest moment of a sample.
func movingFrame(w *uitest.Sample) *Frame {
	return &Frame{State: &w.State, Width: 120, Height: 36, Theme: style.Dark, Glyphs: style.Unicode, Playback: Playback{Now: w.At, Speed: 1}}
}
