package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

const (
	// cellMin and cellMax are how wide a cell of the matrix of links may be.
	cellMin, cellMax = 4, 24
	// pitchMax is how far apart rows are at most.
	pitchMax = 4
	// wordyCell is from where on there is room in a cell for words.
	wordyCell = 9
	// rateOver is the time over which packets are counted.
	rateOver = time.Second
)

// matrix is the part of the links that is shown.
type matrix struct {
	x, y               int // of the first cell
	cell, pitch        int // how wide and how high a cell is
	nodes              []string
	rows, cols         int // how many are shown
	firstRow, firstCol int
	at                 spot
	traffic            map[trace.Link]activity
}

// linksView draws every directed link: from the node of its row to the node of
// its column.
func (p *painter) linksView(r rect) {
	m := matrix{traffic: p.traffic()}
	name := 4
	for i := range p.state.Nodes {
		if n := &p.state.Nodes[i]; n.Process != trace.Removed {
			m.nodes = append(m.nodes, n.ID)
			name = max(name, min(width(clean(n.ID)), logName))
		}
	}
	if len(m.nodes) < 2 || r.h < 8 {
		p.put(r.x+2, r.y, r.w-2, "there is no link between fewer than two nodes", inkDim)
		return
	}
	m.at = p.at.settled(len(m.nodes))
	m.x, m.y = r.x+2+name+4, r.y+2
	room := r.x + r.w - m.x
	m.cell = min(max(room/len(m.nodes), cellMin), cellMax)
	m.cols = min(room/m.cell, len(m.nodes))
	rows := r.h - 2 - 4
	m.pitch = min(max(rows/len(m.nodes), 1), pitchMax)
	m.rows = min((rows+m.pitch-1)/m.pitch, len(m.nodes))
	m.firstRow = min(max(m.at.row-m.rows+1, 0), len(m.nodes)-m.rows)
	m.firstCol = min(max(m.at.col-m.cols+1, 0), len(m.nodes)-m.cols)

	p.matrixHeads(m, rect{r.x, r.y, r.w, r.h}, name)
	for row := range m.rows {
		for col := range m.cols {
			p.linkCell(m, m.firstRow+row, m.firstCol+col)
		}
	}
	y := m.y + m.rows*m.pitch
	if m.pitch < 3 {
		y++
	}
	for i, line := range wrap(p.linkInWords(m), r.w-4) {
		if i < 2 && y+i < r.y+r.h {
			p.put(r.x+2, y+i, r.w-4, line, inkText)
		}
	}
	if y += 3; y < r.y+r.h {
		p.linkKey(rect{r.x + 2, y, r.w - 4, 1})
		p.below(rect{r.x, y + 2, r.w, r.y + r.h - y - 2}, trace.TopicNetwork, trace.TopicHealing)
	}
}

// matrixHeads names the rows and the columns.
func (p *painter) matrixHeads(m matrix, r rect, name int) {
	corner := inkDim
	if m.at.row == head && m.at.col == head {
		corner = bold | reverse
	}
	p.putRight(m.x-2, r.y, m.x-r.x-3, "to "+p.glyphs.arrows[0], corner)
	p.put(r.x+2, r.y+1, m.x-r.x-3, "from "+p.glyphs.arrows[1], corner)
	for col := range m.cols {
		n := p.state.Node(m.nodes[m.firstCol+col])
		k := p.headInk(n)
		if m.at.col == m.firstCol+col {
			if k = inkAccent | bold; m.at.row == head {
				k |= reverse
			}
		}
		look := p.glyphs.lookOf(n)
		at := &pen{c: p.canvas, x: m.x + col*m.cell, y: r.y, end: m.x + (col+1)*m.cell - 1}
		if at.room(2 + width(clean(n.ID))) {
			at.write(look.glyph+" ", look.ink)
		}
		at.write(n.ID, k)
	}
	for row := range m.rows {
		n := p.state.Node(m.nodes[m.firstRow+row])
		y := m.y + row*m.pitch
		p.hitNode(rect{r.x, y, m.x - r.x - 1, 1}, n.ID)
		k := p.headInk(n)
		if m.at.row == m.firstRow+row {
			if k = inkAccent | bold; m.at.col == head {
				k |= reverse
			}
		}
		look := p.glyphs.lookOf(n)
		p.put(r.x+2, y, name, n.ID, k)
		p.set(r.x+2+name+1, y, look.glyph, look.ink)
	}
	if hidden := len(m.nodes) - min(m.rows, m.cols); hidden > 0 {
		text := fmt.Sprintf("rows %d-%d, columns %d-%d of %d", m.firstRow+1, m.firstRow+m.rows, m.firstCol+1, m.firstCol+m.cols, len(m.nodes))
		p.putRight(r.x+r.w, r.y+1, r.w, text, inkWarn)
	}
}

