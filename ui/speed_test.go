package ui

import (
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/source"
	"capsize/ui/view"
)

// TestAutoSpeedSlowsDownAtEvents advances the clock itself, and only reads the speed
// that the screen requests.
func TestAutoSpeedSlowsDownAtEvents(t *testing.T) {
	s := newStage(t, 3)
	old := s.cursor
	s.pass(time.Second)
	s.press("a")
	s.wants("speed auto")
	speed := func() float64 { return s.Engine.Speed() }
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
	s.Engine.Run(0)
	s.tick()
	s.wants("auto 1/10x")
	s.Engine.Run(0)
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
	s.Engine.Run(0)
}

// scrubEvents is the length of the history to scrub through.
const scrubEvents = 1_000_000

// BenchmarkScrub drags through a million events: over the timeline of the stage,
// from one end of the past to the other on the stage, and in the time view. A
// picture must take less than 33 ms for 30 frames a second.
func BenchmarkScrub(b *testing.B) {
	s := newStage(b, 5)
	s.press("l", "L", "L")
	for s.History.SeqAt(s.Now().At) < scrubEvents {
		s.pass(time.Minute)
	}
	s.press("l")
	first, last := s.History.Span()
	steps := 0
	anywhere := func(v view.View) func() {
		return func() {
			s.showView(v)
			steps++
			s.showTime(first.At + time.Duration(steps*97%1000)*(last.At-first.At)/1000)
		}
	}
	for _, how := range []struct {
		name string
		move func()
	}{
		{"on-the-timeline", func() {
			s.showView(s.views.Stage)
			steps++
			s.Update(tea.MouseMotionMsg{X: 10 + steps%100, Y: 28})
		}},
		{"anywhere-on-the-stage", anywhere(s.views.Stage)},
		{"anywhere-in-the-time-view", anywhere(s.views.Time)},
	} {
		b.Run(how.name, func(b *testing.B) {
			s.showView(s.views.Stage)
			s.dragging = true
			s.tick()
			s.View()
			worst := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				how.move()
				s.tick()
				s.View()
				worst = max(worst, time.Since(start))
			}
			if !s.travel.past {
				b.Fatal("the past is not shown")
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(last.Seq), "events")
		})
	}
}

// TestTimeStandsStillWhileStopped stops the program as its shell would, with a scenario
// on stage whose step waits.
func TestTimeStandsStillWhileStopped(t *testing.T) {
	s := newStageFor(t, 3, leaderCrash(t))
	s.paused, s.starting, s.speed = false, false, slices.Index(speeds, 1.0)
	s.setSpeed()
	speed := func() float64 { return s.Engine.Speed() }
	if speed() != 1 {
		t.Fatalf("time runs at %v", speed())
	}
	waits, caption := time.Now(), time.Now().Add(-time.Second)
	s.presenter.waitsSince, s.presenter.captionAt = waits, caption
	stopped := false
	s.stop = func() error { return nil }
	if s.suspend() == nil {
		t.Fatal("it does not stop")
	}
	job := &away{m: s.model, until: func() error { stopped = true; s.syncSpeed(); return nil }}
	if err := job.Run(); err != nil || !stopped || speed() != 0 {
		t.Errorf("stopped %t, %v: time runs at %v", stopped, err, speed())
	}
	s.Update(continuedMsg{after: time.Hour})
	if speed() != 1 {
		t.Errorf("after it, time runs at %v", speed())
	}
	if p := s.presenter; p.waitsSince != waits.Add(time.Hour) || p.captionAt != caption.Add(time.Hour) {
		t.Error("people read while the program was stopped")
	}
}
