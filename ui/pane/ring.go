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
	hugeNode  nodeSize = iota // its name, and its value in digits of twice the size
	bigNode                   // its name, and its value in big digits
	smallNode                 // its name over its value
	tinyNode                  // both in one line
)

const (
	// BigDigitsMax is the longest number that is drawn in big digits.
	BigDigitsMax = 5
	// ringNameWidth is how much of a long name the ring shows.
	ringNameWidth = 12
	// hugeMinHeight is how high a screen is on which digits of twice the size look calm.
	hugeMinHeight = 48
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
	var nodes []ringNode
	var round circle
	shape := hugeNode
	if !p.Glyphs.BigDigits {
		shape = smallNode
	} else if p.Height < hugeMinHeight || len(p.State.Nodes)*p.widestNode(hugeNode)*(1+canvas.HugeHeight)*4 > r.W*r.H {
		// There must be much more room between the nodes than they take.
		shape = bigNode
	}
	for ; ; shape++ {
		nodes, round = p.placeNodes(r, shape)
		if shape == tinyNode || !overlap(nodes) {
			break
		}
	}
	d := canvas.NewLineLayer(p.Canvas, r)
	for i := range nodes {
		d.KeepOut(nodes[i].r)
	}
	walled := p.drawWall(d, nodes, round)
	p.drawLinks(d, nodes, walled)
	p.drawSprites(d, nodes)
	d.Paint()
	for i := range nodes {
		p.drawRingNode(&nodes[i], shape)
	}
}

// widestNode returns how wide the widest node is.
func (p *Painter) widestNode(shape nodeSize) int {
	widest := 0
	for i := range p.State.Nodes {
		w, _ := p.ringNodeSize(&p.State.Nodes[i], shape)
		widest = max(widest, w)
	}
	return widest
}

// placeNodes places the nodes. The first is at the top, the others clockwise.
func (p *Painter) placeNodes(r canvas.Rectangle, shape nodeSize) ([]ringNode, circle) {
	n := len(p.State.Nodes)
	nodes := make([]ringNode, n)
	var low, high canvas.Point
	blockW, blockH := 0, 0
	for i := range nodes {
		s := &nodes[i]
		s.node = &p.State.Nodes[i]
		s.angle = -math.Pi/2 + 2*math.Pi*float64(i)/float64(n)
		if n == 2 {
			s.angle += math.Pi / 2 * 3
		}
		s.r.W, s.r.H = p.ringNodeSize(s.node, shape)
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
	for i := range nodes {
		s := &nodes[i]
		at := c.on(s.angle, 1)
		// The cursor stands two cells before a node.
		s.r.X = min(max(int(math.Round(at.X-float64(s.r.W)/2)), r.X+2), r.X+r.W-s.r.W)
		s.r.Y = min(max(int(math.Round(at.Y-float64(s.r.H)/2)), r.Y), r.Y+r.H-s.r.H)
		s.mid = canvas.Pt(float64(s.r.X)+float64(s.r.W)/2, float64(s.r.Y)+float64(s.r.H)/2)
	}
	return nodes, c
}

// overlap says whether nodes stand in each other's way.
func overlap(nodes []ringNode) bool {
	for i := range nodes {
		for j := range i {
			a, b := nodes[i].r, nodes[j].r
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
	parts := []canvas.Span{canvas.Styled(look.Glyph+" ", look.Style), canvas.Styled(canvas.Truncate(canvas.Sanitize(n.ID), ringNameWidth, p.Glyphs.Ellipsis), p.NameStyle(n))}
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

// ringNodeSize returns the size of a node on the ring.
func (p *Painter) ringNodeSize(n *trace.Node, shape nodeSize) (w, h int) {
	value, _ := p.ValueOf(n)
	title := canvas.SpansWidth(p.title(n))
	switch {
	case shape == tinyNode:
		return min(title, ringNameWidth+2) + 1 + min(len(value), BigDigitsMax), 1
	case shape == hugeNode && len(value) <= BigDigitsMax:
		return max(title, canvas.HugeWidth(value)), 1 + canvas.HugeHeight
	case shape == bigNode && len(value) <= BigDigitsMax:
		return max(title, canvas.BigWidth(value)), 1 + canvas.BigHeight
	}
	return max(title, min(len(value), 20)), 2
}

// drawRingNode draws one node.
func (p *Painter) drawRingNode(s *ringNode, shape nodeSize) {
	n, r := s.node, s.r
	p.HitNode(r, n.ID)
	value, st := p.ValueOf(n)
	parts := p.title(n)
	if shape == tinyNode {
		// Of what is unusual there is only the glyph, and the table.
		pen := p.Pen(r.X, r.Y, r.X+r.W)
		pen.Write(parts[0].Text, parts[0].Style)
		pen.Write(parts[1].Text, parts[1].Style)
		p.PutRight(r.X+r.W, r.Y, BigDigitsMax, canvas.Compact(n.Value, min(len(value), BigDigitsMax)), st)
		p.markRingNode(s)
		return
	}
	pen := p.Pen(r.X+(r.W-canvas.SpansWidth(parts))/2, r.Y, r.X+r.W)
	pen.WriteSpans(parts)
	switch {
	case r.H > 1+canvas.BigHeight:
		p.PutHuge(r.X+(r.W-canvas.HugeWidth(value))/2, r.Y+1, value, st)
	case r.H > 2:
		p.PutBig(r.X+(r.W-canvas.BigWidth(value))/2, r.Y+1, value, st)
	default:
		p.Put(r.X+(r.W-len(value))/2, r.Y+1, r.W, value, st)
	}
	p.markRingNode(s)
}

// markRingNode draws the cursor beside a node, and the mark of a selected one.
func (p *Painter) markRingNode(s *ringNode) {
	x := s.r.X - 2
	if p.cursorOn(s.node.ID) {
		p.Fill(canvas.Rect(x, s.r.Y, 1, s.r.H), p.Glyphs.Cursor, p.cursorStyle())
	}
	if p.Selected[s.node.ID] {
		p.Set(x+s.r.W+2, s.r.Y, p.Glyphs.Selected, style.Accent)
	}
}