// headInk is how a node is named beside the matrix.
func (p *painter) headInk(n *trace.Node) ink {
	if !n.Process.Running() {
		return inkDim
	}
	return inkText
}

// linkCell draws one link: what is wrong with it, and how busy it is.
func (p *painter) linkCell(m matrix, row, col int) {
	r := rect{m.x + (col-m.firstCol)*m.cell, m.y + (row-m.firstRow)*m.pitch, m.cell - 1, min(m.pitch, 2)}
	if row == col {
		p.set(r.x, r.y, p.glyphs.dot, inkFaint)
		return
	}
	link := trace.Link{From: m.nodes[row], To: m.nodes[col]}
	chosen := ink(0)
	if (m.at.row == row || m.at.row == head) && (m.at.col == col || m.at.col == head) {
		chosen = bold | reverse
		p.fill(r, " ", chosen)
	}
	set := p.state.Faults[link]
	text, k := p.faultsInCell(set, r.w)
	if chosen != 0 {
		k = chosen
	}
	p.put(r.x, r.y, r.w, text, k)
	if p.marked[link] {
		p.set(r.x-1, r.y, p.glyphs.marked, inkAccent)
	}
	if r.h > 1 || len(set) == 0 {
		p.busy(m.traffic[link], rect{r.x, r.y + min(r.h-1, len(set)), r.w, 1}, chosen)
	}
}

// faultsInCell writes the faults of a link as briefly as there is room for: with
// their settings, or as glyphs alone.
func (p *painter) faultsInCell(set []string, w int) (string, ink) {
	var long, short []string
	k := inkWarn
	for _, fault := range set {
		glyph, setting, ink := p.glyphs.ofFault(clean(fault))
		long, short = append(long, glyph+" "+setting), append(short, glyph)
		if ink == inkBad {
			k = inkBad | bold
		}
	}
	if text := strings.Join(long, " "); width(text) <= w {
		return text, k
	}
	return strings.Join(short, ""), k
}

// ofFault returns the glyph of a fault, its setting in a word, and its ink.
func (g *glyphs) ofFault(fault string) (glyph, setting string, k ink) {
	words := strings.Fields(fault)
	if len(words) == 0 {
		return g.bad, "", inkWarn
	}
	setting, k = words[0], inkWarn
	if len(words) > 1 && words[1] != "only" {
		setting = words[1]
	}
	closes := false
	switch words[0] {
	case "cut":
		glyph, closes = g.cutLink, true
	case "refuse":
		glyph, closes = g.refuseLink, true
	case "jam":
		glyph, closes = g.jamLink, true
	case "delay":
		glyph = g.slowLink
	case "lose":
		glyph = g.lossyLink
	case "duplicate":
		glyph = g.doubleLink
	case "reorder":
		glyph = g.mixedLink
	case "bandwidth":
		glyph = g.narrowLink
	default:
		glyph = g.bad
	}
	if i := slices.Index(words, "only"); i >= 0 && i+1 < len(words) {
		return glyph, words[i+1], inkWarn
	}
	if closes {
		k = inkBad
	}
	return glyph, setting, k
}

