package pane

import (
	"fmt"
	"math"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// nodeSize is how much of a node the ring shows.
type nodeSize int

const (
	hugeForm  nodeSize = iota // its name, and its value in digits of twice the size
	bigForm                   // its name, and its value in big digits
	smallForm                 // its name over its value
	tinyForm                  // both in one line
)

const (
	// BigDigitsMax is the longest number that is drawn in big digits.
	BigDigitsMax = 5
	// ringName is how much of a long name the ring shows.
	ringName = 12
	// hugeFrom is how high a screen is on which digits of twice the size look calm.
	hugeFrom = 48
	// ringStretch is how much wider than round the ring may be, to use its pane.
	ringStretch = 1.5
)

// ringNode is the place of a node on the ring.
type ringNode struct {
	node  *trace.Node
	angle float64
	mid   canvas.Point
	r     canvas.Rectangle
}

// circle is the ring: its middle and its radii.
type circle struct {
	mid    canvas.Point
	rx, ry float64
}

// on returns the point at an angle, at a part of the radius.
func (c circle) on(angle, part float64) canvas.Point {
	return canvas.Pt(c.mid.X+math.Cos(angle)*c.rx*part, c.mid.Y+math.Sin(angle)*c.ry*part)
}

// Ring draws the nodes in a circle, what separates them, and what they say.
func (p *Painter) Ring(r canvas.Rectangle) {
	if r.Empty() || len(p.State.Nodes) == 0 {
		return
	}
	var stations []ringNode
	var round circle
	shape := hugeForm
	if !p.Glyphs.BigDigits {
		shape = smallForm
	} else if p.Height < hugeFrom || len(p.State.Nodes)*p.largest(hugeForm)*(1+canvas.HugeHeight)*4 > r.W*r.H {
		// There must be much more room between the nodes than they take.
		shape = bigForm
	}
	for ; ; shape++ {
		stations, round = p.stations(r, shape)
		if shape == tinyForm || !overlap(stations) {
			break
		}
	}
	d := canvas.NewLineLayer(p.Canvas, p.Glyphs, r)
	for i := range stations {
		d.KeepOut(stations[i].r)
	}
	walled := p.wall(d, stations, round)
	p.links(d, stations, walled)
	p.sparksOn(d, stations)
	d.Paint()
	for i := range stations {
		p.station(&stations[i], shape)
	}
}

// largest returns how wide the widest node is.
func (p *Painter) largest(shape nodeSize) int {
	widest := 0
	for i := range p.State.Nodes {
		w, _ := p.block(&p.State.Nodes[i], shape)
		widest = max(widest, w)
	}
	return widest
}

// stations places the nodes. The first is at the top, the others clockwise.
func (p *Painter) stations(r canvas.Rectangle, shape nodeSize) ([]ringNode, circle) {
	n := len(p.State.Nodes)
	stations := make([]ringNode, n)
	var low, high canvas.Point
	blockW, blockH := 0, 0
	for i := range stations {
		s := &stations[i]
		s.node = &p.State.Nodes[i]
		s.angle = -math.Pi/2 + 2*math.Pi*float64(i)/float64(n)
		if n == 2 {
			s.angle += math.Pi / 2 * 3
		}
		s.r.W, s.r.H = p.block(s.node, shape)
		blockW, blockH = max(blockW, s.r.W), max(blockH, s.r.H)
		if i == 0 {
			low = canvas.Pt(math.Cos(s.angle), math.Sin(s.angle))
			high = low
		}
		low = canvas.Pt(min(low.X, math.Cos(s.angle)), min(low.Y, math.Sin(s.angle)))
		high = canvas.Pt(max(high.X, math.Cos(s.angle)), max(high.Y, math.Sin(s.angle)))
	}
	c := circle{rx: float64(r.W-blockW-2) / max(high.X-low.X, 0.1), ry: float64(r.H-blockH) / max(high.Y-low.Y, 0.1)}
	// A cell is twice as high as wide.
	c.rx, c.ry = max(min(c.rx, c.ry*2*ringStretch), 0), max(min(c.ry, c.rx/1.6), 0)
	c.mid.X = float64(r.X+1) + float64(r.W)/2 - (low.X+high.X)/2*c.rx
	c.mid.Y = float64(r.Y) + float64(r.H)/2 - (low.Y+high.Y)/2*c.ry
	for i := range stations {
		s := &stations[i]
		at := c.on(s.angle, 1)
		// The cursor stands two cells before a node.
		s.r.X = min(max(int(math.Round(at.X-float64(s.r.W)/2)), r.X+2), r.X+r.W-s.r.W)
		s.r.Y = min(max(int(math.Round(at.Y-float64(s.r.H)/2)), r.Y), r.Y+r.H-s.r.H)
		s.mid = canvas.Pt(float64(s.r.X)+float64(s.r.W)/2, float64(s.r.Y)+float64(s.r.H)/2)
	}
	return stations, c
}

// overlap says whether nodes stand in each other's way.
func overlap(stations []ringNode) bool {
	for i := range stations {
		for j := range i {
			a, b := stations[i].r, stations[j].r
			if a.X <= b.X+b.W+1 && b.X <= a.X+a.W+1 && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				return true
			}
		}
	}
	return false
}

