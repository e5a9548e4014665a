package pane

import (
	"fmt"
	"strings"

	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Clients draws what the clients do, in one line or two.
func (p *Painter) Clients(r canvas.Rectangle) {
	if r.Empty() {
		return
	}
	c := p.State.Clients
	at := p.Pen(r.X+2, r.Y, r.X+r.W)
	at.Write("clients", style.Dim)
	for _, t := range p.totals() {
		at.Skip(2)
		at.Write(t.Text, t.Style)
	}
	at.Skip(2)
	at.Write(fmt.Sprintf("%d in flight", c.InFlight), style.Dim)

	var how []string
	if p.Route != "" {
		how = append(how, "via "+p.Route)
	}
	if p.Level != "" {
		how = append(how, p.Level+" reads")
	}
	if p.Load > 0 {
		how = append(how, fmt.Sprintf("load %d/s", p.Load))
	}
	rate := fmt.Sprintf("%.0f/s", p.AckRate)
	if r.H > 1 {
		at = p.Pen(r.X+2, r.Y+1, r.X+r.W)
		at.Skip(len("clients") + 2)
		at.Write(strings.Join(how, "  "), style.Dim)
		how = nil
	}
	at.Skip(3)
	if !at.Fits(len(rate) + 1 + 8) {
		return
	}
	at.Write(rate, style.Text|style.Bold)
	at.Skip(1)
	at.X = p.sparkline(at.X, at.Y, min(at.End-at.X, 30))
	at.Skip(3)
	if text := strings.Join(how, "  "); text != "" && at.Fits(canvas.Width(text)) {
		at.Write(text, style.Dim)
	}
}

// sparkline draws the latest of the history in at most w cells, and returns
// where it ended.
func (p *Painter) sparkline(x, y, w int) int {
	last := p.AckHistory[max(len(p.AckHistory)-w, 0):]
	top := 1
	for _, n := range last {
		top = max(top, n)
	}
	levels := p.Glyphs.Sparkline
	for i, n := range last {
		// Nothing at all is told from a little.
		level, k := 0, style.Faint
		if n > 0 {
			level, k = min(n*len(levels)/(top+1), len(levels)-1), style.Accent
		}
		p.Set(x+i, y, levels[level], k)
	}
	return x + len(last)
}
