package ui

import (
	"slices"

	"capsize/cluster/trace"
)

// cards draws the nodes side by side, where there is no room for the ring.
func (p *painter) cards(r rect) {
	nodes := len(p.state.Nodes)
	if r.empty() || nodes == 0 {
		return
	}
	rows := cardRows(r.w, nodes)
	perRow := (nodes + rows - 1) / rows
	high, pitch := cardSmall, cardSmall
	if r.h >= rows*cardBig+rows-1 {
		high, pitch = cardBig, cardBig+1
	}
	// Few nodes do not drift apart on a wide screen.
	w := min(r.w/perRow, 26)
	for i := range p.state.Nodes {
		at := rect{r.x + i%perRow*w, r.y + i/perRow*pitch, w, high}
		p.card(&p.state.Nodes[i], at)
	}
}

// card draws one node: name, value, log, and what it waits for.
func (p *painter) card(n *trace.Node, r rect) {
	p.hitNode(r, n.ID)
	if p.cursorOn(n.ID) {
		p.fill(rect{r.x, r.y, 1, r.h}, p.glyphs.cursor, p.cursorInk())
	}
	x, w := r.x+2, r.w-3
	parts := p.title(n)
	parts[1].text = truncate(clean(n.ID), w-2, p.glyphs.more)
	if n.Role == trace.Leader && n.Process == trace.Up {
		parts = append(parts, note{" " + string(trace.Leader), inkAccent})
	}
	if p.selected[n.ID] {
		parts = slices.Insert(parts, 2, note{" " + p.glyphs.marked, inkAccent})
	}
	at := &pen{c: p.canvas, x: x, y: r.y, end: x + w}
	for _, part := range parts {
		if at.room(width(part.text)) {
			at.write(part.text, part.ink)
		}
	}
	if r.h >= cardBig {
		p.cardBig(n, rect{x, r.y + 1, w, r.h - 1})
		return
	}
	value, k := p.valueOf(n)
	at = &pen{c: p.canvas, x: x, y: r.y + 1, end: x + w}
	at.write(fit(n.Value, min(len(value), w)), k)
	at.skip(1)
	if !n.Process.Running() {
		// Of a running one the title says it.
		at.write(p.behindText(n), inkWarn)
	}
	if faults := p.faultsOf(n); len(faults) > 0 {
		p.notes(faults, x, r.y+2, w)
	} else {
		p.heard(n, x, r.y+2, w, 5)
	}
}

// cardBig draws what is below the name of a large card.
func (p *painter) cardBig(n *trace.Node, r rect) {
	value, k := p.valueOf(n)
	if p.glyphs.big && bigWidth(value) <= r.w {
		p.putBig(r.x, r.y, value, k)
	} else {
		p.put(r.x, r.y+1, r.w, fit(n.Value, min(len(value), r.w)), k)
	}
	at := &pen{c: p.canvas, x: r.x, y: r.y + bigHeight, end: r.x + r.w}
	at.write("log ", inkDim)
	at.write(fit(count(n.LastIndex()), 6), termInk(n.LastTerm()))
	if text := p.behindText(n); text != "" && !n.Process.Running() {
		at.skip(1)
		at.write(text, inkWarn)
	} else if text := "t" + fit(count(n.Term), 4); at.room(len(text) + 1) {
		at.skip(1)
		at.write(text, inkDim)
	}
	y := r.y + bigHeight + 1
	if faults := p.faultsOf(n); len(faults) > 0 {
		p.notes(faults, r.x, y, r.w)
	} else {
		p.heard(n, r.x, y, r.w, r.w-6)
	}
}
