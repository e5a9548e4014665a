package ui

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/view"
)

// alarms look out for checks that are violated.
type alarms struct {
	broken []trace.Check   // all that are violated now, worst first
	hidden []trace.Check   // what a recording's events show that its verdicts do not tell
	seen   map[string]bool // those already told of
	shown  []string        // those that the alarm on the screen tells of
	silent bool            // the clock goes on
	proof  int             // which event of the proof is shown next
}

// raiseAlarms raises an alarm, once, for each check that is violated. What is
// violated stays so, though nobody knew of it at the moments of the past. On stage
// no alarm comes between the audience and the scenario, which has announced it: it
// is told above the caption.
func (m *model) raiseAlarms() {
	m.alarms.hidden = nil
	if m.Recheck != nil {
		m.alarms.hidden = m.Recheck.Understated()
	}
	if broken := pane.Violated(pane.WorseOf(m.state.Checks, m.alarms.hidden)); len(broken) >= len(m.alarms.broken) {
		m.alarms.broken = broken
	}
	for _, c := range m.alarms.broken {
		if m.alarms.seen[c.Name] {
			continue
		}
		if m.alarms.seen == nil {
			m.alarms.seen = map[string]bool{}
		}
		m.alarms.seen[c.Name] = true
		if m.presents() {
			continue
		}
		m.alarms.shown, m.alarms.proof = append(m.alarms.shown, c.Name), 0
		if !m.alarms.silent && !m.isFrozen() {
			m.pauseClock()
		}
	}
}

// alarm returns what the alarm on the screen tells of, nil without one.
func (m *model) alarm() *pane.Alarm {
	told := slices.DeleteFunc(slices.Clone(m.alarms.broken), func(c trace.Check) bool { return !slices.Contains(m.alarms.shown, c.Name) })
	if len(told) == 0 {
		return nil
	}
	return &pane.Alarm{Checks: told, Stops: !m.alarms.silent}
}

// toggleStop chooses whether the clock stops when a check is violated.
func (m *model) toggleStop() {
	m.alarms.silent = !m.alarms.silent
	if m.alarms.silent {
		m.setToast("", "the clock keeps running on a violation", false)
		return
	}
	m.setToast("", "the clock stops on a violation", false)
}

// handleAlarmKey takes a key while an alarm is on the screen, and reports whether
// it was meant for the alarm.
func (m *model) handleAlarmKey(pressed string) bool {
	switch pressed {
	case "enter", "j":
		m.nextProof()
	case "esc":
		m.alarms.shown = nil
	case "space":
		// Whoever lets time go on has read it.
		m.alarms.shown = nil
		if m.isFrozen() {
			m.pauseClock()
		}
	default:
		return false
	}
	return true
}

// nextProof shows, one after the other, the events that prove that a check is
// violated: the one that the alarm tells of, or else the worst.
func (m *model) nextProof() {
	broken := m.alarms.broken
	if told := m.alarm(); told != nil {
		broken = told.Checks
	}
	m.alarms.shown = nil
	if len(broken) == 0 || len(broken[0].Proof) == 0 {
		m.setToast("", "no check is violated", false)
		return
	}
	c := broken[0]
	at := m.alarms.proof % len(c.Proof)
	m.alarms.proof = at + 1
	if m.showEvent(c.Proof[at]); !m.toast.Bad {
		m.showBestView(c.Proof[at])
		m.setToast("", fmt.Sprintf("evidence %d of %d (j: next): %s", at+1, len(c.Proof), m.toast.Text), false)
	}
}

// showBestView turns to the view in which an event of the past that is shown is seen best.
func (m *model) showBestView(seq uint64) {
	m.views.Stage.Zoom = ""
	for _, op := range view.Operations(&m.travel.shown) {
		if op.CallSeq == seq || op.ReturnSeq == seq {
			m.showView(m.views.Clients)
			m.views.Clients.Op = op.ID
			return
		}
	}
	if m.view() != m.views.Log {
		m.showView(m.views.Stage)
	}
}
