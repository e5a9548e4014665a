package view

import (
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// Messages are drawn as lines while there are at most messagesMin of them, or one per
// messageCells cells: more would hide each other.
const (
	messagesMin  = 120
	messageCells = 30
)

// drawMessages draws messages as slanted lines or, where there are too many, a
// sparkline of what each node sent.
func (p *timePainter) drawMessages() {
	all, loud := 0, 0
	for i := range p.diagram.Messages {
		if m := &p.diagram.Messages[i]; m.Sent < p.to && (m.Ended == 0 || m.Ended >= p.from) {
			all++
			if !m.Quiet {
				loud++
			}
		}
	}
	most := max(p.r.W*p.r.H/messageCells, messagesMin)
	if p.pitch < 2 || p.diagram.Crowded || loud > most {
		p.drawDensity()
		return
	}
	d := canvas.NewLineLayer(p.Canvas, p.r)
	for i := range p.diagram.Messages {
		if m := &p.diagram.Messages[i]; !m.Quiet || all <= most {
			p.drawMessage(d, m)
		}
	}
	d.Paint()
}

// drawMessage draws a message from its sender's lane to its receiver's.
func (p *timePainter) drawMessage(d *canvas.LineLayer, m *spacetime.Message) {
	from, to := p.laneIndex(m.Packet.From), p.laneIndex(m.Packet.To)
	if from < 0 || to < 0 {
		return
	}
	place := func(lane int, at time.Duration) canvas.Point {
		return canvas.Pt(float64(p.r.X)+float64(at-p.from)/float64(p.cell), float64(p.row(lane))+0.5)
	}
	until := m.Ended
	switch {
	case until == 0:
		until = min(p.Latest, m.Sent+max(m.Packet.Delay, p.cell))
	case until > p.Latest:
		until = p.Latest
	}
	a, b := place(from, m.Sent), place(to, until)
	k, glyph := pane.PacketStyle(m.Packet), pane.PacketGlyph(p.Glyphs, m.Packet)
	if m.Quiet {
		k, glyph = style.Faint, p.Glyphs.Dot
	}
	if p.LooksInto(m.Packet.ID) {
		k = style.Accent | style.Bold
	}
	switch {
	case m.Packet.Status == trace.Lost:
		b, glyph = a.Lerp(b, 0.5), p.Glyphs.Bad
		d.Line(a, b, p.Glyphs.Dot, style.Faint, 1)
		k = style.Faint
		if !m.Quiet {
			k = style.Bad
		}
		d.Mark(b, glyph, k)
		p.HitMark(d, b, m.Packet.ID)
		return
	case m.Ended == 0 && m.Packet.Delay > 0:
		b = a.Lerp(place(to, m.Sent+m.Packet.Delay), min(float64(p.Latest-m.Sent)/float64(m.Packet.Delay), 1))
	}
	d.Line(a, b, p.Glyphs.Dot, k, 1)
	// The head stands next to the lane, not on it.
	if rows := b.Y - a.Y; rows > 1 || rows < -1 {
		b = a.Lerp(b, 1-1/max(rows, -rows))
	}
	d.Mark(b, glyph, k)
	p.HitMark(d, b, m.Packet.ID)
}

// laneIndex returns the index of a node's lane in p.shown, -1 if it is not shown.
func (p *timePainter) laneIndex(node string) int {
	for i := range p.shown {
		if p.shown[i].Node == node {
			return i
		}
	}
	return -1
}

// drawDensity draws below each lane a sparkline of the messages that its node sent.
func (p *timePainter) drawDensity() {
	if p.pitch < 2 {
		return
	}
	counts, most := make(map[string][]int, len(p.shown)), 1
	for i := range p.diagram.Messages {
		m := &p.diagram.Messages[i]
		if !p.contains(m.Sent) {
			continue
		}
		if counts[m.Packet.From] == nil {
			counts[m.Packet.From] = make([]int, p.r.W)
		}
		at := p.column(m.Sent) - p.r.X
		counts[m.Packet.From][at]++
		most = max(most, counts[m.Packet.From][at])
	}
	for i := range p.shown {
		for x, n := range counts[p.shown[i].Node] {
			if n > 0 {
				p.Set(p.r.X+x, p.row(i)+1, sparkGlyph(p.Glyphs, n, most), style.Faint)
			}
		}
	}
}

// sparkGlyph returns the glyph of a sparkline for n of at most most.
func sparkGlyph(g *style.Glyphs, n, most int) string {
	return g.Sparkline[min(n*len(g.Sparkline)/(most+1), len(g.Sparkline)-1)]
}
