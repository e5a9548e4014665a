package view

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

const (
	// cellMin and cellMax are how wide a cell of the matrix of links may be.
	cellMin, cellMax = 4, 24
	// pitchMax is how far apart rows are at most.
	pitchMax = 4
	// textCellMin is from where on there is room in a cell for words.
	textCellMin = 9
	// rateWindow is the time over which packets are counted.
	rateWindow = time.Second
)

// Links shows the network as a matrix, from rows to columns, and breaks it cell
// by cell: its keys are in links_edit.go.
type Links struct {
	Screen
	At     MatrixCell          // the cursor
	Marked map[trace.Link]bool // links that keys act on, none: those under the cursor
}

func (v *Links) Name() string { return "links" }

func (v *Links) Reset() bool {
	was := len(v.Marked)
	v.Marked = nil
	return was > 0
}

func (v *Links) Draw(p *pane.Painter, l *pane.Layout) {
	(&linksPainter{Painter: p, at: v.At, marked: v.Marked}).draw(p.Body(l))
}

// linksPainter paints the links view.
type linksPainter struct {
	*pane.Painter
	at     MatrixCell
	marked map[trace.Link]bool
}

// matrixLayout is the part of the links that is shown.
type matrixLayout struct {
	x, y               int // of the first cell
	cell, pitch        int // how wide and how high a cell is
	nodes              []string
	rows, cols         int // how many are shown
	firstRow, firstCol int
	at                 MatrixCell
	traffic            map[trace.Link]linkTraffic
}

// draw draws every directed link: from the node of its row to the node of
// its column.
func (p *linksPainter) draw(r canvas.Rectangle) {
	m := matrixLayout{traffic: p.countTraffic()}
	name := 4
	for i := range p.State.Nodes {
		if n := &p.State.Nodes[i]; n.Process != trace.Removed {
			m.nodes = append(m.nodes, n.ID)
			name = max(name, min(canvas.Width(canvas.Sanitize(n.ID)), pane.LogName))
		}
	}
	if len(m.nodes) < 2 || r.H < 8 {
		p.Put(r.X+2, r.Y, r.W-2, "there is no link between fewer than two nodes", style.Dim)
		return
	}
	m.at = p.at.clamped(len(m.nodes))
	m.x, m.y = r.X+2+name+4, r.Y+2
	room := r.X + r.W - m.x
	m.cell = min(max(room/len(m.nodes), cellMin), cellMax)
	m.cols = min(room/m.cell, len(m.nodes))
	rows := r.H - 2 - 4
	m.pitch = min(max(rows/len(m.nodes), 1), pitchMax)
	m.rows = min((rows+m.pitch-1)/m.pitch, len(m.nodes))
	m.firstRow = min(max(m.at.Row-m.rows+1, 0), len(m.nodes)-m.rows)
	m.firstCol = min(max(m.at.Col-m.cols+1, 0), len(m.nodes)-m.cols)

	p.matrixHeaders(m, canvas.Rect(r.X, r.Y, r.W, r.H), name)
	for row := range m.rows {
		for col := range m.cols {
			p.linkCell(m, m.firstRow+row, m.firstCol+col)
		}
	}
	y := m.y + m.rows*m.pitch
	if m.pitch < 3 {
		y++
	}
	for i, line := range canvas.Wrap(p.linkText(m), r.W-4) {
		if i < 2 && y+i < r.Y+r.H {
			p.Put(r.X+2, y+i, r.W-4, line, style.Text)
		}
	}
	if y += 3; y < r.Y+r.H {
		p.legend(canvas.Rect(r.X+2, y, r.W-4, 1))
		p.Below(canvas.Rect(r.X, y+2, r.W, r.Y+r.H-y-2), trace.TopicNetwork, trace.TopicHealing)
	}
}

