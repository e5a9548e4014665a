package ui

import (
	"fmt"
	"math"

	"capsize/cluster/trace"
)

// form is how much of a node the ring shows.
type form int

const (
	hugeForm  form = iota // its name, and its value in digits of twice the size
	bigForm               // its name, and its value in big digits
	smallForm             // its name over its value
	tinyForm              // both in one line
)

const (
	// bigLength is the longest number that is drawn in big digits.
	bigLength = 5
	// ringName is how much of a long name the ring shows.
	ringName = 12
	// hugeFrom is how high a screen is on which digits of twice the size look calm.
	hugeFrom = 48
	// ringStretch is how much wider than round the ring may be, to use its pane.
	ringStretch = 1.5
)

// point is a place on the screen, in cells, not rounded.
type point struct{ x, y float64 }

func (a point) to(b point, part float64) point {
	return point{a.x + (b.x-a.x)*part, a.y + (b.y-a.y)*part}
}

// station is the place of a node on the ring.
type station struct {
	node  *trace.Node
	angle float64
	mid   point
	r     rect
}

// circle is the ring: its middle and its radii.
type circle struct {
	mid    point
	rx, ry float64
}

// on returns the point at an angle, at a part of the radius.
func (c circle) on(angle, part float64) point {
	return point{c.mid.x + math.Cos(angle)*c.rx*part, c.mid.y + math.Sin(angle)*c.ry*part}
}

// ring draws the nodes in a circle, what separates them, and what they say.
func (p *painter) ring(r rect) {
	if r.empty() || len(p.state.Nodes) == 0 {
		return
	}
	var stations []station
	var round circle
	shape := hugeForm
	if !p.glyphs.big {
		shape = smallForm
	} else if p.height < hugeFrom || len(p.state.Nodes)*p.largest(hugeForm)*(1+hugeHeight)*4 > r.w*r.h {
		// There must be much more room between the nodes than they take.
		shape = bigForm
	}
	for ; ; shape++ {
		stations, round = p.stations(r, shape)
		if shape == tinyForm || !overlap(stations) {
			break
		}
	}
	d := newDots(p.canvas, p.glyphs, r)
	for i := range stations {
		d.keepOut(stations[i].r)
	}
	walled := p.wall(d, stations, round)
	p.links(d, stations, walled)
	p.sparksOn(d, stations)
	d.paint()
	for i := range stations {
		p.station(&stations[i], shape)
	}
}

// largest returns how wide the widest node is.
func (p *painter) largest(shape form) int {
	widest := 0
	for i := range p.state.Nodes {
		w, _ := p.block(&p.state.Nodes[i], shape)
		widest = max(widest, w)
	}
	return widest
}

// stations places the nodes. The first is at the top, the others clockwise.
func (p *painter) stations(r rect, shape form) ([]station, circle) {
	n := len(p.state.Nodes)
	stations := make([]station, n)
	var low, high point
	blockW, blockH := 0, 0
	for i := range stations {
		s := &stations[i]
		s.node = &p.state.Nodes[i]
		s.angle = -math.Pi/2 + 2*math.Pi*float64(i)/float64(n)
		if n == 2 {
			s.angle += math.Pi / 2 * 3
		}
		s.r.w, s.r.h = p.block(s.node, shape)
		blockW, blockH = max(blockW, s.r.w), max(blockH, s.r.h)
		if i == 0 {
			low = point{math.Cos(s.angle), math.Sin(s.angle)}
			high = low
		}
		low = point{min(low.x, math.Cos(s.angle)), min(low.y, math.Sin(s.angle))}
		high = point{max(high.x, math.Cos(s.angle)), max(high.y, math.Sin(s.angle))}
	}
	c := circle{rx: float64(r.w-blockW-2) / max(high.x-low.x, 0.1), ry: float64(r.h-blockH) / max(high.y-low.y, 0.1)}
	// A cell is twice as high as wide.
	c.rx, c.ry = max(min(c.rx, c.ry*2*ringStretch), 0), max(min(c.ry, c.rx/1.6), 0)
	c.mid.x = float64(r.x+1) + float64(r.w)/2 - (low.x+high.x)/2*c.rx
	c.mid.y = float64(r.y) + float64(r.h)/2 - (low.y+high.y)/2*c.ry
	for i := range stations {
		s := &stations[i]
		at := c.on(s.angle, 1)
		// The cursor stands two cells before a node.
		s.r.x = min(max(int(math.Round(at.x-float64(s.r.w)/2)), r.x+2), r.x+r.w-s.r.w)
		s.r.y = min(max(int(math.Round(at.y-float64(s.r.h)/2)), r.y), r.y+r.h-s.r.h)
		s.mid = point{float64(s.r.x) + float64(s.r.w)/2, float64(s.r.y) + float64(s.r.h)/2}
	}
	return stations, c
}

