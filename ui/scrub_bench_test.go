package ui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/ui/view"
)

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