// matrixHeaders names the rows and the columns.
func (p *linksPainter) matrixHeaders(m matrixLayout, r canvas.Rectangle, name int) {
	corner := style.Dim
	if m.at.Row == AllNodes && m.at.Col == AllNodes {
		corner = style.Bold | style.Reverse
	}
	p.PutRight(m.x-2, r.Y, m.x-r.X-3, "to "+p.Glyphs.Arrows[0], corner)
	p.Put(r.X+2, r.Y+1, m.x-r.X-3, "from "+p.Glyphs.Arrows[1], corner)
	for col := range m.cols {
		n := p.State.Node(m.nodes[m.firstCol+col])
		k := p.headerStyle(n)
		if m.at.Col == m.firstCol+col {
			if k = style.Accent | style.Bold; m.at.Row == AllNodes {
				k |= style.Reverse
			}
		}
		look := pane.StyleOfNode(p.Glyphs, n)
		at := p.Pen(m.x+col*m.cell, r.Y, m.x+(col+1)*m.cell-1)
		if at.Room(2 + canvas.Width(canvas.Sanitize(n.ID))) {
			at.Write(look.Glyph+" ", look.Ink)
		}
		at.Write(n.ID, k)
	}
	for row := range m.rows {
		n := p.State.Node(m.nodes[m.firstRow+row])
		y := m.y + row*m.pitch
		p.HitNode(canvas.Rect(r.X, y, m.x-r.X-1, 1), n.ID)
		k := p.headerStyle(n)
		if m.at.Row == m.firstRow+row {
			if k = style.Accent | style.Bold; m.at.Col == AllNodes {
				k |= style.Reverse
			}
		}
		look := pane.StyleOfNode(p.Glyphs, n)
		p.Put(r.X+2, y, name, n.ID, k)
		p.Set(r.X+2+name+1, y, look.Glyph, look.Ink)
	}
	if hidden := len(m.nodes) - min(m.rows, m.cols); hidden > 0 {
		text := fmt.Sprintf("rows %d-%d, columns %d-%d of %d", m.firstRow+1, m.firstRow+m.rows, m.firstCol+1, m.firstCol+m.cols, len(m.nodes))
		p.PutRight(r.X+r.W, r.Y+1, r.W, text, style.Warn)
	}
}

// headerStyle is how a node is named beside the matrix.
func (p *linksPainter) headerStyle(n *trace.Node) style.Style {
	if !n.Process.Running() {
		return style.Dim
	}
	return style.Text
}

// linkCell draws one link: what is wrong with it, and how busy it is.
func (p *linksPainter) linkCell(m matrixLayout, row, col int) {
	r := canvas.Rect(m.x+(col-m.firstCol)*m.cell, m.y+(row-m.firstRow)*m.pitch, m.cell-1, min(m.pitch, 2))
	if row == col {
		p.Set(r.X, r.Y, p.Glyphs.Dot, style.Faint)
		return
	}
	link := trace.Link{From: m.nodes[row], To: m.nodes[col]}
	chosen := style.Style(0)
	if (m.at.Row == row || m.at.Row == AllNodes) && (m.at.Col == col || m.at.Col == AllNodes) {
		chosen = style.Bold | style.Reverse
		p.Fill(r, " ", chosen)
	}
	set := p.State.Faults[link]
	text, k := p.FaultsInCell(set, r.W)
	if chosen != 0 {
		k = chosen
	}
	p.Put(r.X, r.Y, r.W, text, k)
	if p.marked[link] {
		p.Set(r.X-1, r.Y, p.Glyphs.Marked, style.Accent)
	}
	if r.H > 1 || len(set) == 0 {
		p.drawTraffic(m.traffic[link], canvas.Rect(r.X, r.Y+min(r.H-1, len(set)), r.W, 1), chosen)
	}
}

// linkTraffic is how busy a link is.
type linkTraffic struct {
	perSecond float64
	sent      int // in the time over which is counted
	lost      int
	latest    trace.InFlight
}

// countTraffic counts the latest packets by link, over a second or, when there are
// more than are remembered, over as long as they last.
func (p *linksPainter) countTraffic() map[trace.Link]linkTraffic {
	over, oldest := rateWindow, p.Now
	remembered := 0
	for i := range p.State.InFlight {
		if f := &p.State.InFlight[i]; f.ID != 0 {
			remembered++
			oldest = min(oldest, f.SentAt)
		}
	}
	if remembered == len(p.State.InFlight) {
		over = max(min(over, p.Now-oldest), time.Millisecond)
	}
	found := map[trace.Link]linkTraffic{}
	for i := range p.State.InFlight {
		f := &p.State.InFlight[i]
		if f.ID == 0 {
			continue
		}
		link := trace.Link{From: f.From, To: f.To}
		a := found[link]
		if f.ID > a.latest.ID {
			a.latest = *f
		}
		if f.SentAt > p.Now-over {
			a.sent++
			if f.Status == trace.Lost {
				a.lost++
			}
		}
		a.perSecond = float64(a.sent) / over.Seconds()
		found[link] = a
	}
	return found
}

