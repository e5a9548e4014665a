package pane

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Alarm is about checks that have just been violated.
type Alarm struct {
	Checks []trace.Check // worst first
	Stops  bool          // the alarm stopped the clock
}

const (
	alarmTextX = 10  // where the text behind the labels starts
	alarmWidth = 100 // the widest alarm, to keep lines readable
)

// drawAlarm draws the alarm above row bottom and leaves the nodes visible.
func (p *Painter) drawAlarm(bottom int) {
	if p.Alarm == nil {
		return
	}
	worst := p.Alarm.Checks[0]
	w := min(p.W-6, alarmWidth)
	part := func(label, text string, st style.Style) []alarmLine {
		var lines []alarmLine
		for i, row := range canvas.Wrap(canvas.Sanitize(text), w-alarmTextX) {
			if i == verdictLines {
				break
			}
			lines = append(lines, alarmLine{label, row, st})
			label = ""
		}
		return lines
	}
	lines := part("expected", promiseOf(worst.Name), style.Text)
	lines = append(lines, part("observed", worst.Text, style.Text|style.Bold)...)
	if len(p.Alarm.Checks) > 1 {
		var also []string
		for _, c := range p.Alarm.Checks[1:] {
			also = append(also, canvas.Sanitize(c.Name))
		}
		lines = append(lines, part("also", strings.Join(also, ", ")+" violated", style.Bad)...)
	}
	r := canvas.Rect(1, bottom-len(lines)-4, p.W-2, len(lines)+4)
	in := p.framed(r, p.Glyphs.Bad+" violated: "+canvas.Sanitize(worst.Name), style.Bad|style.Bold)
	for i, l := range lines {
		p.Put(in.X, in.Y+i, alarmTextX, l.label, style.Dim)
		p.Put(in.X+alarmTextX, in.Y+i, in.W-alarmTextX, l.text, l.style)
	}
	pen := p.Pen(in.X, in.Y+in.H-1, in.X+in.W)
	hint := func(key, text string) {
		p.hitKey(canvas.Rect(pen.X, pen.Y, canvas.Width(key)+1+canvas.Width(text), 1), key)
		pen.Write(key, style.Accent|style.Bold)
		pen.Write(" "+text, style.Dim)
		pen.Skip(3)
	}
	hint("j", "jump to the evidence")
	hint("esc", "close")
	if p.Alarm.Stops && p.Paused {
		hint("space", "resume")
	}
}

// alarmLine is a line of an alarm.
type alarmLine struct {
	label, text string
	style       style.Style
}