// overlap says whether nodes stand in each other's way.
func overlap(stations []station) bool {
	for i := range stations {
		for j := range i {
			a, b := stations[i].r, stations[j].r
			if a.x <= b.x+b.w+1 && b.x <= a.x+a.w+1 && a.y < b.y+b.h && b.y < a.y+a.h {
				return true
			}
		}
	}
	return false
}

// title is the line over a node's value: glyph, name, and what is unusual.
func (p *painter) title(n *trace.Node) []note {
	look := p.glyphs.lookOf(n)
	parts := []note{{look.glyph + " ", look.ink}, {truncate(clean(n.ID), ringName, p.glyphs.more), p.nameInk(n)}}
	switch {
	case !n.Process.Running() || n.Process == trace.Paused:
		return append(parts, note{" " + look.word, look.ink})
	case n.Role == trace.Candidate:
		total := max(len(p.voters), len(n.Votes))
		return append(parts, note{fmt.Sprintf(" %d/%d", len(n.Votes), trace.Quorum(total)), look.ink})
	}
	if text := p.behindText(n); text != "" {
		parts = append(parts, note{" " + text, inkWarn})
	}
	return parts
}

func widthOf(parts []note) int {
	sum := 0
	for _, part := range parts {
		sum += width(part.text)
	}
	return sum
}

// block returns the size of a node on the ring.
func (p *painter) block(n *trace.Node, shape form) (w, h int) {
	value, _ := p.valueOf(n)
	title := widthOf(p.title(n))
	switch {
	case shape == tinyForm:
		return min(title, ringName+2) + 1 + min(len(value), bigLength), 1
	case shape == hugeForm && len(value) <= bigLength:
		return max(title, hugeWidth(value)), 1 + hugeHeight
	case shape == bigForm && len(value) <= bigLength:
		return max(title, bigWidth(value)), 1 + bigHeight
	}
	return max(title, min(len(value), 20)), 2
}

// station draws one node.
func (p *painter) station(s *station, shape form) {
	n, r := s.node, s.r
	p.hitNode(r, n.ID)
	value, k := p.valueOf(n)
	parts := p.title(n)
	if shape == tinyForm {
		// Of what is unusual there is only the glyph, and the table.
		at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
		at.write(parts[0].text, parts[0].ink)
		at.write(parts[1].text, parts[1].ink)
		p.putRight(r.x+r.w, r.y, bigLength, fit(n.Value, min(len(value), bigLength)), k)
		p.markStation(s)
		return
	}
	at := &pen{c: p.canvas, x: r.x + (r.w-widthOf(parts))/2, y: r.y, end: r.x + r.w}
	for _, part := range parts {
		at.write(part.text, part.ink)
	}
	switch {
	case r.h > 1+bigHeight:
		p.putHuge(r.x+(r.w-hugeWidth(value))/2, r.y+1, value, k)
	case r.h > 2:
		p.putBig(r.x+(r.w-bigWidth(value))/2, r.y+1, value, k)
	default:
		p.put(r.x+(r.w-len(value))/2, r.y+1, r.w, value, k)
	}
	p.markStation(s)
}

// markStation draws the cursor beside a node, and the mark of a selected one.
func (p *painter) markStation(s *station) {
	x := s.r.x - 2
	if p.cursorOn(s.node.ID) {
		p.fill(rect{x, s.r.y, 1, s.r.h}, p.glyphs.cursor, p.cursorInk())
	}
	if p.selected[s.node.ID] {
		p.set(x+s.r.w+2, s.r.y, p.glyphs.marked, inkAccent)
	}
}
