package pane

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Alarm tells of checks that have just been violated, worst first.
type Alarm struct {
	Checks []trace.Check
	Stops  bool // the clock was stopped for it
}

// alarmTextX is where the text of an alarm begins, and alarmWidth how wide it is.
const alarmTextX, alarmWidth = 10, 100

// drawAlarm draws the alarm above a row, where it leaves the nodes to be seen.
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
	lines := part("promised", promised(worst.Name), style.Text)
	lines = append(lines, part("happened", worst.Text, style.Text|style.Bold)...)
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
	hint("j", "what proves it")
	hint("esc", "close")
	if p.Alarm.Stops && p.Paused {
		hint("space", "let time go on")
	}
}

// alarmLine is a line of an alarm.
type alarmLine struct {
	label, text string
	style       style.Style
}
