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

// courseWidth is how much of the name of a branch or a recording the header shows.
const courseWidth = 16

// whenever writes where in time the screen looks, and how fast that moves.
func (p *Painter) whenever(at *canvas.Pen) {
	back := p.Glyphs.Minus + pastBy(p.Latest-p.Now)
	switch {
	case p.Past && p.Playing:
		at.Write(p.Glyphs.Play+" past "+back, style.Accent|style.Bold)
		at.Skip(1)
		p.pace(at, style.Dim)
	case p.Past && !p.Stepping:
		at.Write(p.Glyphs.Pause+" past "+back, style.Accent|style.Bold)
	case p.Recorded:
		at.Write(p.Glyphs.Pause+" the end", style.Warn|style.Bold)
	case p.Paused && p.Presenting:
		at.Write(p.Glyphs.Pause, style.Dim)
	case p.Paused:
		at.Write(p.Glyphs.Pause+" paused", style.Warn|style.Bold)
	default:
		at.Write(p.Glyphs.Play+" ", style.Good)
		p.pace(at, style.Good)
	}
	at.Skip(2)
	if p.Branch != "" {
		at.Write(canvas.Truncate(canvas.Sanitize(p.Branch), courseWidth, p.Glyphs.Ellipsis), style.Accent)
		at.Skip(2)
	}
	// Where one goes from event to event, a tenth of a second is long.
	if p.Past || p.Speed < 1 {
		at.Write(trace.ClockMillis(p.Now), style.Text|style.Bold)
	} else {
		at.Write(trace.Clock(p.Now), style.Text|style.Bold)
	}
	at.Skip(3)
}

// pace writes the speed as asked for and, where that is less, as reached.
func (p *Painter) pace(at *canvas.Pen, k style.Style) {
	if p.AutoSpeed {
		at.Write("auto ", k)
	}
	at.Write(SpeedText(p.Speed), k)
	switch {
	case p.ActualSpeed > 0 && p.Speed >= vtime.Max:
		at.Write(fmt.Sprintf(" %.0fx", p.ActualSpeed), style.Dim)
	case p.ActualSpeed > 0:
		at.Write(fmt.Sprintf(" (reaches %.0fx)", p.ActualSpeed), style.Warn)
	}
}

// pastBy writes how long ago something is, finely where it is not long.
func pastBy(d time.Duration) string {
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

// SpeedText writes a speed as people say it: 10x, 1/100x, max.
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

// SpeedWord writes a speed as the command language does.
func SpeedWord(speed float64) string {
	if speed >= vtime.Max {
		return "max"
	}
	return strconv.FormatFloat(speed, 'g', 3, 64)
}
