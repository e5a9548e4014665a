package ui

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/view"
)

// alarms tracks the violated checks.
type alarms struct {
	broken []trace.Check   // violated by now, worst first
	hidden []trace.Check   // verdicts that a recording's events show but its verdict events omit
	seen   map[string]bool // checks that have raised an alarm already
	shown  []string        // checks named by the alarm on the screen
	silent bool            // alarms do not stop the clock
	proof  int             // the next event of the evidence to show
}

// raiseAlarms raises one alarm for each violated check. A check stays violated even while
// the past is shown, when it was not violated yet. On stage there is no alarm: the
// scenario has announced the violation, and a line above the caption names it.
func (m *model) raiseAlarms() {
	m.alarms.hidden = nil
	if r := m.Recording(); r != nil {
		m.alarms.hidden = r.Understated()
	}
	if broken := pane.Violated(pane.MergeChecks(m.state.Checks, m.alarms.hidden)); len(broken) >= len(m.alarms.broken) {
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
		if !m.alarms.silent && !m.isFrozen() && (m.travel.past || !m.IsRealTime()) {
			m.pauseClock()
		}
	}
}

// alarm returns the alarm on the screen, nil if there is none.
func (m *model) alarm() *pane.Alarm {
	told := slices.DeleteFunc(slices.Clone(m.alarms.broken), func(c trace.Check) bool { return !slices.Contains(m.alarms.shown, c.Name) })
	if len(told) == 0 {
		return nil
	}
	return &pane.Alarm{Checks: told, Stops: !m.alarms.silent}
}

// toggleStop switches whether a violation stops the clock.
func (m *model) toggleStop() {
	m.alarms.silent = !m.alarms.silent
	if m.alarms.silent {
		m.setToast("", "the clock keeps running on a violation", false)
		return
	}
	m.setToast("", "the clock stops on a violation", false)
}

// handleAlarmKey handles a key while an alarm is shown, and reports whether the key was
// for the alarm.
func (m *model) handleAlarmKey(pressed string) bool {
	switch pressed {
	case "enter", "j":
		m.nextProof()
	case "esc":
		m.alarms.shown = nil
	case "space":
		// Running the clock dismisses the alarm.
		m.alarms.shown = nil
		if m.isFrozen() {
			m.pauseClock()
		}
	default:
		return false
	}
	return true
}

// nextProof shows, one after the other, the events that prove a violation: of the check
// that the alarm names, or else of the worst one.
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

// showBestView turns to the view that shows an event of the past best.
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
