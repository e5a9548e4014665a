package ui

import (
	"time"

	"capsize/cluster/trace"
)

// timeline is the stretch of time that the stage's one row shows.
type timeline struct {
	end   time.Duration // at its right
	state trace.State   // at its end, while the past is shown
	known bool          // state is that
}

// keepLine has the timeline show the moment that is looked at, and move only if
// it must: whoever drags on it needs it to stay.
func (m *model) keepLine() {
	t := &m.travel
	now := m.now()
	if !t.past || m.width == 0 {
		t.line.end, t.line.known = m.state.At, false
		return
	}
	_, w := timeCells(layoutFor(m.width, m.height, len(m.state.Nodes)).time)
	span := time.Duration(max(w, 1)) * timeCell
	end := t.line.end
	switch {
	case !t.line.known:
		end = now.At
	case t.at < end-span:
		end = t.at + span - span/8
	case t.at > end:
		end = t.at + span/8
	}
	end = min(end, now.At)
	if end == t.line.end && t.line.known {
		return
	}
	t.line.end, t.line.known = end, true
	m.history.StateAt(m.history.SeqAt(end), &t.line.state)
}
