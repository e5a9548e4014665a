package pane

import (
	"fmt"
	"strconv"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// branchWidth is the longest name of a branch or a recording in the header.
const branchWidth = 16

// clock writes the moment shown, and how fast time passes.
func (p *Painter) clock(pen *canvas.Pen) {
	back := p.Glyphs.Minus + timeAgo(p.Latest-p.Now)
	switch {
	case p.Past && p.Playing:
		pen.Write(p.Glyphs.Play+" past "+back, style.Accent|style.Bold)
		pen.Skip(1)
		p.speed(pen, style.Dim)
	case p.Past && !p.Stepping:
		pen.Write(p.Glyphs.Pause+" past "+back, style.Accent|style.Bold)
	case p.Recorded:
		pen.Write(p.Glyphs.Pause+" end", style.Warn|style.Bold)
	case p.Paused && p.Presenting:
		pen.Write(p.Glyphs.Pause, style.Dim)
	case p.Paused:
		pen.Write(p.Glyphs.Pause+" paused", style.Warn|style.Bold)
	case p.Processes:
		pen.Write(p.Glyphs.Play, style.Good)
	default:
		pen.Write(p.Glyphs.Play+" ", style.Good)
		p.speed(pen, style.Good)
	}
	pen.Skip(2)
	if p.Branch != "" {
		pen.Write(canvas.Truncate(canvas.Sanitize(p.Branch), branchWidth, p.Glyphs.Ellipsis), style.Accent)
		pen.Skip(2)
	}
	// Several events may share a tenth of a second: slow and past clocks show more.
	if p.Past || p.Speed < 1 {
		pen.Write(trace.ClockMillis(p.Now), style.Text|style.Bold)
	} else {
		pen.Write(trace.Clock(p.Now), style.Text|style.Bold)
	}
	pen.Skip(3)
}

// speed writes the speed requested and, if it is lower, the speed reached.
func (p *Painter) speed(pen *canvas.Pen, st style.Style) {
	if p.AutoSpeed {
		pen.Write("auto ", st)
	}
	pen.Write(SpeedText(p.Speed), st)
	switch {
	case p.ActualSpeed > 0 && p.Speed >= vtime.Max:
		pen.Write(fmt.Sprintf(" %.0fx", p.ActualSpeed), style.Dim)
	case p.ActualSpeed > 0:
		pen.Write(fmt.Sprintf(" (actual %.0fx)", p.ActualSpeed), style.Warn)
	}
}

// timeAgo formats how far back a moment is, in milliseconds below one second. It is finer
// than [trace.Age], which has to fit into a column.
func timeAgo(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// SpeedText formats a speed for people: 10x, 1/100x, max.
func SpeedText(speed float64) string {
	switch {
	case speed >= vtime.Max:
		return "max"
	case speed >= 1:
		return fmt.Sprintf("%gx", speed)
	case speed > 0:
		return fmt.Sprintf("1/%.0fx", 1/speed)
	}
	return "0x"
}

// SpeedWord formats a speed as the command language writes it.
func SpeedWord(speed float64) string {
	if speed >= vtime.Max {
		return "max"
	}
	return strconv.FormatFloat(speed, 'g', 3, 64)
}
