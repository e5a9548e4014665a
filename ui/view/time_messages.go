package view

import (
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// messagesMin and messageCells say how many messages are drawn as lines: so many
// at least, and one for so many cells. More would hide each other.
const (
	messagesMin  = 120
	messageCells = 30
)

// drawMessages draws messages as slanted lines or, where there are too many, how many
// each node sent.
func (l *timePainter) drawMessages() {
	all, loud := 0, 0
	for i := range l.chart.messages {
		if m := &l.chart.messages[i]; m.sent < l.to && (m.ended == 0 || m.ended >= l.from) {
			all++
			if !m.quiet {
				loud++
			}
		}
	}
	most := max(l.r.W*l.r.H/messageCells, messagesMin)
	if l.pitch < 2 || l.chart.crowded || loud > most {
		l.drawDensity()
		return
	}
	d := canvas.NewLineLayer(l.Canvas, l.Glyphs, l.r)
	for i := range l.chart.messages {
		if m := &l.chart.messages[i]; !m.quiet || all <= most {
			l.drawMessage(d, m)
		}
	}
	d.Paint()
}

// drawMessage draws one message from the lane it came from to the one it went to.
func (l *timePainter) drawMessage(d *canvas.LineLayer, m *message) {
	from, to := l.laneIndex(m.packet.From), l.laneIndex(m.packet.To)
	if from < 0 || to < 0 {
		return
	}
	place := func(lane int, at time.Duration) canvas.Point {
		return canvas.Pt(float64(l.r.X)+float64(at-l.from)/float64(l.cell), float64(l.row(lane))+0.5)
	}
	until := m.ended
	switch {
	case until == 0:
		until = min(l.Latest, m.sent+max(m.packet.Delay, l.cell))
	case until > l.Latest:
		until = l.Latest
	}
	a, b := place(from, m.sent), place(to, until)
	k, glyph := pane.PacketInk(m.packet), pane.PacketGlyph(l.Glyphs, m.packet)
	if m.quiet {
		k, glyph = style.Faint, l.Glyphs.Dot
	}
	switch {
	case m.packet.Status == trace.Lost:
		b, glyph = a.To(b, 0.5), l.Glyphs.Bad
		d.Line(a, b, l.Glyphs.Dot, style.Faint, 1)
		k = style.Faint
		if !m.quiet {
			k = style.Bad
		}
		d.Mark(b, glyph, k)
		return
	case m.ended == 0 && m.packet.Delay > 0:
		b = a.To(place(to, m.sent+m.packet.Delay), min(float64(l.Latest-m.sent)/float64(m.packet.Delay), 1))
	}
	d.Line(a, b, l.Glyphs.Dot, k, 1)
	// The head stands before the lane, not on it.
	if rows := b.Y - a.Y; rows > 1 || rows < -1 {
		b = a.To(b, 1-1/max(rows, -rows))
	}
	d.Mark(b, glyph, k)
}

// laneIndex returns the place of a node's lane among those shown, -1 if it is not.
func (l *timePainter) laneIndex(node string) int {
	for i := range l.shown {
		if l.shown[i].node == node {
			return i
		}
	}
	return -1
}

// drawDensity draws how many messages each node sent when.
func (l *timePainter) drawDensity() {
	if l.pitch < 2 {
		return
	}
	counts, most := make(map[string][]int, len(l.shown)), 1
	for i := range l.chart.messages {
		m := &l.chart.messages[i]
		if !l.contains(m.sent) {
			continue
		}
		if counts[m.packet.From] == nil {
			counts[m.packet.From] = make([]int, l.r.W)
		}
		at := l.column(m.sent) - l.r.X
		counts[m.packet.From][at]++
		most = max(most, counts[m.packet.From][at])
	}
	levels := l.Glyphs.Spark
	for i := range l.shown {
		for x, n := range counts[l.shown[i].node] {
			if n > 0 {
				l.Set(l.r.X+x, l.row(i)+1, levels[min(n*len(levels)/(most+1), len(levels)-1)], style.Faint)
			}
		}
	}
}
