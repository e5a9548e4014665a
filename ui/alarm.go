package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
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

// alarm tells of checks that have just been violated, worst first.
type alarm struct {
	checks []trace.Check
	stops  bool // the clock was stopped for it
}

// lookAtChecks raises an alarm, once, for each check that is violated. What is
// violated stays so, though nobody knew of it at the moments of the past. On stage
// no alarm comes between the audience and the scenario, which has announced it: it
// is told above the caption.
func (m *model) lookAtChecks() {
	m.alarms.hidden = nil
	if m.recount != nil {
		m.alarms.hidden = m.recount.Understated()
	}
	if broken := violated(worseOf(m.state.Checks, m.alarms.hidden)); len(broken) >= len(m.alarms.broken) {
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
		if !m.alarms.silent && !m.still() {
			m.pauseClock()
		}
	}
}

// alarm returns what the alarm on the screen tells of, nil without one.
func (m *model) alarm() *alarm {
	told := slices.DeleteFunc(slices.Clone(m.alarms.broken), func(c trace.Check) bool { return !slices.Contains(m.alarms.shown, c.Name) })
	if len(told) == 0 {
		return nil
	}
	return &alarm{checks: told, stops: !m.alarms.silent}
}

// toggleStop chooses whether the clock stops when a check is violated.
func (m *model) toggleStop() {
	m.alarms.silent = !m.alarms.silent
	if m.alarms.silent {
		m.say("", "time goes on when a check is violated", false)
		return
	}
	m.say("", "time stands still when a check is violated", false)
}

// pressInAlarm takes a key while an alarm is on the screen, and reports whether
// it was meant for the alarm.
func (m *model) pressInAlarm(pressed string) bool {
	switch pressed {
	case "enter", "j":
		m.nextProof()
	case "esc":
		m.alarms.shown = nil
	case "space":
		// Whoever lets time go on has read it.
		m.alarms.shown = nil
		if m.still() {
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
		broken = told.checks
	}
	m.alarms.shown = nil
	if len(broken) == 0 || len(broken[0].Proof) == 0 {
		m.say("", "nothing is violated", false)
		return
	}
	c := broken[0]
	at := m.alarms.proof % len(c.Proof)
	m.alarms.proof = at + 1
	if m.look(c.Proof[at]); !m.toast.bad {
		m.turnTo(c.Proof[at])
		m.say("", fmt.Sprintf("proof %d of %d (j: next): %s", at+1, len(c.Proof), m.toast.text), false)
	}
}

// turnTo turns to the view in which an event of the past that is shown is seen best.
func (m *model) turnTo(seq uint64) {
	m.zoom = ""
	for _, op := range operations(&m.travel.shown) {
		if op.CallSeq == seq || op.ReturnSeq == seq {
			m.view, m.op = viewClients, op.ID
			return
		}
	}
	if m.view != viewLog {
		m.view = viewStage
	}
}

// alarmText is where the text of an alarm begins, and alarmWidth how wide it is.
const alarmText, alarmWidth = 10, 100

// drawAlarm draws the alarm above a row, where it leaves the nodes to be seen.
func (p *painter) drawAlarm(bottom int) {
	if p.alarm == nil {
		return
	}
	worst := p.alarm.checks[0]
	w := min(p.w-6, alarmWidth)
	part := func(label, text string, k ink) []alarmLine {
		var lines []alarmLine
		for i, row := range wrap(clean(text), w-alarmText) {
			if i == sentenceLines {
				break
			}
			lines = append(lines, alarmLine{label, row, k})
			label = ""
		}
		return lines
	}
	lines := part("promised", promised(worst.Name), inkText)
	lines = append(lines, part("happened", worst.Text, inkText|bold)...)
	if len(p.alarm.checks) > 1 {
		var also []string
		for _, c := range p.alarm.checks[1:] {
			also = append(also, clean(c.Name))
		}
		lines = append(lines, part("also", strings.Join(also, ", ")+" violated", inkBad)...)
	}
	r := rect{1, bottom - len(lines) - 4, p.w - 2, len(lines) + 4}
	in := p.framed(r, p.glyphs.bad+" violated: "+clean(worst.Name), inkBad|bold)
	for i, l := range lines {
		p.put(in.x, in.y+i, alarmText, l.label, inkDim)
		p.put(in.x+alarmText, in.y+i, in.w-alarmText, l.text, l.k)
	}
	at := &pen{c: p.canvas, x: in.x, y: in.y + in.h - 1, end: in.x + in.w}
	hint := func(key, text string) {
		p.hitKey(rect{at.x, at.y, width(key) + 1 + width(text), 1}, key)
		at.write(key, inkAccent|bold)
		at.write(" "+text, inkDim)
		at.skip(3)
	}
	hint("j", "what proves it")
	hint("esc", "close")
	if p.alarm.stops && p.paused {
		hint("space", "let time go on")
	}
}

// alarmLine is a line of an alarm.
type alarmLine struct {
	label, text string
	k           ink
}
