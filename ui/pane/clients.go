package pane

import (
	"fmt"
	"strings"

	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Clients draws the outcomes, the rate and the settings of the clients, in one line or two.
func (p *Painter) Clients(r canvas.Rectangle) {
	if r.Empty() {
		return
	}
	c := p.State.Clients
	pen := p.Pen(r.X+2, r.Y, r.X+r.W)
	pen.Write("clients", style.Dim)
	for _, t := range p.clientTotals() {
		pen.Skip(2)
		pen.Write(t.Text, t.Style)
	}
	pen.Skip(2)
	pen.Write(fmt.Sprintf("%d in flight", c.InFlight), style.Dim)

	var settings []string
	if p.Route != "" {
		settings = append(settings, "via "+p.Route)
	}
	if p.Level != "" {
		settings = append(settings, p.Level+" reads")
	}
	if p.Load > 0 {
		settings = append(settings, fmt.Sprintf("load %d/s", p.Load))
	}
	rate := fmt.Sprintf("%.0f/s", p.AckRate)
	if r.H > 1 {
		pen = p.Pen(r.X+2, r.Y+1, r.X+r.W)
		pen.Skip(len("clients") + 2)
		pen.Write(strings.Join(settings, "  "), style.Dim)
		settings = nil
	}
	pen.Skip(3)
	if !pen.Fits(len(rate) + 1 + 8) {
		return
	}
	pen.Write(rate, style.Text|style.Bold)
	pen.Skip(1)
	pen.X = p.sparkline(pen.X, pen.Y, min(pen.End-pen.X, 30))
	pen.Skip(3)
	if text := strings.Join(settings, "  "); text != "" && pen.Fits(canvas.Width(text)) {
		pen.Write(text, style.Dim)
	}
}

// sparkline draws the latest seconds of the rate in at most w cells, and returns the column
// after it.
func (p *Painter) sparkline(x, y, w int) int {
	last := p.AckHistory[max(len(p.AckHistory)-w, 0):]
	highest := 1
	for _, n := range last {
		highest = max(highest, n)
	}
	levels := p.Glyphs.Sparkline
	for i, n := range last {
		// Zero looks different from little.
		level, st := 0, style.Faint
		if n > 0 {
			level, st = min(n*len(levels)/(highest+1), len(levels)-1), style.Accent
		}
		p.Set(x+i, y, levels[level], st)
	}
	return x + len(last)
}
