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
	// cellMin and cellMax are the least and largest width of a cell of the matrix.
	cellMin, cellMax = 4, 24
	// pitchMax is the largest distance between two rows.
	pitchMax = 4
	// textCellMin is the least width of a cell that holds words.
	textCellMin = 9
	// rateWindow is the time over which packets are counted.
	rateWindow = time.Second
)

// Links shows the directed links as a matrix, from rows to columns. Its keys, which set
// and clear faults, are in links_editor.go.
type Links struct {
	Screen
	At     MatrixCell          // the cursor
	Marked map[trace.Link]bool // the links that keys act on; none: those under the cursor
}

// Name implements [View].
func (v *Links) Name() string { return "links" }

// Reset implements [View].
func (v *Links) Reset() bool {
	was := len(v.Marked)
	v.Marked = nil
	return was > 0
}

// Draw implements [View].
func (v *Links) Draw(p *pane.Painter, l *pane.Layout) {
	(&linksPainter{Painter: p, at: v.At, marked: v.Marked}).draw(p.Body(l))
}

// linksPainter paints the links view.
type linksPainter struct {
	*pane.Painter
	at     MatrixCell
	marked map[trace.Link]bool
}

// matrixLayout is the part of the matrix that is shown.
type matrixLayout struct {
	x, y               int // of the first cell
	cell, pitch        int // the width and the height of a cell, with the space around it
	nodes              []string
	rows, cols         int // the number shown
	firstRow, firstCol int // the first ones shown
	at                 MatrixCell
	traffic            map[trace.Link]linkTraffic
}

// draw draws the matrix, the link under the cursor in words, a legend, and the story of
// the network.
func (p *linksPainter) draw(r canvas.Rectangle) {
	m := matrixLayout{traffic: p.countTraffic()}
	name := 4
	for i := range p.State.Nodes {
		if n := &p.State.Nodes[i]; n.Process != trace.Removed {
			m.nodes = append(m.nodes, n.ID)
			name = max(name, min(canvas.Width(canvas.Sanitize(n.ID)), pane.LogNameWidth))
		}
	}
	if len(m.nodes) < 2 || r.H < 8 {
		p.Put(r.X+2, r.Y, r.W-2, "no links: the cluster has only one node", style.Dim)
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
		p.RelatedStory(canvas.Rect(r.X, y+2, r.W, r.Y+r.H-y-2), trace.TopicNetwork, trace.TopicHealing)
	}
}

// matrixHeaders draws the names of the rows and of the columns.
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
		if at.Fits(2 + canvas.Width(canvas.Sanitize(n.ID))) {
			at.Write(look.Glyph+" ", look.Style)
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
		p.Set(r.X+2+name+1, y, look.Glyph, look.Style)
	}
	if hidden := len(m.nodes) - min(m.rows, m.cols); hidden > 0 {
		text := fmt.Sprintf("rows %d-%d, columns %d-%d of %d", m.firstRow+1, m.firstRow+m.rows, m.firstCol+1, m.firstCol+m.cols, len(m.nodes))
		p.PutRight(r.X+r.W, r.Y+1, r.W, text, style.Warn)
	}
}

// headerStyle returns the style of a node's name beside the matrix.
func (p *linksPainter) headerStyle(n *trace.Node) style.Style {
	if !n.Process.Running() {
		return style.Dim
	}
	return style.Text
}

// linkCell draws one link: its faults and its traffic.
func (p *linksPainter) linkCell(m matrixLayout, row, col int) {
	r := canvas.Rect(m.x+(col-m.firstCol)*m.cell, m.y+(row-m.firstRow)*m.pitch, m.cell-1, min(m.pitch, 2))
	if row == col {
		p.Set(r.X, r.Y, p.Glyphs.Dot, style.Faint)
		return
	}
	link := trace.Link{From: m.nodes[row], To: m.nodes[col]}
	highlight := style.Style(0)
	if (m.at.Row == row || m.at.Row == AllNodes) && (m.at.Col == col || m.at.Col == AllNodes) {
		highlight = style.Bold | style.Reverse
		p.Fill(r, " ", highlight)
	}
	set := p.State.Faults[link]
	text, k := p.FaultsInCell(set, r.W)
	if highlight != 0 {
		k = highlight
	}
	p.Put(r.X, r.Y, r.W, text, k)
	if p.marked[link] {
		p.Set(r.X-1, r.Y, p.Glyphs.Selected, style.Accent)
	}
	if r.H > 1 || len(set) == 0 {
		p.drawTraffic(m.traffic[link], canvas.Rect(r.X, r.Y+min(r.H-1, len(set)), r.W, 1), highlight)
	}
}

