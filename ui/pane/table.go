package pane

import (
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// columns are the widths of the columns of the node table. A column of width 0 is left out.
// bar is the width of the bar in the contact column.
type columns struct {
	name, state, value, behind, term, log, commit, contact, notes, bar int
}

// columnsFor divides the width of a table. Names and values get what they need if there is
// room, and remarks get the rest.
func (p *Painter) columnsFor(w int, full bool) columns {
	name, value, state := 4, 5, 11
	for i := range p.State.Nodes {
		n := &p.State.Nodes[i]
		state = max(state, len(StyleOfNode(p.Glyphs, n).Word)+2)
		name = max(name, canvas.Width(canvas.Sanitize(n.ID)))
		text, _ := p.ValueOf(n)
		value = max(value, len(text))
	}
	c := columns{state: state, behind: 5, term: 4, log: 5, commit: 6, contact: 14, bar: 7}
	switch {
	case !full:
		c.state, c.term, c.contact, c.bar = 1, 0, 10, 5
	case w >= 80:
		c.behind, c.term, c.log, c.commit, c.contact, c.bar = 7, 5, 8, 8, 23, 16
	}
	// The marks take two cells, and a blank goes between any two columns.
	rest := w - 2 - 8 - c.state - c.behind - c.term - c.log - c.commit - c.contact
	c.value = min(value, max(5, rest/2))
	c.name = min(name, max(4, rest-c.value))
	c.notes = max(rest-c.value-c.name, 0)
	return c
}

// Table draws the nodes as rows: few nodes in full, with a second line for remarks if there is
// room; many nodes in compact tables side by side, scrolled to the cursor.
func (p *Painter) Table(r canvas.Rectangle) {
	if r.Empty() {
		return
	}
	nodes, tables := len(p.State.Nodes), 1
	full := nodes <= fullNodesMax
	if !full {
		tables = tableColumns(r.W)
	}
	colW := (r.W - (tables-1)*2) / tables
	c := p.columnsFor(colW, full)
	rows := r.H - 1
	pitch := 1
	if full && nodes*2 <= rows {
		pitch = 2
		if nodes*3-1 <= rows {
			pitch = 3
		}
	}
	first := p.FirstRow(rows * tables)
	for t := range tables {
		x := r.X + t*(colW+2)
		p.tableHead(x, r.Y, c)
		for row := range rows {
			i := first + t*rows + row
			if i >= nodes || row*pitch >= rows {
				break
			}
			at := canvas.Rect(x, r.Y+1+row*pitch, colW, min(pitch, 2))
			p.tableRow(&p.State.Nodes[i], at, c)
		}
	}
	if hidden := nodes - rows*tables; hidden > 0 {
		text := "rows " + canvas.Thousands(first+1) + "-" + canvas.Thousands(min(first+rows*tables, nodes)) + " of " + canvas.Thousands(nodes)
		p.PutRight(r.X+r.W, r.Y, r.W, text, style.Warn)
	}
}

// FirstRow returns the index of the first node of a list with room for so many rows. The list
// is scrolled just far enough to show the cursor.
func (p *Painter) FirstRow(rows int) int {
	nodes := len(p.State.Nodes)
	if rows >= nodes || rows < 1 {
		return 0
	}
	first := 0
	for i := range p.State.Nodes {
		if p.State.Nodes[i].ID == p.Cursor {
			first = min(max(first, i-rows+1), i)
		}
	}
	return min(max(first, 0), nodes-rows)
}

// tableHead draws the names of the columns.
func (p *Painter) tableHead(x, y int, c columns) {
	x += 2
	right := func(w int, s string) {
		if w > 0 {
			p.PutRight(x+w, y, w, s, style.Dim)
			x += w + 1
		}
	}
	p.Put(x, y, c.name, "node", style.Dim)
	x += c.name + 1
	if c.state > 1 {
		p.Put(x, y, c.state, "role", style.Dim)
	}
	x += c.state + 1
	right(c.value, "value")
	x += c.behind + 1
	right(c.term, "term")
	right(c.log, "log")
	right(c.commit, "commit")
	p.Put(x+1, y, c.contact, "contact", style.Dim)
}

// tableRow draws one node, with its remarks after its numbers or below them.
func (p *Painter) tableRow(n *trace.Node, r canvas.Rectangle, c columns) {
	p.HitNode(r, n.ID)
	p.MarkNode(n, r.X, r.Y)
	if r.H > 1 && p.cursorOn(n.ID) {
		p.Set(r.X, r.Y+1, p.Glyphs.Cursor, p.cursorStyle())
	}
	state := StyleOfNode(p.Glyphs, n)
	x := r.X + 2
	p.Put(x, r.Y, c.name, n.ID, p.NameStyle(n))
	x += c.name + 1
	p.Set(x, r.Y, state.Glyph, state.Style)
	p.Put(x+2, r.Y, c.state-2, state.Word, state.Style)
	x += c.state + 1
	value, st := p.ValueOf(n)
	if value == "" {
		value = "-"
	} else if len(value) > c.value {
		value = canvas.Compact(n.Value, c.value)
	}
	p.PutRight(x+c.value, r.Y, c.value, value, st)
	x += c.value + 1
	p.Put(x, r.Y, c.behind, p.BehindText(n), style.Warn)
	x += c.behind + 1

	number := style.Text
	if !n.Process.Running() {
		number = style.Dim
	}
	if c.term > 0 {
		p.PutRight(x+c.term, r.Y, c.term, canvas.Compact(n.Term, c.term), style.Term(n.Term))
		x += c.term + 1
	}
	p.PutRight(x+c.log, r.Y, c.log, canvas.Compact(n.LastIndex(), c.log), number)
	x += c.log + 1
	if !n.Process.Down() && n.Process != "" {
		p.PutRight(x+c.commit, r.Y, c.commit, canvas.Compact(n.Commit, c.commit), number)
	}
	x += c.commit + 2
	p.Contact(n, x, r.Y, c.contact, c.bar)
	x += c.contact + 1
	notes := p.notesOf(n)
	if c.state == 1 && state.Word != string(trace.Follower) {
		// The state column has room for the glyph only, so the word for what is wrong
		// comes first here.
		at := 0
		if len(notes) > 0 && notes[0].Style == style.Bad {
			at = 1
		}
		notes = slices.Insert(notes, at, canvas.Styled(state.Word, state.Style))
	}
	if r.H > 1 {
		p.notes(notes, r.X+2+c.name+1, r.Y+1, r.W-c.name-3)
	} else {
		p.notes(notes, x, r.Y, r.X+r.W-x)
	}
}

// notes draws as many remarks as fit. If none does, it draws the glyph of the worst.
func (p *Painter) notes(notes []canvas.Span, x, y, w int) {
	pen := p.Pen(x, y, x+w)
	for i, n := range notes {
		switch {
		case pen.Fits(canvas.Width(canvas.Sanitize(n.Text))) || i == 0 && w > 8:
			pen.Write(n.Text, n.Style)
			pen.Skip(2)
		case i == 0 && n.Style != style.Dim:
			glyph, _, _ := strings.Cut(n.Text, " ")
			if pen.Fits(canvas.Width(canvas.Sanitize(glyph))) {
				pen.Write(glyph, n.Style)
			}
			return
		default:
			return
		}
	}
}
