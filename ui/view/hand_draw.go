package view

import (
	"fmt"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

const (
	// besideMinWidth is the least width of a screen with both lists side by side.
	besideMinWidth = 150
	// nodeCellWidth is the width of a node where there is no room for one a row.
	nodeCellWidth = 19
	// ringMinHeight is the least height of the lists that leaves room for the ring.
	ringMinHeight = 30
	// logTailMax is how many entries the end of a log shows at most.
	logTailMax = 48
	// nextRows is how many rows the second list has at least below the first.
	nextRows = 3
	// roomyWidth is the width of a list from which it spells out when a caller gives up.
	roomyWidth = 92
)

// handLayout is where the parts of the hand view are.
//
//	wide, and high          narrow
//	┌────────────────────┐  ┌────────────────────┐
//	│ nodes              │  │ nodes              │
//	│ packets    │ next  │  │ packets            │
//	│ ring       │       │  │ next               │
//	│ story              │  │ story              │
//	└────────────────────┘  └────────────────────┘
type handLayout struct {
	nodes, packets, ring, next, story canvas.Rectangle
	perRow                            int // nodes side by side
}

// layoutHand divides the body. The list with the cursor gets more rows than the other.
func layoutHand(r canvas.Rectangle, nodes int, inNext bool) handLayout {
	l := handLayout{perRow: 1}
	high := nodes
	if high > r.H*2/5 {
		l.perRow = max(r.W/nodeCellWidth, 1)
		high = min((nodes+l.perRow-1)/l.perRow, max(r.H*2/5, 1))
	}
	story := max(2, r.H/6)
	if r.H > 40 {
		story = r.H / 4
	}
	l.nodes = canvas.Rect(r.X, r.Y, r.W, high)
	l.story = canvas.Rect(r.X, r.Y+r.H-story, r.W, story)
	lists := canvas.Rect(r.X, r.Y+high+1, r.W, max(r.H-high-story-2, 0))
	if r.W+2 >= besideMinWidth {
		w := min(max(r.W*2/5, 44), 64)
		l.packets = canvas.Rect(lists.X, lists.Y, lists.W-w-3, lists.H)
		l.next = canvas.Rect(lists.X+lists.W-w, lists.Y, w, lists.H)
		if lists.H >= ringMinHeight {
			l.packets.H = lists.H * 2 / 5
			l.ring = canvas.Rect(l.packets.X, l.packets.Y+l.packets.H+1, l.packets.W, lists.H-l.packets.H-1)
		}
		return l
	}
	rows := max(lists.H-2, 0)
	below := max(nextRows, rows*2/5)
	if inNext && rows < nextRows*4 {
		below = rows - nextRows
	}
	below = max(min(below, rows-1), 0)
	l.packets = canvas.Rect(lists.X, lists.Y, lists.W, lists.H-below-1)
	l.next = canvas.Rect(lists.X, lists.Y+l.packets.H, lists.W, below+1)
	return l
}

// packetRowsMin is how many rows the list of the packets keeps: its head, and what it says while it
// is empty.
const packetRowsMin = 4

// shareRows gives the timers below the packets the rows that the packets do not need.
func (l *handLayout) shareRows(packets, timers int) {
	if l.next.X != l.packets.X {
		return // they are side by side
	}
	spare := l.packets.H - max(packets+2, packetRowsMin) // the head, and a row between the lists
	rows := max(min(spare, timers+1-l.next.H), 0)
	l.packets.H -= rows
	l.next.Y -= rows
	l.next.H += rows
}

// handPainter paints the hand view.
type handPainter struct {
	*pane.Painter
	view *Hand
	held bool // a link is held
}

// Draw implements [View].
func (v *Hand) Draw(p *pane.Painter, l *pane.Layout) {
	hp := &handPainter{Painter: p, view: v, held: p.State.HoldsAny()}
	packets, next := v.packets(p.State), p.State.Upcoming()
	at := layoutHand(p.Body(l), len(p.State.Nodes), v.inNext)
	at.shareRows(len(packets), len(next))
	hp.drawNodes(at.nodes, at.perRow)
	hp.drawPackets(at.packets, packets)
	hp.drawNext(at.next, next)
	p.Ring(at.ring)
	p.Story(at.story)
}

// drawNodes draws the nodes: one a row with the end of its log or, if they are many, several.
func (p *handPainter) drawNodes(r canvas.Rectangle, perRow int) {
	first := p.FirstRow(r.H * perRow)
	for i := first; i < min(first+r.H*perRow, len(p.State.Nodes)); i++ {
		n := &p.State.Nodes[i]
		row, col := (i-first)/perRow, (i-first)%perRow
		if perRow > 1 {
			p.nodeCell(n, canvas.Rect(r.X+col*nodeCellWidth, r.Y+row, nodeCellWidth-1, 1))
			continue
		}
		p.nodeRow(n, canvas.Rect(r.X, r.Y+row, r.W, 1))
	}
}

// nodeHead draws the cursor, the glyph and the name of a node, and returns where to go on.
func (p *handPainter) nodeHead(n *trace.Node, r canvas.Rectangle, name int) int {
	p.HitNode(r, n.ID)
	p.MarkNode(n, r.X, r.Y)
	look := pane.StyleOfNode(p.Glyphs, n)
	p.Set(r.X+2, r.Y, look.Glyph, look.Style)
	p.Put(r.X+4, r.Y, name, n.ID, p.NameStyle(n))
	return r.X + 4 + name + 1
}

// nodeCell draws a node in few cells: its value, its term, and its commit index and log end.
func (p *handPainter) nodeCell(n *trace.Node, r canvas.Rectangle) {
	x := p.nodeHead(n, r, min(p.nameWidth(), 4))
	value, st := p.ValueOf(n)
	p.PutRight(x+3, r.Y, 3, canvas.Compact(n.Value, min(len(value), 3)), st)
	pen := p.Pen(x+4, r.Y, r.X+r.W)
	pen.Write("t"+canvas.Compact(n.Term, 2)+" ", style.Term(n.Term))
	pen.Write(canvas.Compact(n.LastIndex(), 4), style.Text)
}

// nodeRow draws a node in a row: role, value, term, vote, commit index and the end of its log.
func (p *handPainter) nodeRow(n *trace.Node, r canvas.Rectangle) {
	x := p.nodeHead(n, r, min(p.nameWidth(), 12))
	look := pane.StyleOfNode(p.Glyphs, n)
	p.Put(x, r.Y, 9, look.Word, look.Style)
	x += 10
	value, st := p.ValueOf(n)
	p.PutRight(x+5, r.Y, 5, canvas.Compact(n.Value, min(len(value), 5)), st)
	x += 7
	p.Put(x, r.Y, 9, "term "+canvas.Compact(n.Term, 4), style.Term(n.Term))
	x += 9
	vote := "no vote"
	switch {
	case n.Role == trace.Candidate && len(n.Votes) > 0:
		vote = fmt.Sprintf("%d/%d votes", len(n.Votes), trace.Quorum(max(len(p.State.Voters()), len(n.Votes))))
	case n.Vote != "" && n.VoteTerm == n.Term:
		vote = "voted " + n.Vote
	}
	p.Put(x, r.Y, 10, vote, style.Dim)
	x += 11
	p.Put(x, r.Y, 4, "log ", style.Dim)
	p.PutRight(x+9, r.Y, 5, canvas.Compact(n.LastIndex(), 5), style.Text)
	p.logTail(n, x+10, r.Y, r.X+r.W-x-10)
}

// nameWidth returns the width of the longest name.
func (p *handPainter) nameWidth() int {
	name := 2
	for i := range p.State.Nodes {
		name = max(name, canvas.Width(canvas.Sanitize(p.State.Nodes[i].ID)))
	}
	return name
}

// logTail draws the terms of the last entries of a log, as many as fit. Committed entries are
// filled. An index has the same column on all nodes.
func (p *handPainter) logTail(n *trace.Node, x, y, w int) {
	last, term := uint64(0), uint64(0)
	for i := range p.State.Nodes {
		last, term = max(last, p.State.Nodes[i].LastIndex()), max(term, p.State.Nodes[i].LastTerm())
	}
	cell := len(fmt.Sprint(term)) + 1
	if last >= 1<<62 || cell > 4 { // a recording from elsewhere may claim anything
		return
	}
	first := last + 1 - min(uint64(max(min(w/cell, logTailMax), 0)), last)
	for index := max(first, n.First); index <= last; index++ {
		e, ok := n.Entry(index)
		if !ok {
			return
		}
		at, st := x+int(index-first)*cell, style.Term(e.Term)
		if index <= n.Commit {
			st = style.TermFill(e.Term)
		}
		if index == n.Commit+1 && index > first {
			p.Set(at, y, p.Glyphs.CommitBorder, style.Dim)
		}
		p.PutRight(at+cell, y, cell-1, fmt.Sprint(e.Term), st)
	}
}

// listHead draws the title of a list with the rows that are shown, and the labels of its columns
// at the right. Its keys stand there while the footer does not. It returns the first row.
func (p *handPainter) listHead(r canvas.Rectangle, title string, here bool, count, cursor int, hint, labels string) (first int) {
	st := style.Text
	if here {
		st = style.Accent | style.Bold
	}
	rows := max(r.H-1, 0)
	first = min(max(cursor-rows/2, 0), max(count-rows, 0))
	pen := p.Pen(r.X, r.Y, r.X+r.W-len(labels)-1)
	pen.Write(title, st)
	if p.InHand && here && count > 0 { // the footer makes room for the caption
		pen.Write("  "+hint, style.Dim)
	}
	if count > rows && rows > 0 {
		pen.Write(fmt.Sprintf("  %s-%s", canvas.Thousands(first+1), canvas.Thousands(min(first+rows, count))), style.Dim)
	}
	if count > 0 {
		p.PutRight(r.X+r.W, r.Y, len(labels), labels, style.Dim)
	}
	return first
}

// drawPackets draws the list of the waiting packets.
func (p *handPainter) drawPackets(r canvas.Rectangle, all []trace.InFlight) {
	if r.Empty() {
		return
	}
	links := map[trace.Link]bool{}
	for i := range all {
		links[linkOf(&all[i])] = true
	}
	title := "waiting packets: none"
	if len(all) > 0 {
		title = fmt.Sprintf("waiting packets: %s on %s", canvas.Thousands(len(all)), countedLinks(len(links)))
	}
	if p.view.order != nil && len(all) > 0 {
		title += ", in your order"
	}
	columns := p.packetColumns(r.W, all)
	cursor := p.view.cursor[0].at(len(all), packetItem(all))
	first := p.listHead(r, title, !p.view.inNext, len(all), cursor, "enter deliver  x drop", fmt.Sprintf("waited %*s", columns.caller, "deadline"))
	if len(all) == 0 && r.H > 1 {
		text := "every message that is sent waits here: i sends an increment, the other list fires a timer"
		if !p.held {
			text = "no link is held: M holds all links and stops the clock, then every message waits here"
		}
		for i, line := range canvas.Wrap(text, r.W-2) {
			if i+1 < r.H {
				p.Put(r.X+2, r.Y+1+i, r.W-2, line, style.Dim)
			}
		}
	}
	for row := 0; row < r.H-1 && first+row < len(all); row++ {
		i := first + row
		at := canvas.Rect(r.X, r.Y+1+row, r.W, 1)
		p.packetRow(at, &all[i], columns, row == 0 || !sameLink(&all[i], &all[i-1]), i == cursor)
	}
}

func linkOf(f *trace.InFlight) trace.Link { return trace.Link{From: f.From, To: f.To} }

func countedLinks(n int) string {
	if n == 1 {
		return "1 link"
	}
	return fmt.Sprintf("%d links", n)
}

// packetColumns are the widths of the columns of the list of packets.
type packetColumns struct {
	link, id, name, term, waited, caller int
	roomy                                bool // it spells out when a caller gives up
}

func (p *handPainter) packetColumns(w int, all []trace.InFlight) packetColumns {
	c := packetColumns{name: 4, waited: 6, caller: 9, term: 2, roomy: w >= roomyWidth}
	for i := range all {
		f := &all[i]
		c.link = max(c.link, min(canvas.Width(canvas.Sanitize(f.From+f.To))+4, 22))
		c.id = max(c.id, 1+digits(f.ID))
		c.name = max(c.name, min(canvas.Width(canvas.Sanitize(pane.PacketName(&f.Packet))), 20))
		c.term = max(c.term, 1+digits(f.Term))
	}
	if c.roomy {
		c.caller = 17
	}
	return c
}

// digits returns the number of digits of a number.
func digits(n uint64) int {
	count := 1
	for ; n > 9; n /= 10 {
		count++
	}
	return count
}

// packetRow draws a waiting packet: its link, unless the row above has the same, what it is, what
// it carries, how long it has waited and whether its caller still waits.
func (p *handPainter) packetRow(r canvas.Rectangle, f *trace.InFlight, c packetColumns, link, cursor bool) {
	p.HitPacket(r, f.ID)
	over := p.rowStyle(r, cursor, !p.view.inNext)
	x := r.X + 2
	put := func(w int, text string, st style.Style) {
		p.Put(x, r.Y, min(w, r.X+r.W-x), text, over(st))
		x += w + 1
	}
	name := ""
	if link {
		name = f.From + " " + p.Glyphs.Arrows[0] + " " + f.To
	}
	put(c.link, name, style.Text)
	put(c.id, fmt.Sprint("#", f.ID), style.Dim)
	put(1, pane.PacketGlyph(p.Glyphs, f.Packet), pane.PacketStyle(f.Packet)|style.Bold)
	put(c.name, pane.PacketName(&f.Packet), style.Text)
	put(c.term, fmt.Sprint("t", f.Term), style.Term(f.Term))
	right := r.X + r.W
	p.PutRight(right, r.Y, c.caller, p.callerText(f, c.roomy), over(style.Dim))
	right -= c.caller + 1
	p.PutRight(right, r.Y, c.waited, trace.Age(p.Now-f.SentAt), over(style.Dim))
	right -= c.waited + 1
	content := pane.PacketContent(&f.Packet)
	if f.Duplicate {
		content = "copy: " + content
	}
	p.Put(x, r.Y, right-x, content, over(style.Text))
}

// callerText says how long the caller of a packet's RPC still waits.
func (p *handPainter) callerText(f *trace.InFlight, roomy bool) string {
	left := f.Deadline - p.Now
	switch {
	case f.Deadline == 0 && roomy:
		return "no deadline"
	case f.Deadline == 0:
		return "none"
	case roomy:
		return "gives up in " + trace.Age(left)
	}
	return trace.Age(left) + " left"
}

// rowStyle draws the cursor of a row and returns how the row's styles change under it. Here tells
// whether the keys act on this list: the other one shows no cursor.
func (p *handPainter) rowStyle(r canvas.Rectangle, cursor, here bool) func(style.Style) style.Style {
	if !cursor || !here || p.view.unattended {
		return func(st style.Style) style.Style { return st }
	}
	p.Fill(r, " ", style.Bold|style.Reverse)
	p.Set(r.X, r.Y, p.Glyphs.Cursor, style.Bold|style.Reverse)
	return func(style.Style) style.Style { return style.Bold | style.Reverse }
}

// drawNext draws the timers that fire next.
func (p *handPainter) drawNext(r canvas.Rectangle, all []trace.Upcoming) {
	if r.Empty() {
		return
	}
	title := "next timers: none"
	if len(all) > 0 {
		title = fmt.Sprintf("next timers: %d", len(all))
	}
	cursor, textW := p.view.cursor[1].at(len(all), timerItem(all)), 30
	for i := range all {
		textW = max(textW, canvas.Width(canvas.Sanitize(upcomingText(&all[i]))))
	}
	first := p.listHead(r, title, p.view.inNext, len(all), cursor, "enter let it happen", "")
	for row := 0; row < r.H-1 && first+row < len(all); row++ {
		i := first + row
		at := canvas.Rect(r.X, r.Y+1+row, r.W, 1)
		p.Hits = append(p.Hits, pane.HitBox{X: at.X, Y: at.Y, W: at.W, H: 1, Timer: i + 1})
		over := p.rowStyle(at, i == cursor, p.view.inNext)
		when := upcomingTime(&all[i], p.State)
		x := at.X + 2 + min(textW+3, at.W-2-len(when))
		p.Put(at.X+2, at.Y, x-at.X-3, upcomingText(&all[i]), over(style.Text))
		p.Put(x, at.Y, at.X+at.W-x, when, over(style.Dim))
	}
}
