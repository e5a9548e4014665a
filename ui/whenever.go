package ui

import (
	"fmt"
	"time"

	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// courseWidth is how much of the name of a branch or a recording the header shows.
const courseWidth = 16

// whenever writes where in time the screen looks, and how fast that moves.
func (p *painter) whenever(at *canvas.Pen) {
	back := p.glyphs.Minus + pastBy(p.latest-p.now)
	switch {
	case p.past && p.playing:
		at.Write(p.glyphs.Play+" past "+back, style.Accent|style.Bold)
		at.Skip(1)
		p.pace(at, style.Dim)
	case p.past && !p.stepped:
		at.Write(p.glyphs.Stop+" past "+back, style.Accent|style.Bold)
	case p.recorded:
		at.Write(p.glyphs.Stop+" the end", style.Warn|style.Bold)
	case p.paused && p.presents:
		at.Write(p.glyphs.Stop, style.Dim)
	case p.paused:
		at.Write(p.glyphs.Stop+" paused", style.Warn|style.Bold)
	default:
		at.Write(p.glyphs.Play+" ", style.Good)
		p.pace(at, style.Good)
	}
	at.Skip(2)
	if p.course != "" {
		at.Write(canvas.Truncate(canvas.Sanitize(p.course), courseWidth, p.glyphs.More), style.Accent)
		at.Skip(2)
	}
	// Where one goes from event to event, a tenth of a second is long.
	if p.past || p.speed < 1 {
		at.Write(canvas.ClockMillis(p.now), style.Text|style.Bold)
	} else {
		at.Write(canvas.Clock(p.now), style.Text|style.Bold)
	}
	at.Skip(3)
}

// pace writes the speed as asked for and, where that is less, as reached.
func (p *painter) pace(at *canvas.Pen, k style.Style) {
	if p.auto {
		at.Write("auto ", k)
	}
	at.Write(speedText(p.speed), k)
	switch {
	case p.reached > 0 && p.speed >= vtime.Max:
		at.Write(fmt.Sprintf(" %.0fx", p.reached), style.Dim)
	case p.reached > 0:
		at.Write(fmt.Sprintf(" (reaches %.0fx)", p.reached), style.Warn)
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

// speedText writes a speed as people say it: 10x, 1/100x, max.
func speedText(speed float64) string {
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
