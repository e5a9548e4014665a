package ui

import (
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/source"
)

// TestAutoSpeedSlowsDownAtEvents advances the clock itself, and only reads the speed
// that the screen requests.
func TestAutoSpeedSlowsDownAtEvents(t *testing.T) {
	s := newStage(t, 3)
	old := s.cursor
	s.pass(time.Second)
	s.press("a")
	s.wants("speed auto")
	speed := func() float64 { return s.Cluster.Clock().Speed() }
	if speed() != 0 {
		t.Fatalf("a paused cluster runs at %v", speed())
	}
	// The clock runs, but only the test advances it: no frame comes between.
	s.paused, s.speed = false, len(speeds)-2
	s.setSpeed()
	if speed() != 100 {
		t.Fatalf("nothing happens, and time runs at %v", speed())
	}
	s.Update(keyPress("k"))
	s.settle()
	if speed() != source.AutoSlow {
		t.Fatalf("%s is killed, and time runs at %v", old, speed())
	}
	s.Cluster.Clock().Run(0)
	s.tick()
	s.wants("auto 1/10x")
	s.Cluster.Clock().Run(0)
	s.pass(source.AutoHold + time.Millisecond)
	s.wants("auto 100x")
	s.press("a", "space")
	if s.auto || s.Watch.Auto.Load() {
		t.Error("a does not switch it off")
	}
}

func TestAutoSpeedSlowsDownPlayback(t *testing.T) {
	s, old := killed(t)
	s.speed = len(speeds) - 1
	if speeds[s.speed] != vtime.Max {
		t.Fatal("not at full speed")
	}
	s.press("a", "home", "space")
	frames, died, led := 0, false, false
	for s.travel.past && frames < 10_000 {
		s.tick()
		frames++
		n := s.state.Node(old)
		died = died || n.Process == trace.Killed && s.state.At == n.Since
		if leader := s.state.LeaderNode(); leader != nil && leader.ID != old && s.state.At == leader.RoleAt {
			led = true
		}
	}
	// Both stay slow for three seconds, which are 90 frames.
	if !died || !led || frames < 100 {
		t.Errorf("after %d frames: saw it die %t, saw the other lead %t", frames, died, led)
	}
	s.Cluster.Clock().Run(0)
}