// linkTraffic is the traffic on a link.
type linkTraffic struct {
	perSecond float64 // packets
	sent      int     // packets, in the time over which they are counted
	lost      int     // of those
	latest    trace.InFlight
}

// countTraffic counts the packets of each link over rateWindow or, under load, over the
// shorter time that the packets in the state span.
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
		t := found[link]
		if f.ID > t.latest.ID {
			t.latest = *f
		}
		if f.SentAt > p.Now-over {
			t.sent++
			if f.Status == trace.Lost {
				t.lost++
			}
		}
		t.perSecond = float64(t.sent) / over.Seconds()
		found[link] = t
	}
	return found
}

// drawTraffic draws the traffic on a link.
func (p *linksPainter) drawTraffic(t linkTraffic, r canvas.Rectangle, highlight style.Style) {
	k := style.Dim
	text := fmt.Sprintf("%.0f/s", t.perSecond)
	if len(text) > r.W {
		text = fmt.Sprintf("%.0f", t.perSecond)
	}
	switch {
	case t.sent == 0 && t.latest.ID != 0 && r.W >= textCellMin:
		text = trace.Age(p.Now-t.latest.SentAt) + " ago"
	case t.sent == 0:
		text, k = p.Glyphs.Leaderless, style.Faint
	case t.lost == t.sent:
		k = style.Bad
	case t.lost > 0:
		k = style.Warn
	}
	if t.lost > 0 && r.W >= textCellMin {
		text += " lost"
		if t.lost < t.sent {
			text = fmt.Sprintf("%.0f/s %d lost", t.perSecond, t.lost)
		}
	}
	if highlight != 0 {
		k = highlight
	}
	p.Put(r.X, r.Y, r.W, text, k)
}

// linkText returns what keys act on: the marked links, those under the cursor or, of a
// single link, its faults and its traffic.
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
		return "1 link marked: keys act on it; esc clears the mark"
	case len(marked) > 0:
		return fmt.Sprintf("%d links marked: keys act on them; esc clears the marks", len(marked))
	case len(links) > 1 && m.at.Row == AllNodes && m.at.Col == AllNodes:
		return fmt.Sprintf("all %d links", len(links))
	case len(links) > 1 && m.at.Col == AllNodes:
		return fmt.Sprintf("all %d links from %s", len(links), canvas.Sanitize(links[0].From))
	case len(links) > 1:
		return fmt.Sprintf("all %d links to %s", len(links), canvas.Sanitize(links[0].To))
	}
	link := links[0]
	parts := []string{canvas.Sanitize(link.From) + " -> " + canvas.Sanitize(link.To)}
	for _, fault := range p.State.Faults[link] {
		parts = append(parts, canvas.Sanitize(fault)+": "+pane.LinkFaultMeaning(fault))
	}
	if len(p.State.Faults[link]) == 0 {
		parts = append(parts, "healthy")
	}
	return strings.Join(append(parts, p.trafficText(m.traffic[link])), "; ")
}

// trafficText returns the traffic on a link in words.
func (p *linksPainter) trafficText(t linkTraffic) string {
	if t.latest.ID == 0 {
		return "idle"
	}
	last := canvas.Sanitize(t.latest.Kind)
	if t.latest.Reply {
		last += " reply"
	}
	if t.latest.Status == trace.Lost {
		last += ", lost"
		if t.latest.Why != "" {
			last += ": " + canvas.Sanitize(t.latest.Why)
		}
	}
	age := trace.Age(p.Now - t.latest.SentAt)
	if t.sent == 0 {
		return fmt.Sprintf("idle for %s (last: %s)", age, last)
	}
	unit := "packets/s"
	if t.sent == 1 {
		unit = "packet/s"
	}
	return fmt.Sprintf("%.0f %s (last: %s, %s ago)", t.perSecond, unit, last, age)
}

// legend draws the glyph of each link fault.
func (p *linksPainter) legend(r canvas.Rectangle) {
	gap := 3
	if r.W < 80 {
		gap = 1
	}
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, fault := range faults.LinkFaults() {
		word := pane.FaultName(fault.String())
		glyph, _, k := pane.LinkFaultGlyph(p.Glyphs, word)
		if !at.Fits(canvas.Width(word) + 2) {
			return
		}
		at.Write(glyph+" ", k)
		at.Write(word, style.Dim)
		at.Skip(gap)
	}
}
