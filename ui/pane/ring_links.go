package pane

import (
	"math"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// wallReach is where a wall ends, in radii from the centre: beyond the nodes.
	wallReach = 1.15
	// wallBulge is how close to the centre a wall around few nodes comes, in radii.
	wallBulge = 0.36
	// linkDotEvery and wallDotEvery are the columns from one dot to the next.
	linkDotEvery, wallDotEvery = 2, 2
)

// linkEnds returns where the line between two nodes leaves one and reaches the other.
func linkEnds(a, b *ringNode) (from, to canvas.Point) {
	inside := func(n *ringNode, d canvas.Point) float64 {
		part := math.Inf(1)
		if d.X != 0 {
			part = min(part, (float64(n.r.W)/2+1.5)/math.Abs(d.X))
		}
		if d.Y != 0 {
			part = min(part, (float64(n.r.H)/2+0.5)/math.Abs(d.Y))
		}
		return min(part, 0.45)
	}
	d := canvas.Pt(b.mid.X-a.mid.X, b.mid.Y-a.mid.Y)
	return a.mid.Lerp(b.mid, inside(a, d)), b.mid.Lerp(a.mid, inside(b, d))
}

// sides returns the side of a partition that each node is on, and the number of sides. Two
// running nodes are on one side if packets can get from one to the other in at least one
// direction, also by way of others. Nodes that are not running have side -1.
func (p *Painter) sides(nodes []ringNode) (side []int, count int) {
	side = make([]int, len(nodes))
	for i := range side {
		side[i] = -1
	}
	var visit func(i int)
	visit = func(i int) {
		for j := range nodes {
			a, b := nodes[i].node, nodes[j].node
			if side[j] < 0 && b.Process.Running() && (!p.State.Blocked(a.ID, b.ID) || !p.State.Blocked(b.ID, a.ID)) {
				side[j] = side[i]
				visit(j)
			}
		}
	}
	for i := range nodes {
		if side[i] < 0 && nodes[i].node.Process.Running() {
			side[i] = count
			count++
			visit(i)
		}
	}
	return side, count
}

// drawWall draws a partition as a wall between its sides and returns the side of each node. It
// draws nothing and returns nil if there is no partition or a side is not contiguous on the ring.
func (p *Painter) drawWall(layer *canvas.LineLayer, nodes []ringNode, c circle) []int {
	if len(p.State.Faults) == 0 {
		return nil
	}
	side, count := p.sides(nodes)
	if count < 2 {
		return nil
	}
	// The angles between neighbours on different sides.
	var gaps []float64
	last := -1
	for i := range nodes {
		if side[i] >= 0 {
			last = i
		}
	}
	step := 2 * math.Pi / float64(len(nodes))
	for i := range nodes {
		if side[i] < 0 {
			continue
		}
		if side[i] != side[last] {
			gaps = append(gaps, nodes[i].angle-step/2)
		}
		last = i
	}
	if len(gaps) != count {
		return nil
	}
	if count == 2 {
		p.curvedWall(layer, c, gaps[0], gaps[1])
		return side
	}
	for _, gap := range gaps {
		layer.Line(c.mid, c.on(gap, wallReach), p.Glyphs.Wall, style.Bad, wallDotEvery)
		layer.Mark(c.on(gap, 0.62), p.Glyphs.CutLink, style.Bad|style.Bold)
	}
	return side
}

// curvedWall draws a wall from one gap to another, around the smaller side.
func (p *Painter) curvedWall(layer *canvas.LineLayer, c circle, from, to float64) {
	if to-from > math.Pi {
		from, to = to, from+2*math.Pi
	}
	middle, half := (from+to)/2, (to-from)/2
	a, b := c.on(from, wallReach), c.on(to, wallReach)
	peak := c.on(middle, min(math.Cos(half)*wallReach, wallBulge))
	// The control point of the quadratic Bézier curve through the peak.
	control := canvas.Pt(2*peak.X-(a.X+b.X)/2, 2*peak.Y-(a.Y+b.Y)/2)
	curve := func(t float64) canvas.Point { return a.Lerp(control, t).Lerp(control.Lerp(b, t), t) }
	layer.Curve(curve, p.Glyphs.Wall, style.Bad, wallDotEvery)
	for _, t := range []float64{0.2, 0.5, 0.8} {
		layer.Mark(curve(t), p.Glyphs.CutLink, style.Bad|style.Bold)
	}
}

// drawLinks draws the links from the leader and marks faulty links. Links across a wall are
// left out.
func (p *Painter) drawLinks(layer *canvas.LineLayer, nodes []ringNode, side []int) {
	walled := func(i, j int) bool { return side != nil && side[i] != side[j] }
	for i := range nodes {
		for j := range nodes {
			a, b := &nodes[i], &nodes[j]
			if i == j || !a.node.Process.Running() || !b.node.Process.Running() || walled(i, j) {
				continue
			}
			from, to := linkEnds(a, b)
			// With many nodes the links would fill the ring. The packets show them.
			if p.Leader == a.node && len(nodes) <= fullNodesMax && (!p.State.Blocked(a.node.ID, b.node.ID) || !p.State.Blocked(b.node.ID, a.node.ID)) {
				layer.Line(from, to, p.Glyphs.Dot, style.Faint, linkDotEvery)
			}
			if len(p.State.Faults) > 0 {
				p.markLinkFault(layer, a, b, i < j)
			}
		}
	}
}

