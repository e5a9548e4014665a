package ui

import (
	"fmt"
	"time"

	"capsize/cluster/vtime"
)

// courseWidth is how much of the name of a branch or a recording the header shows.
const courseWidth = 16

// whenever writes where in time the screen looks, and how fast that moves.
func (p *painter) whenever(at *pen) {
	back := p.glyphs.minus + pastBy(p.latest-p.now)
	switch {
	case p.past && p.playing:
		at.write(p.glyphs.play+" past "+back, inkAccent|bold)
		at.skip(1)
		p.pace(at, inkDim)
	case p.past && !p.stepped:
		at.write(p.glyphs.stop+" past "+back, inkAccent|bold)
	case p.recorded:
		at.write(p.glyphs.stop+" the end", inkWarn|bold)
	case p.paused && p.presents:
		at.write(p.glyphs.stop, inkDim)
	case p.paused:
		at.write(p.glyphs.stop+" paused", inkWarn|bold)
	default:
		at.write(p.glyphs.play+" ", inkGood)
		p.pace(at, inkGood)
	}
	at.skip(2)
	if p.course != "" {
		at.write(truncate(clean(p.course), courseWidth, p.glyphs.more), inkAccent)
		at.skip(2)
	}
	// Where one goes from event to event, a tenth of a second is long.
	if p.past || p.speed < 1 {
		at.write(fineTime(p.now), inkText|bold)
	} else {
		at.write(clockTime(p.now), inkText|bold)
	}
	at.skip(3)
}

// pace writes the speed as asked for and, where that is less, as reached.
func (p *painter) pace(at *pen, k ink) {
	if p.auto {
		at.write("auto ", k)
	}
	at.write(speedText(p.speed), k)
	switch {
	case p.reached > 0 && p.speed >= vtime.Max:
		at.write(fmt.Sprintf(" %.0fx", p.reached), inkDim)
	case p.reached > 0:
		at.write(fmt.Sprintf(" (reaches %.0fx)", p.reached), inkWarn)
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
