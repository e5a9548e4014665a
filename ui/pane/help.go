package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// helpNote is the title of the help.
const helpNote = "keys   down: more   other keys: close   commands: capsize commands"

// helpGap is the number of cells between the columns of the help.
const helpGap = 3

// helpColumn is a column of the help: groups of keys one below the other.
type helpColumn struct {
	groups      []HelpGroup
	keyW, textW int
	lines       int
}

// width returns the width of the column in cells.
func (c *helpColumn) width() int { return c.keyW + 2 + c.textW }

// add adds a group at the end of the column, after gap empty lines.
func (c *helpColumn) add(g HelpGroup, gap int) {
	if len(c.groups) > 0 {
		c.lines += gap
	}
	c.groups, c.lines = append(c.groups, g), c.lines+1+len(g.Keys)
	for _, k := range g.Keys {
		c.keyW = max(c.keyW, min(canvas.Width(canvas.Sanitize(k.Key)), 16))
		c.textW = max(c.textW, min(canvas.Width(canvas.Sanitize(k.Text)), 48))
	}
	c.textW = max(c.textW, min(canvas.Width(canvas.Sanitize(g.Title)), 48)-c.keyW-2)
}

// helpColumns distributes groups over columns of at most so many rows. A group stays in one
// column.
func helpColumns(groups []HelpGroup, rows, gap int) []helpColumn {
	columns := make([]helpColumn, 1)
	for _, g := range groups {
		last := &columns[len(columns)-1]
		if len(last.groups) > 0 && last.lines+gap+1+len(g.Keys) > rows {
			columns = append(columns, helpColumn{})
			last = &columns[len(columns)-1]
		}
		last.add(g, gap)
	}
	return columns
}

// columnsThatFit returns how many columns fit side by side, at least one, and their width.
func columnsThatFit(columns []helpColumn, w int) (count, used int) {
	for i := range columns {
		more := columns[i].width()
		if i > 0 {
			more += helpGap
		}
		if i > 0 && used+more > w {
			break
		}
		count, used = i+1, used+more
	}
	return count, used
}

// drawHelp draws the full help in as many columns as fit.
func (p *Painter) drawHelp() {
	if p.Help == nil {
		return
	}
	rows, room, gap := p.H-4, p.W-6, 1
	columns := helpColumns(p.Help, rows, gap)
	count, used := columnsThatFit(columns, room)
	if count < len(columns) {
		// More groups fit without empty lines between them.
		gap = 0
		columns = helpColumns(p.Help, rows, gap)
		count, used = columnsThatFit(columns, room)
	}
	columns = columns[:count]
	high := 1
	for i := range columns {
		high = max(high, min(columns[i].lines, rows))
	}
	in := p.box(max(used, canvas.Width(helpNote)+2), high, helpNote)
	x := in.X
	for i := range columns {
		p.helpColumn(&columns[i], canvas.Rect(x, in.Y, min(columns[i].width(), in.X+in.W-x), in.H), gap)
		x += columns[i].width() + helpGap
	}
}

// helpColumn draws one column of the help.
func (p *Painter) helpColumn(c *helpColumn, r canvas.Rectangle, gap int) {
	y := r.Y
	for _, g := range c.groups {
		p.Put(r.X, y, r.W, g.Title, style.Text|style.Bold)
		y++
		for _, k := range g.Keys {
			if y >= r.Y+r.H {
				return
			}
			p.hitKey(canvas.Rect(r.X, y, r.W, 1), k.Key)
			p.Put(r.X, y, min(c.keyW, r.W), k.Key, style.Accent)
			p.Put(r.X+c.keyW+2, y, r.W-c.keyW-2, k.Text, style.Text)
			y++
		}
		y += gap
	}
}