// markLinkFault marks the worst fault of the link from a to b: in the middle if both directions
// have the same mark, otherwise near the sender and with an arrow.
func (p *Painter) markLinkFault(layer *canvas.LineLayer, a, b *ringNode, first bool) {
	glyph, st := p.faultGlyph(a.node.ID, b.node.ID)
	if glyph == "" {
		return
	}
	from, to := linkEnds(a, b)
	back, _ := p.faultGlyph(b.node.ID, a.node.ID)
	if back == glyph {
		if first {
			if st == style.Bad {
				layer.Line(from, to, p.Glyphs.Dot, style.Bad, linkDotEvery)
			}
			layer.Mark(from.Lerp(to, 0.5), glyph, st|style.Bold)
		}
		return
	}
	at := from.Lerp(to, 0.3)
	layer.Mark(at, glyph, st|style.Bold)
	arrow := 0
	switch dx, dy := to.X-from.X, (to.Y-from.Y)*2; {
	case math.Abs(dx) >= math.Abs(dy) && dx < 0:
		arrow = 2
	case math.Abs(dx) >= math.Abs(dy):
	case dy < 0:
		arrow = 3
	default:
		arrow = 1
	}
	layer.Mark(canvas.Pt(at.X+1, at.Y), p.Glyphs.Arrows[arrow], st)
}

// faultGlyph returns the mark of the worst fault of a link, "" if it has none.
func (p *Painter) faultGlyph(from, to string) (string, style.Style) {
	faults := p.State.Faults[trace.Link{From: from, To: to}]
	if len(faults) == 0 {
		return "", 0
	}
	if p.State.Blocked(from, to) {
		return p.Glyphs.CutLink, style.Bad
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(faults, func(fault string) bool {
			return slices.Contains(words, FaultName(fault))
		})
	}
	switch {
	case has("hold"):
		return p.Glyphs.HoldLink, style.Warn
	case has("cut", "refuse", "jam"):
		// They block some kinds of message only.
		return p.Glyphs.CutLink, style.Warn
	case has("lose", "duplicate", "reorder"):
		return p.Glyphs.LoseLink, style.Warn
	}
	return p.Glyphs.DelayLink, style.Warn
}

// drawSprites draws the packets in flight, each with a short tail.
func (p *Painter) drawSprites(layer *canvas.LineLayer, nodes []ringNode) {
	if len(p.Sprites) == 0 {
		return
	}
	byID := make(map[string]*ringNode, len(nodes))
	for i := range nodes {
		byID[nodes[i].node.ID] = &nodes[i]
	}
	const tailPart = 0.1
	for _, s := range p.Sprites {
		a, b := byID[s.InFlight.From], byID[s.InFlight.To]
		if a == nil || b == nil || a == b {
			continue
		}
		from, to := linkEnds(a, b)
		at, st, glyph := min(max(s.Progress, 0), 1), PacketStyle(s.InFlight.Packet), PacketGlyph(p.Glyphs, s.InFlight.Packet)
		p.HitMark(layer, from.Lerp(to, at), s.InFlight.ID)
		if p.LooksInto(s.InFlight.ID) {
			layer.Line(from, to, p.Glyphs.Dot, style.Accent, 1)
			layer.Mark(from.Lerp(to, at), glyph, style.Accent|style.Bold|style.Reverse)
			continue
		}
		if s.routine && !s.Lost {
			layer.Mark(from.Lerp(to, at), p.Glyphs.Dot, style.Dim)
			continue
		}
		if s.Lost {
			at = min(at, 0.5)
			switch {
			case s.Fade >= 0.8:
				glyph, st = p.Glyphs.Dot, style.Faint
			case s.Fade >= 0.4:
				st = style.Dim
			default:
				st = style.Bad | style.Bold
			}
		} else {
			layer.Line(from.Lerp(to, max(at-tailPart, 0)), from.Lerp(to, at), p.Glyphs.Dot, st, 1)
			st |= style.Bold
		}
		layer.Mark(from.Lerp(to, at), glyph, st)
	}
}

// HitMark makes the cells around a mark stand for a packet.
func (p *Painter) HitMark(layer *canvas.LineLayer, at canvas.Point, id uint64) {
	if r, ok := layer.Around(at); ok && id != 0 {
		p.HitPacket(r, id)
	}
}

// PacketStyle returns the style of a packet, by its kind.
func PacketStyle(p trace.Packet) style.Style {
	switch {
	case p.Kind == "vote" || p.Kind == "prevote" || p.Kind == "timeout-now":
		return style.PacketVote
	case p.Reply && !p.OK:
		return style.Bad
	case p.Reply:
		return style.PacketReply
	case p.Kind == "append":
		return style.PacketAppend
	case p.Kind == "heartbeat":
		return style.Dim
	}
	return style.PacketOther
}

// PacketGlyph returns the glyph of a packet, by its kind.
func PacketGlyph(g *style.Glyphs, p trace.Packet) string {
	set := g.Packet
	if p.Reply {
		set = g.Reply
	}
	if glyph, ok := set[p.Kind]; ok {
		return glyph
	}
	return set[""]
}