// activity is how busy a link is.
type activity struct {
	perSecond float64
	sent      int // in the time over which is counted
	lost      int
	latest    trace.InFlight
}

// traffic counts the latest packets by link, over a second or, when there are
// more than are remembered, over as long as they last.
func (p *painter) traffic() map[trace.Link]activity {
	over, oldest := rateOver, p.now
	remembered := 0
	for i := range p.state.InFlight {
		if f := &p.state.InFlight[i]; f.ID != 0 {
			remembered++
			oldest = min(oldest, f.SentAt)
		}
	}
	if remembered == len(p.state.InFlight) {
		over = max(min(over, p.now-oldest), time.Millisecond)
	}
	found := map[trace.Link]activity{}
	for i := range p.state.InFlight {
		f := &p.state.InFlight[i]
		if f.ID == 0 {
			continue
		}
		link := trace.Link{From: f.From, To: f.To}
		a := found[link]
		if f.ID > a.latest.ID {
			a.latest = *f
		}
		if f.SentAt > p.now-over {
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

// busy draws how busy a link is.
func (p *painter) busy(a activity, r rect, chosen ink) {
	k := inkDim
	text := fmt.Sprintf("%.0f/s", a.perSecond)
	if len(text) > r.w {
		text = fmt.Sprintf("%.0f", a.perSecond)
	}
	switch {
	case a.sent == 0 && a.latest.ID != 0 && r.w >= wordyCell:
		text = ago(p.now-a.latest.SentAt) + " ago"
	case a.sent == 0:
		text, k = p.glyphs.unled, inkFaint
	case a.lost == a.sent:
		k = inkBad
	case a.lost > 0:
		k = inkWarn
	}
	if a.lost > 0 && r.w >= wordyCell {
		text += " lost"
		if a.lost < a.sent {
			text = fmt.Sprintf("%.0f/s %d lost", a.perSecond, a.lost)
		}
	}
	if chosen != 0 {
		k = chosen
	}
	p.put(r.x, r.y, r.w, text, k)
}

// linkInWords says what is known of the link under the cursor.
func (p *painter) linkInWords(m matrix) string {
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
	case len(links) > 1 && m.at.row == head && m.at.col == head:
		return fmt.Sprintf("all %d links", len(links))
	case len(links) > 1 && m.at.col == head:
		return fmt.Sprintf("the %d links from %s", len(links), clean(links[0].From))
	case len(links) > 1:
		return fmt.Sprintf("the %d links to %s", len(links), clean(links[0].To))
	}
	link := links[0]
	parts := []string{clean(link.From) + " -> " + clean(link.To)}
	for _, fault := range p.state.Faults[link] {
		parts = append(parts, clean(fault)+": "+linkMeaning(fault))
	}
	if len(p.state.Faults[link]) == 0 {
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
		last := fmt.Sprintf("packets: %.0f a second, the last %s ago, %s", a.perSecond, ago(p.now-a.latest.SentAt), clean(what))
		if a.latest.Status == trace.Lost {
			last += ", lost"
			if a.latest.Why != "" {
				last += ": " + clean(a.latest.Why)
			}
		}
		parts = append(parts, last)
	}
	return strings.Join(parts, "; ")
}

// linkMeaning says what a fault does, in the words of the command reference.
func linkMeaning(fault string) string {
	for _, kind := range faults.LinkFaults() {
		if faultWord(kind.String()) == faultWord(fault) {
			return kind.Meaning()
		}
	}
	return "unknown here"
}

// linkKey says what the glyphs of the matrix mean.
func (p *painter) linkKey(r rect) {
	gap := 3
	if r.w < 80 {
		gap = 1
	}
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	for _, fault := range faults.LinkFaults() {
		word := faultWord(fault.String())
		glyph, _, k := p.glyphs.ofFault(word)
		if !at.room(width(word) + 2) {
			return
		}
		at.write(glyph+" ", k)
		at.write(word, inkDim)
		at.skip(gap)
	}
}