// drawTraffic draws how busy a link is.
func (p *linksPainter) drawTraffic(a linkTraffic, r canvas.Rectangle, chosen style.Style) {
	k := style.Dim
	text := fmt.Sprintf("%.0f/s", a.perSecond)
	if len(text) > r.W {
		text = fmt.Sprintf("%.0f", a.perSecond)
	}
	switch {
	case a.sent == 0 && a.latest.ID != 0 && r.W >= textCellMin:
		text = canvas.Age(p.Now-a.latest.SentAt) + " ago"
	case a.sent == 0:
		text, k = p.Glyphs.Unled, style.Faint
	case a.lost == a.sent:
		k = style.Bad
	case a.lost > 0:
		k = style.Warn
	}
	if a.lost > 0 && r.W >= textCellMin {
		text += " lost"
		if a.lost < a.sent {
			text = fmt.Sprintf("%.0f/s %d lost", a.perSecond, a.lost)
		}
	}
	if chosen != 0 {
		k = chosen
	}
	p.Put(r.X, r.Y, r.W, text, k)
}

// linkText says what is known of the link under the cursor.
func (p *linksPainter) linkText(m matrixLayout) string {
	links := linksAt(m.nodes, m.at)
	var marked []trace.Link
	for link, on := range p.marked {
		if on {
			marked = append(marked, link)
		}
	}
	switch {
	case len(marked) == 1:
		return "one link is marked: keys act on it, esc takes the mark off"
	case len(marked) > 0:
		return fmt.Sprintf("%d links are marked: keys act on them, esc takes the marks off", len(marked))
	case len(links) > 1 && m.at.Row == AllNodes && m.at.Col == AllNodes:
		return fmt.Sprintf("all %d links", len(links))
	case len(links) > 1 && m.at.Col == AllNodes:
		return fmt.Sprintf("the %d links from %s", len(links), canvas.Sanitize(links[0].From))
	case len(links) > 1:
		return fmt.Sprintf("the %d links to %s", len(links), canvas.Sanitize(links[0].To))
	}
	link := links[0]
	parts := []string{canvas.Sanitize(link.From) + " -> " + canvas.Sanitize(link.To)}
	for _, fault := range p.State.Faults[link] {
		parts = append(parts, canvas.Sanitize(fault)+": "+pane.LinkMeaning(fault))
	}
	if len(p.State.Faults[link]) == 0 {
		parts = append(parts, "a sound link")
	}
	a := m.traffic[link]
	if a.latest.ID == 0 {
		parts = append(parts, "silent for long")
	} else {
		what := a.latest.Kind
		if a.latest.Reply {
			what += " reply"
		}
		last := fmt.Sprintf("packets: %.0f a second, the last %s ago, %s", a.perSecond, canvas.Age(p.Now-a.latest.SentAt), canvas.Sanitize(what))
		if a.latest.Status == trace.Lost {
			last += ", lost"
			if a.latest.Why != "" {
				last += ": " + canvas.Sanitize(a.latest.Why)
			}
		}
		parts = append(parts, last)
	}
	return strings.Join(parts, "; ")
}

// legend says what the glyphs of the matrix mean.
func (p *linksPainter) legend(r canvas.Rectangle) {
	gap := 3
	if r.W < 80 {
		gap = 1
	}
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, fault := range faults.LinkFaults() {
		word := pane.FaultWord(fault.String())
		glyph, _, k := pane.LinkFaultGlyph(p.Glyphs, word)
		if !at.Room(canvas.Width(word) + 2) {
			return
		}
		at.Write(glyph+" ", k)
		at.Write(word, style.Dim)
		at.Skip(gap)
	}
}
