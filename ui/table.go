package ui

import (
	"strings"

	"capsize/cluster/trace"
)

// columns says where the columns of the node table are, from its left edge. A
// width of 0 is a column left out.
type columns struct {
	name, state, value, behind, term, log, commit, heard, notes, bar int
}

// columnsFor shares out the width of a table: names and values get what they
// need as far as there is room, and remarks the rest.
func (p *painter) columnsFor(w int, full bool) columns {
	name, value := 4, 5
	for i := range p.state.Nodes {
		n := &p.state.Nodes[i]
		name = max(name, width(clean(n.ID)))
		text, _ := p.valueOf(n)
		value = max(value, len(text))
	}
	c := columns{state: 11, behind: 5, term: 4, log: 5, commit: 6, heard: 14, bar: 7}
	switch {
	case !full:
		c.state, c.term, c.heard, c.bar = 1, 0, 10, 5
	case w >= 80:
		c.behind, c.term, c.log, c.commit, c.heard, c.bar = 7, 5, 8, 8, 23, 16
	}
	// The marks, and a blank between any two columns.
	rest := w - 2 - 8 - c.state - c.behind - c.term - c.log - c.commit - c.heard
	c.value = min(value, max(5, rest/2))
	c.name = min(name, max(4, rest-c.value))
	c.notes = max(rest-c.value-c.name, 0)
	return c
}

// table draws the nodes as rows: in full, with a second line for remarks if
// there is room, or compact, in several columns, scrolled so that the cursor
// can be seen.
func (p *painter) table(r rect) {
	if r.empty() {
		return
	}
	nodes, tables := len(p.state.Nodes), 1
	full := nodes <= fullNodes
	if !full {
		tables = tableColumns(r.w)
	}
	colW := (r.w - (tables-1)*2) / tables
	c := p.columnsFor(colW, full)
	rows := r.h - 1
	pitch := 1
	if full && nodes*2 <= rows {
		pitch = 2
		if nodes*3-1 <= rows {
			pitch = 3
		}
	}
	first := p.firstRow(rows * tables)
	for t := range tables {
		x := r.x + t*(colW+2)
		p.tableHead(x, r.y, c)
		for row := range rows {
			i := first + t*rows + row
			if i >= nodes || row*pitch >= rows {
				break
			}
			at := rect{x, r.y + 1 + row*pitch, colW, min(pitch, 2)}
			p.tableRow(&p.state.Nodes[i], at, c)
		}
	}
	if hidden := nodes - rows*tables; hidden > 0 {
		text := "rows " + thousands(first+1) + "-" + thousands(min(first+rows*tables, nodes)) + " of " + thousands(nodes)
		p.putRight(r.x+r.w, r.y, r.w, text, inkWarn)
	}
}

// firstRow is the first node of a list of which only so many rows fit: as far
// down as scrolled, but never so that the cursor is out of sight.
func (p *painter) firstRow(rows int) int {
	nodes := len(p.state.Nodes)
	if rows >= nodes || rows < 1 {
		return 0
	}
	first := p.scroll
	for i := range p.state.Nodes {
		if p.state.Nodes[i].ID == p.cursor {
			first = min(max(first, i-rows+1), i)
		}
	}
	return min(max(first, 0), nodes-rows)
}

// tableHead names the columns.
func (p *painter) tableHead(x, y int, c columns) {
	x += 2
	right := func(w int, s string) {
		if w > 0 {
			p.putRight(x+w, y, w, s, inkDim)
			x += w + 1
		}
	}
	p.put(x, y, c.name, "node", inkDim)
	x += c.name + 1
	if c.state > 1 {
		p.put(x, y, c.state, "role", inkDim)
	}
	x += c.state + 1
	right(c.value, "value")
	x += c.behind + 1
	right(c.term, "term")
	right(c.log, "log")
	right(c.commit, "commit")
	p.put(x+1, y, c.heard, "heard", inkDim)
}

// tableRow draws one node, with its remarks behind its numbers or below them.
func (p *painter) tableRow(n *trace.Node, r rect, c columns) {
	p.hitNode(r, n.ID)
	p.markNode(n, r.x, r.y)
	if r.h > 1 && p.cursorOn(n.ID) {
		p.set(r.x, r.y+1, p.glyphs.cursor, p.cursorInk())
	}
	look := p.glyphs.lookOf(n)
	x := r.x + 2
	p.put(x, r.y, c.name, n.ID, p.nameInk(n))
	x += c.name + 1
	p.set(x, r.y, look.glyph, look.ink)
	p.put(x+2, r.y, c.state-2, look.word, look.ink)
	x += c.state + 1
	value, k := p.valueOf(n)
	if value == "" {
		value = "-"
	} else if len(value) > c.value {
		value = fit(n.Value, c.value)
	}
	p.putRight(x+c.value, r.y, c.value, value, k)
	x += c.value + 1
	p.put(x, r.y, c.behind, p.behindText(n), inkWarn)
	x += c.behind + 1

	number, loud := inkText, n.Process.Running()
	if !loud {
		number = inkDim
	}
	if c.term > 0 {
		p.putRight(x+c.term, r.y, c.term, fit(count(n.Term), c.term), termInk(n.Term))
		x += c.term + 1
	}
	p.putRight(x+c.log, r.y, c.log, fit(count(n.LastIndex()), c.log), number)
	x += c.log + 1
	if loud {
		p.putRight(x+c.commit, r.y, c.commit, fit(count(n.Commit), c.commit), number)
	}
	x += c.commit + 2
	p.heard(n, x, r.y, c.heard, c.bar)
	x += c.heard + 1
	notes := p.notesOf(n)
	if c.state == 1 && look.word != string(trace.Follower) {
		// There was no room for the word yet.
		notes = append([]note{{look.word, look.ink}}, notes...)
	}
	if r.h > 1 {
		p.notes(notes, r.x+2+c.name+1, r.y+1, r.w-c.name-3)
	} else {
		p.notes(notes, x, r.y, r.x+r.w-x)
	}
}

// notes writes remarks one behind the other, as many as fit; where nothing
// else fits, at least the glyph of the worst.
func (p *painter) notes(notes []note, x, y, w int) {
	at := &pen{c: p.canvas, x: x, y: y, end: x + w}
	for i, n := range notes {
		switch {
		case at.room(width(clean(n.text))) || i == 0 && w > 8:
			at.write(n.text, n.ink)
			at.skip(2)
		case i == 0 && n.ink != inkDim:
			glyph, _, _ := strings.Cut(n.text, " ")
			if at.room(width(clean(glyph))) {
				at.write(glyph, n.ink)
			}
			return
		default:
			return
		}
	}
}