// title is the line over a node's value: glyph, name, and what is unusual.
func (p *Painter) title(n *trace.Node) []canvas.Span {
	look := StyleOfNode(p.Glyphs, n)
	parts := []canvas.Span{canvas.Styled(look.Glyph+" ", look.Style), canvas.Styled(canvas.Truncate(canvas.Sanitize(n.ID), ringName, p.Glyphs.Ellipsis), p.NameStyle(n))}
	switch {
	case !n.Process.Running() || n.Process == trace.Paused:
		return append(parts, canvas.Styled(" "+look.Word, look.Style))
	case n.Role == trace.Candidate:
		total := max(len(p.voters), len(n.Votes))
		return append(parts, canvas.Styled(fmt.Sprintf(" %d/%d", len(n.Votes), trace.Quorum(total)), look.Style))
	}
	if text := p.BehindText(n); text != "" {
		parts = append(parts, canvas.Styled(" "+text, style.Warn))
	}
	return parts
}

func widthOf(parts []canvas.Span) int {
	sum := 0
	for _, part := range parts {
		sum += canvas.Width(part.Text)
	}
	return sum
}

// block returns the size of a node on the ring.
func (p *Painter) block(n *trace.Node, shape nodeSize) (w, h int) {
	value, _ := p.ValueOf(n)
	title := widthOf(p.title(n))
	switch {
	case shape == tinyForm:
		return min(title, ringName+2) + 1 + min(len(value), BigDigitsMax), 1
	case shape == hugeForm && len(value) <= BigDigitsMax:
		return max(title, canvas.HugeWidth(value)), 1 + canvas.HugeHeight
	case shape == bigForm && len(value) <= BigDigitsMax:
		return max(title, canvas.BigWidth(value)), 1 + canvas.BigHeight
	}
	return max(title, min(len(value), 20)), 2
}

// station draws one node.
func (p *Painter) station(s *ringNode, shape nodeSize) {
	n, r := s.node, s.r
	p.HitNode(r, n.ID)
	value, k := p.ValueOf(n)
	parts := p.title(n)
	if shape == tinyForm {
		// Of what is unusual there is only the glyph, and the table.
		at := p.Pen(r.X, r.Y, r.X+r.W)
		at.Write(parts[0].Text, parts[0].Style)
		at.Write(parts[1].Text, parts[1].Style)
		p.PutRight(r.X+r.W, r.Y, BigDigitsMax, canvas.Compact(n.Value, min(len(value), BigDigitsMax)), k)
		p.markStation(s)
		return
	}
	at := p.Pen(r.X+(r.W-widthOf(parts))/2, r.Y, r.X+r.W)
	for _, part := range parts {
		at.Write(part.Text, part.Style)
	}
	switch {
	case r.H > 1+canvas.BigHeight:
		p.PutHuge(r.X+(r.W-canvas.HugeWidth(value))/2, r.Y+1, value, k)
	case r.H > 2:
		p.PutBig(r.X+(r.W-canvas.BigWidth(value))/2, r.Y+1, value, k)
	default:
		p.Put(r.X+(r.W-len(value))/2, r.Y+1, r.W, value, k)
	}
	p.markStation(s)
}

// markStation draws the cursor beside a node, and the mark of a selected one.
func (p *Painter) markStation(s *ringNode) {
	x := s.r.X - 2
	if p.cursorOn(s.node.ID) {
		p.Fill(canvas.Rect(x, s.r.Y, 1, s.r.H), p.Glyphs.Cursor, p.cursorInk())
	}
	if p.Selected[s.node.ID] {
		p.Set(x+s.r.W+2, s.r.Y, p.Glyphs.Selected, style.Accent)
	}
}
