package ui

import (
	"strings"
	"time"

	"capsize/cluster/trace"
)

// parts returns where the parts of what is presented begin: its chapters or, if it
// has none, its captions.
func (m *model) parts() []trace.Position {
	var chapters, captions []trace.Position
	first, last := m.history.Span()
	m.history.Significant(first.Seq, last.Seq, func(e *trace.Event) bool {
		at := trace.Position{Seq: e.Seq, At: e.At}
		switch {
		case e.Kind == trace.KindChapter && e.Peer == "":
			chapters = append(chapters, at)
		case e.Kind == trace.KindCaption && e.Peer == "":
			captions = append(captions, at)
		case e.Kind == trace.KindCaption && len(captions) > 0:
			captions[len(captions)-1] = at // its translations belong to it
		}
		return true
	})
	if len(chapters) > 0 {
		return chapters
	}
	return captions
}

// chapterBack goes back to where the present chapter began or, from there, to
// where the one before it did.
func (m *model) chapterBack() {
	parts := m.parts()
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].Seq < m.moment().Seq {
			m.presenter.stop = 0
			m.playPast(false)
			m.show(parts[i])
			return
		}
	}
	m.say("", "there is no chapter before this moment", true)
}

// nextStep lets the step that waits go on. In the past, it plays the recording up
// to its next step; while that plays, it goes there at once.
func (m *model) nextStep() {
	if !m.travel.past {
		switch {
		case m.goOn():
		case m.script != nil && m.presenter.over:
			m.say("", "the scenario has ended: b goes back, other keys are for the cluster", false)
		case m.presents():
			m.say("", "the next step is not yet there", false)
		default:
			m.say("", "no scenario is on stage: o opens one", true)
		}
		return
	}
	shown, last := m.moment(), m.now()
	stop, found := last, false
	m.history.Significant(shown.Seq+1, last.Seq, func(e *trace.Event) bool {
		if e.Kind == trace.KindCommand && isStep(e.Text) {
			stop, found = trace.Position{Seq: e.Seq, At: e.At}, true
		}
		return !found
	})
	switch {
	case m.travel.playing && found:
		m.stopAt(stop)
	case m.travel.playing:
		m.toNow()
	default:
		m.presenter.stop = 0
		if found {
			m.presenter.stop = stop.Seq
		}
		m.playPast(true)
	}
}

// isStep says whether a command is a step of a scenario.
func isStep(command string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	return word == "step"
}

// stopAt has the past stand still at a step.
func (m *model) stopAt(step trace.Position) {
	m.presenter.stop = 0
	m.playPast(false)
	m.show(step)
}

// presentPast moves on the past that is presented.
func (m *model) presentPast(now time.Time) {
	p := &m.presenter
	if m.travel.playing {
		p.waits = time.Time{}
		if e, ok := m.history.Event(p.stop); ok && m.moment().Seq >= p.stop {
			m.stopAt(trace.Position{Seq: e.Seq, At: e.At})
		}
		return
	}
	if p.waits.IsZero() {
		p.waits = now
	}
	if m.options.Autoplay && m.hasRead(now) {
		m.nextStep()
	}
}
