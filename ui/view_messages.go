package ui

import (
	"time"

	"capsize/cluster/trace"
)

// messagesMin and messageCells say how many messages are drawn as lines: so many
// at least, and one for so many cells. More would hide each other.
const (
	messagesMin  = 120
	messageCells = 30
)

// messages draws messages as slanted lines or, where there are too many, how many
// each node sent.
func (l *lanes) messages() {
	all, loud := 0, 0
	for i := range l.chart.messages {
		if m := &l.chart.messages[i]; m.sent < l.to && (m.ended == 0 || m.ended >= l.from) {
			all++
			if !m.quiet {
				loud++
			}
		}
	}
	most := max(l.r.w*l.r.h/messageCells, messagesMin)
	if l.apart < 2 || l.chart.crowded || loud > most {
		l.density()
		return
	}
	d := newDots(l.canvas, l.glyphs, l.r)
	for i := range l.chart.messages {
		if m := &l.chart.messages[i]; !m.quiet || all <= most {
			l.message(d, m)
		}
	}
	d.paint()
}

// message draws one message from the lane it came from to the one it went to.
func (l *lanes) message(d *dots, m *message) {
	from, to := l.find(m.packet.From), l.find(m.packet.To)
	if from < 0 || to < 0 {
		return
	}
	place := func(lane int, at time.Duration) point {
		return point{float64(l.r.x) + float64(at-l.from)/float64(l.cell), float64(l.row(lane)) + 0.5}
	}
	until := m.ended
	switch {
	case until == 0:
		until = min(l.latest, m.sent+max(m.packet.Delay, l.cell))
	case until > l.latest:
		until = l.latest
	}
	a, b := place(from, m.sent), place(to, until)
	k, glyph := packetInk(m.packet), l.glyphs.ofPacket(m.packet)
	if m.quiet {
		k, glyph = inkFaint, l.glyphs.dot
	}
	switch {
	case m.packet.Status == trace.Lost:
		b, glyph = a.to(b, 0.5), l.glyphs.bad
		d.line(a, b, l.glyphs.dot, inkFaint, 1)
		k = inkFaint
		if !m.quiet {
			k = inkBad
		}
		d.mark(b, glyph, k)
		return
	case m.ended == 0 && m.packet.Delay > 0:
		b = a.to(place(to, m.sent+m.packet.Delay), min(float64(l.latest-m.sent)/float64(m.packet.Delay), 1))
	}
	d.line(a, b, l.glyphs.dot, k, 1)
	// The head stands before the lane, not on it.
	if rows := b.y - a.y; rows > 1 || rows < -1 {
		b = a.to(b, 1-1/max(rows, -rows))
	}
	d.mark(b, glyph, k)
}

// find returns the place of a node's lane among those shown, -1 if it is not.
func (l *lanes) find(node string) int {
	for i := range l.shown {
		if l.shown[i].node == node {
			return i
		}
	}
	return -1
}

// density draws how many messages each node sent when.
func (l *lanes) density() {
	if l.apart < 2 {
		return
	}
	counts, most := make(map[string][]int, len(l.shown)), 1
	for i := range l.chart.messages {
		m := &l.chart.messages[i]
		if !l.has(m.sent) {
			continue
		}
		if counts[m.packet.From] == nil {
			counts[m.packet.From] = make([]int, l.r.w)
		}
		at := l.at(m.sent) - l.r.x
		counts[m.packet.From][at]++
		most = max(most, counts[m.packet.From][at])
	}
	levels := l.glyphs.spark
	for i := range l.shown {
		for x, n := range counts[l.shown[i].node] {
			if n > 0 {
				l.set(l.r.x+x, l.row(i)+1, levels[min(n*len(levels)/(most+1), len(levels)-1)], inkFaint)
			}
		}
	}
}
