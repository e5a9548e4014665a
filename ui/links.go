package ui

import (
	"math"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

const (
	// reach is how far beyond the nodes a wall goes, in radii.
	reach = 1.15
	// bulge is how near to the middle a wall round few nodes comes, in radii.
	bulge = 0.36
	// linkEvery and wallEvery are how far apart the dots of links and walls are.
	linkEvery, wallEvery = 2, 2
)

// between returns the part of the way between two nodes that is in the open.
func between(a, b *station) (from, to point) {
	leave := func(s *station, d point) float64 {
		part := math.Inf(1)
		if d.x != 0 {
			part = min(part, (float64(s.r.w)/2+1.5)/math.Abs(d.x))
		}
		if d.y != 0 {
			part = min(part, (float64(s.r.h)/2+0.5)/math.Abs(d.y))
		}
		return min(part, 0.45)
	}
	d := point{b.mid.x - a.mid.x, b.mid.y - a.mid.y}
	return a.mid.to(b.mid, leave(a, d)), b.mid.to(a.mid, leave(b, d))
}

// sides gives each running node the number of the side of a partition that it
// is on: nodes are on one side if packets can go between them, by whatever way,
// in at least one direction. Nodes that do not run are on none, -1.
func (p *painter) sides(stations []station) (side []int, count int) {
	side = make([]int, len(stations))
	for i := range side {
		side[i] = -1
	}
	var spread func(i int)
	spread = func(i int) {
		for j := range stations {
			a, b := stations[i].node, stations[j].node
			if side[j] < 0 && b.Process.Running() && (!p.state.Blocked(a.ID, b.ID) || !p.state.Blocked(b.ID, a.ID)) {
				side[j] = side[i]
				spread(j)
			}
		}
	}
	for i := range stations {
		if side[i] < 0 && stations[i].node.Process.Running() {
			side[i] = count
			count++
			spread(i)
		}
	}
	return side, count
}

// wall draws a partition as a wall between its sides, if each side is in one
// piece on the ring, and returns the side of each node then, else nil.
func (p *painter) wall(d *dots, stations []station, c circle) []int {
	if len(p.state.Faults) == 0 {
		return nil
	}
	side, count := p.sides(stations)
	if count < 2 {
		return nil
	}
	// The gaps: angles between two neighbours on different sides.
	var gaps []float64
	last := -1
	for i := range stations {
		if side[i] >= 0 {
			last = i
		}
	}
	step := 2 * math.Pi / float64(len(stations))
	for i := range stations {
		if side[i] < 0 {
			continue
		}
		if side[i] != side[last] {
			gaps = append(gaps, stations[i].angle-step/2)
		}
		last = i
	}
	if len(gaps) != count {
		return nil
	}
	if count == 2 {
		d.bend(c, gaps[0], gaps[1])
		return side
	}
	for _, gap := range gaps {
		d.line(c.mid, c.on(gap, reach), p.glyphs.wall, inkBad, wallEvery)
		d.mark(c.on(gap, 0.62), p.glyphs.cutLink, inkBad|bold)
	}
	return side
}

// bend draws a wall from one gap to the other, round the smaller side.
func (d *dots) bend(c circle, from, to float64) {
	if to-from > math.Pi {
		from, to = to, from+2*math.Pi
	}
	middle, half := (from+to)/2, (to-from)/2
	a, b := c.on(from, reach), c.on(to, reach)
	peak := c.on(middle, min(math.Cos(half)*reach, bulge))
	// The control point of the curve that goes through the peak.
	control := point{2*peak.x - (a.x+b.x)/2, 2*peak.y - (a.y+b.y)/2}
	curve := func(t float64) point { return a.to(control, t).to(control.to(b, t), t) }
	d.curve(curve, d.g.wall, inkBad, wallEvery)
	for _, t := range []float64{0.2, 0.5, 0.8} {
		d.mark(curve(t), d.g.cutLink, inkBad|bold)
	}
}

// links draws lines where something is said, and marks where a link is broken.
func (p *painter) links(d *dots, stations []station, side []int) {
	walled := func(i, j int) bool { return side != nil && side[i] != side[j] }
	for i := range stations {
		for j := range stations {
			a, b := &stations[i], &stations[j]
			if i == j || !a.node.Process.Running() || !b.node.Process.Running() || walled(i, j) {
				continue
			}
			from, to := between(a, b)
			// Of many nodes the links would fill the ring: the packets are enough.
			if p.leader == a.node && len(stations) <= fullNodes && (!p.state.Blocked(a.node.ID, b.node.ID) || !p.state.Blocked(b.node.ID, a.node.ID)) {
				d.line(from, to, p.glyphs.dot, inkFaint, linkEvery)
			}
			if len(p.state.Faults) > 0 {
				p.linkFault(d, a, b, i < j)
			}
		}
	}
}

// linkFault marks what is wrong with the link from a to b: in the middle if it
// is the same both ways, else near the sender, with an arrow.
func (p *painter) linkFault(d *dots, a, b *station, first bool) {
	glyph, k := p.faultGlyph(a.node.ID, b.node.ID)
	if glyph == "" {
		return
	}
	from, to := between(a, b)
	back, _ := p.faultGlyph(b.node.ID, a.node.ID)
	if back == glyph {
		if first {
			if k == inkBad {
				d.line(from, to, p.glyphs.dot, inkBad, linkEvery)
			}
			d.mark(from.to(to, 0.5), glyph, k|bold)
		}
		return
	}
	at := from.to(to, 0.3)
	d.mark(at, glyph, k|bold)
	arrow := 0
	switch dx, dy := to.x-from.x, (to.y-from.y)*2; {
	case math.Abs(dx) >= math.Abs(dy) && dx < 0:
		arrow = 2
	case math.Abs(dx) >= math.Abs(dy):
	case dy < 0:
		arrow = 3
	default:
		arrow = 1
	}
	d.mark(point{at.x + 1, at.y}, p.glyphs.arrows[arrow], k)
}

// faultGlyph returns the mark of the worst fault on a link, "" for none.
func (p *painter) faultGlyph(from, to string) (string, ink) {
	faults := p.state.Faults[trace.Link{From: from, To: to}]
	if len(faults) == 0 {
		return "", 0
	}
	if p.state.Blocked(from, to) {
		return p.glyphs.cutLink, inkBad
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(faults, func(fault string) bool {
			word, _, _ := strings.Cut(fault, " ")
			return slices.Contains(words, word)
		})
	}
	switch {
	case has("cut", "refuse", "jam"):
		// Only for some kinds of messages.
		return p.glyphs.cutLink, inkWarn
	case has("lose", "duplicate", "reorder"):
		return p.glyphs.lossyLink, inkWarn
	}
	return p.glyphs.slowLink, inkWarn
}

// sparksOn draws the packets on their way, each with a short tail.
func (p *painter) sparksOn(d *dots, stations []station) {
	if len(p.sparks) == 0 {
		return
	}
	places := make(map[string]*station, len(stations))
	for i := range stations {
		places[stations[i].node.ID] = &stations[i]
	}
	const tailPart = 0.1
	for _, s := range p.sparks {
		a, b := places[s.flight.From], places[s.flight.To]
		if a == nil || b == nil || a == b {
			continue
		}
		from, to := between(a, b)
		at, k, glyph := min(max(s.at, 0), 1), packetInk(s.flight.Packet), p.glyphs.ofPacket(s.flight.Packet)
		if s.quiet && !s.lost {
			d.mark(from.to(to, at), p.glyphs.dot, inkDim)
			continue
		}
		if s.lost {
			at = min(at, 0.5)
			switch {
			case s.fade >= 0.8:
				glyph, k = p.glyphs.dot, inkFaint
			case s.fade >= 0.4:
				k = inkDim
			default:
				k = inkBad | bold
			}
		} else {
			d.line(from.to(to, max(at-tailPart, 0)), from.to(to, at), p.glyphs.dot, k, 1)
			k |= bold
		}
		d.mark(from.to(to, at), glyph, k)
	}
}

// packetInk returns the colour of a kind of messages.
func packetInk(p trace.Packet) ink {
	switch {
	case p.Kind == "vote" || p.Kind == "prevote" || p.Kind == "timeout-now":
		return inkPacketVote
	case p.Reply && !p.OK:
		return inkBad
	case p.Reply:
		return inkPacketReply
	case p.Kind == "append":
		return inkPacketAppend
	case p.Kind == "heartbeat":
		return inkDim
	}
	return inkPacketOther
}
