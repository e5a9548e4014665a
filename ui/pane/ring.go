package pane

import (
	"fmt"
	"math"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// nodeSize is how large the nodes of the ring are drawn.
type nodeSize int

const (
	hugeNode  nodeSize = iota // the name, and the value in huge digits
	bigNode                   // the name, and the value in big digits
	smallNode                 // the name above the value
	tinyNode                  // the name and the value in one line
)

const (
	// BigDigitsMax is the length of the longest number that is drawn in big digits.
	BigDigitsMax = 5
	// ringNameWidth is the width of the longest name on the ring.
	ringNameWidth = 12
	// hugeMinHeight is the height from which a screen has huge digits.
	hugeMinHeight = 48
	// ringStretch is how much wider than a circle the ring may be, to fill its pane.
	ringStretch = 1.5
)

// ringNode is a node and its place on the ring. Angle 0 is to the right, clockwise.
type ringNode struct {
	node  *trace.Node
	angle float64
	mid   canvas.Point
	r     canvas.Rectangle
}

// circle is the shape of the ring: its centre and its radii in cells.
type circle struct {
	mid    canvas.Point
	rx, ry float64
}

// on returns the point at an angle and at a part of the radius.
func (c circle) on(angle, part float64) canvas.Point {
	return canvas.Pt(c.mid.X+math.Cos(angle)*c.rx*part, c.mid.Y+math.Sin(angle)*c.ry*part)
}

// Ring draws the nodes in a circle, with the partition, the links and the packets between them.
func (p *Painter) Ring(r canvas.Rectangle) {
	if r.Empty() || len(p.State.Nodes) == 0 {
		return
	}
	var nodes []ringNode
	var ring circle
	size := hugeNode
	if !p.Glyphs.BigDigits {
		size = smallNode
	} else if p.Height < hugeMinHeight || len(p.State.Nodes)*p.widestNode(hugeNode)*(1+canvas.HugeHeight)*4 > r.W*r.H {
		// Huge digits need much more room between the nodes than in them.
		size = bigNode
	}
	for ; ; size++ {
		nodes, ring = p.placeNodes(r, size)
		if size == tinyNode || !overlap(nodes) {
			break
		}
	}
	layer := canvas.NewLineLayer(p.Canvas, r)
	for i := range nodes {
		layer.KeepOut(nodes[i].r)
	}
	sides := p.drawWall(layer, nodes, ring)
	p.drawLinks(layer, nodes, sides)
	p.drawSprites(layer, nodes)
	layer.Paint()
	for i := range nodes {
		p.drawRingNode(&nodes[i], size)
	}
}

// widestNode returns the width of the widest node.
func (p *Painter) widestNode(size nodeSize) int {
	widest := 0
	for i := range p.State.Nodes {
		w, _ := p.ringNodeSize(&p.State.Nodes[i], size)
		widest = max(widest, w)
	}
	return widest
}

// placeNodes places the nodes in a circle. The first is at the top, the others clockwise.
func (p *Painter) placeNodes(r canvas.Rectangle, size nodeSize) ([]ringNode, circle) {
	count := len(p.State.Nodes)
	nodes := make([]ringNode, count)
	var low, high canvas.Point
	widest, highest := 0, 0
	for i := range nodes {
		n := &nodes[i]
		n.node = &p.State.Nodes[i]
		n.angle = -math.Pi/2 + 2*math.Pi*float64(i)/float64(count)
		if count == 2 {
			n.angle += math.Pi / 2 * 3
		}
		n.r.W, n.r.H = p.ringNodeSize(n.node, size)
		widest, highest = max(widest, n.r.W), max(highest, n.r.H)
		if i == 0 {
			low = canvas.Pt(math.Cos(n.angle), math.Sin(n.angle))
			high = low
		}
		low = canvas.Pt(min(low.X, math.Cos(n.angle)), min(low.Y, math.Sin(n.angle)))
		high = canvas.Pt(max(high.X, math.Cos(n.angle)), max(high.Y, math.Sin(n.angle)))
	}
	c := circle{rx: float64(r.W-widest-2) / max(high.X-low.X, 0.1), ry: float64(r.H-highest) / max(high.Y-low.Y, 0.1)}
	// A cell is twice as high as wide.
	c.rx, c.ry = max(min(c.rx, c.ry*2*ringStretch), 0), max(min(c.ry, c.rx/1.6), 0)
	c.mid.X = float64(r.X+1) + float64(r.W)/2 - (low.X+high.X)/2*c.rx
	c.mid.Y = float64(r.Y) + float64(r.H)/2 - (low.Y+high.Y)/2*c.ry
	for i := range nodes {
		n := &nodes[i]
		at := c.on(n.angle, 1)
		// The cursor is drawn two cells to the left of a node.
		n.r.X = min(max(int(math.Round(at.X-float64(n.r.W)/2)), r.X+2), r.X+r.W-n.r.W)
		n.r.Y = min(max(int(math.Round(at.Y-float64(n.r.H)/2)), r.Y), r.Y+r.H-n.r.H)
		n.mid = canvas.Pt(float64(n.r.X)+float64(n.r.W)/2, float64(n.r.Y)+float64(n.r.H)/2)
	}
	return nodes, c
}

// overlap reports whether any two nodes overlap or touch.
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

// title returns the line above a node's value: glyph, name, and anything unusual.
func (p *Painter) title(n *trace.Node) []canvas.Span {
	state := StyleOfNode(p.Glyphs, n)
	parts := []canvas.Span{canvas.Styled(state.Glyph+" ", state.Style), canvas.Styled(canvas.Truncate(canvas.Sanitize(n.ID), ringNameWidth, p.Glyphs.Ellipsis), p.NameStyle(n))}
	switch {
	case !n.Process.Running() || n.Process == trace.Paused:
		return append(parts, canvas.Styled(" "+state.Word, state.Style))
	case n.Role == trace.Candidate:
		total := max(len(p.voters), len(n.Votes))
		return append(parts, canvas.Styled(fmt.Sprintf(" %d/%d", len(n.Votes), trace.Quorum(total)), state.Style))
	}
	if text := p.BehindText(n); text != "" {
		parts = append(parts, canvas.Styled(" "+text, style.Warn))
	}
	return parts
}

// ringNodeSize returns the size of a node on the ring.
func (p *Painter) ringNodeSize(n *trace.Node, size nodeSize) (w, h int) {
	value, _ := p.ValueOf(n)
	title := canvas.SpansWidth(p.title(n))
	switch {
	case size == tinyNode:
		return min(title, ringNameWidth+2) + 1 + min(len(value), BigDigitsMax), 1
	case size == hugeNode && len(value) <= BigDigitsMax:
		return max(title, canvas.HugeWidth(value)), 1 + canvas.HugeHeight
	case size == bigNode && len(value) <= BigDigitsMax:
		return max(title, canvas.BigWidth(value)), 1 + canvas.BigHeight
	}
	return max(title, min(len(value), 20)), 2
}

// drawRingNode draws one node of the ring.
func (p *Painter) drawRingNode(at *ringNode, size nodeSize) {
	n, r := at.node, at.r
	p.HitNode(r, n.ID)
	value, st := p.ValueOf(n)
	parts := p.title(n)
	if size == tinyNode {
		// Only the glyph and the name have room.
		pen := p.Pen(r.X, r.Y, r.X+r.W)
		pen.WriteSpans(parts[:2])
		p.PutRight(r.X+r.W, r.Y, BigDigitsMax, canvas.Compact(n.Value, min(len(value), BigDigitsMax)), st)
		p.markRingNode(at)
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
	p.markRingNode(at)
}

// markRingNode draws the cursor beside a node and the mark of a selected node.
func (p *Painter) markRingNode(at *ringNode) {
	x := at.r.X - 2
	if p.cursorOn(at.node.ID) {
		p.Fill(canvas.Rect(x, at.r.Y, 1, at.r.H), p.Glyphs.Cursor, p.cursorStyle())
	}
	if p.Selected[at.node.ID] {
		p.Set(x+at.r.W+2, at.r.Y, p.Glyphs.Selected, style.Accent)
	}
}
