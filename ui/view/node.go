package view

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

const (
	// factLabel is the width of the labels of the facts.
	factLabel = 10
	// factsWidth is the width of the facts, labels included.
	factsWidth = 46
)

// Node shows one node in detail. It shares its cursor with the log view.
type Node struct{ log *Log }

// Name implements [View].
func (v *Node) Name() string { return "node" }

// Keys implements [View].
func (v *Node) Keys() []keymap.Binding { return nil }

// Reset implements [View].
func (v *Node) Reset() bool { return v.log.Reset() }

// Draw implements [View].
func (v *Node) Draw(p *pane.Painter, l *pane.Layout) {
	p.IndexAcked()
	(&nodePainter{Painter: p, index: v.log.Index}).draw(p.Body(l))
}

// nodePainter paints the node view.
type nodePainter struct {
	*pane.Painter
	index uint64
}

// draw draws the node under the cursor: its facts, its log around the entry under the
// cursor, and the log lines of hashicorp/raft.
func (p *nodePainter) draw(r canvas.Rectangle) {
	n := p.State.Node(p.Cursor)
	if n == nil || r.H < 8 {
		p.Put(r.X+2, r.Y, r.W-2, "no node selected", style.Dim)
		return
	}
	own := min(max(r.H*3/10, 4), 16)
	facts := canvas.Rect(r.X, r.Y, min(factsWidth, r.W*6/10), r.H-own-1)
	if r.W > 160 {
		facts.W = factsWidth + 24
	}
	p.facts(n, facts)
	log := canvas.Rect(facts.X+facts.W+3, r.Y, r.W-facts.W-3, facts.H)
	p.nodeLog(n, log)
	y := r.Y + facts.H + 1
	p.libraryLog(n, canvas.Rect(r.X, y, r.W, r.Y+r.H-y))
}

// fact is a labelled line of the node view.
type fact struct {
	label string
	parts []canvas.Span
}

// facts draws the name, the value and the facts of a node.
func (p *nodePainter) facts(n *trace.Node, r canvas.Rectangle) {
	look := pane.StyleOfNode(p.Glyphs, n)
	p.MarkNode(n, r.X, r.Y)
	at := p.Pen(r.X+2, r.Y, r.X+r.W)
	at.Write(look.Glyph+" ", look.Style)
	at.Write(canvas.Truncate(canvas.Sanitize(n.ID), 20, p.Glyphs.Ellipsis), style.Accent|style.Bold)
	at.Write(" "+look.Word, look.Style)
	value, k := p.ValueOf(n)
	y := r.Y + 1
	if value == "" {
		value = "no value"
	}
	if p.Glyphs.BigDigits && len(value) <= pane.BigDigitsMax && r.H >= 17 {
		p.PutBig(r.X+2, y+1, value, k)
		p.Put(r.X+2+canvas.BigWidth(value)+2, y+1, 8, p.BehindText(n), style.Warn)
		y += canvas.BigHeight + 2
	} else {
		p.PutRight(r.X+r.W, r.Y, 21, value, k)
	}
	for _, f := range p.factsOf(n) {
		if y >= r.Y+r.H {
			break
		}
		p.Put(r.X+2, y, factLabel, f.label, style.Dim)
		at := p.Pen(r.X+2+factLabel, y, r.X+r.W)
		for _, part := range f.parts {
			at.Write(part.Text, part.Style)
		}
		if f.label == factContact {
			p.Contact(n, at.X, y, at.End-at.X, 12)
		}
		y++
	}
}

// factContact is the fact that is drawn as a bar.
const factContact = "contact"

// factsOf lists the facts of a node, the most important first.
func (p *nodePainter) factsOf(n *trace.Node) []fact {
	text := func(s string, k style.Style) []canvas.Span {
		return []canvas.Span{canvas.Styled(canvas.Sanitize(s), k)}
	}
	process := string(n.Process)
	if process == "" {
		process = "new"
	}
	process += " for " + trace.Age(p.Now-n.Since)
	if n.Why != "" {
		process += ": " + n.Why
	}
	facts := []fact{{"process", text(process, processStyle(n))}}
	if n.Gap != "" {
		facts = append(facts, fact{"events", text("may be missing: "+n.Gap, style.Warn)})
	}
	facts = append(facts, fact{"term", []canvas.Span{canvas.Styled(canvas.Thousands(n.Term), style.Term(n.Term)), canvas.Styled("   "+p.voteOf(n), style.Text)}})
	if n.Process.Running() {
		leader := n.Leader
		if n.Role == trace.Leader {
			leader = n.ID
		}
		if leader == "" {
			leader = "none known"
		}
		facts = append(facts, fact{"leader", text(leader, style.Text)}, fact{factContact, nil})
	}
	first := n.First
	if len(n.Entries) == 0 {
		first = n.LastIndex()
	}
	facts = append(facts,
		fact{"log", []canvas.Span{canvas.Styled(canvas.Thousands(first)+" to "+canvas.Thousands(n.LastIndex()), style.Term(n.LastTerm())), canvas.Styled(fmt.Sprintf("  (last term %s)", canvas.Thousands(n.LastTerm())), style.Dim)}},
		fact{"committed", p.committedOf(n)},
		fact{"snapshot", p.snapshotOf(n)},
		fact{"disk", p.diskOf(n)},
		fact{"clock", p.clockOf(n)},
		fact{"members", p.membersOf(n)},
		fact{"links out", p.linksOf(n, true)},
		fact{"links in", p.linksOf(n, false)})
	return facts
}

// committedOf returns a node's commit index and its applied index. Both are in memory
// only: a node that is down has lost them.
func (p *nodePainter) committedOf(n *trace.Node) []canvas.Span {
	if n.Process.Down() {
		return []canvas.Span{canvas.Styled("unknown until it restarts", style.Dim)}
	}
	return []canvas.Span{canvas.Styled(canvas.Thousands(n.Commit), style.Text), canvas.Styled("   applied ", style.Dim), canvas.Styled(canvas.Thousands(n.Applied), style.Text)}
}

func processStyle(n *trace.Node) style.Style {
	switch n.Process {
	case trace.Up:
		return style.Text
	case trace.Paused, trace.Unreachable:
		return style.Warn
	default:
		return style.Bad
	}
}

func (p *nodePainter) voteOf(n *trace.Node) string {
	switch {
	case n.Vote == "":
		return "no vote yet"
	case n.VoteTerm == n.Term:
		return "voted for " + canvas.Sanitize(n.Vote)
	}
	return fmt.Sprintf("voted for %s in term %s", canvas.Sanitize(n.Vote), canvas.Thousands(n.VoteTerm))
}

func (p *nodePainter) snapshotOf(n *trace.Node) []canvas.Span {
	if n.SnapshotIndex == 0 {
		return []canvas.Span{canvas.Styled("none", style.Dim)}
	}
	return []canvas.Span{
		canvas.Styled(p.Glyphs.Snapshot+" up to "+canvas.Thousands(n.SnapshotIndex), style.Text),
		canvas.Styled(fmt.Sprintf("  (term %s)", canvas.Thousands(n.SnapshotTerm)), style.Dim),
	}
}

func (p *nodePainter) diskOf(n *trace.Node) []canvas.Span {
	if n.DiskFault == "" {
		return []canvas.Span{canvas.Styled("healthy", style.Dim)}
	}
	fault := canvas.Sanitize(n.DiskFault)
	return []canvas.Span{canvas.Styled(p.Glyphs.Disk+" "+fault, style.Warn), canvas.Styled("  "+pane.DiskFaultMeaning(fault), style.Dim)}
}

func (p *nodePainter) clockOf(n *trace.Node) []canvas.Span {
	spans := []canvas.Span{canvas.Styled("normal", style.Dim)}
	if n.ClockFactor != 1 && n.ClockFactor != 0 {
		spans[0] = canvas.Styled(fmt.Sprintf("%s timeouts x%.3g", p.Glyphs.Clock, n.ClockFactor), style.Warn)
	}
	if n.ApplyFault != "" {
		spans = append(spans, canvas.Styled("  apply "+canvas.Sanitize(n.ApplyFault), style.Warn))
	}
	return spans
}

// membersOf lists the members of the latest configuration in a node's log.
func (p *nodePainter) membersOf(n *trace.Node) []canvas.Span {
	var voters, others []string
	for _, s := range n.Servers {
		if s.Voter {
			voters = append(voters, canvas.Sanitize(s.ID))
		} else {
			others = append(others, canvas.Sanitize(s.ID))
		}
	}
	if len(voters) == 0 {
		return []canvas.Span{canvas.Styled("none known", style.Dim)}
	}
	notes := []canvas.Span{canvas.Styled(pane.JoinNames(voters, 9), style.Text)}
	if len(others) > 0 {
		notes = append(notes, canvas.Styled("  non-voters "+pane.JoinNames(others, 4), style.Dim))
	}
	return notes
}

// linksOf lists the faults of a node's links and, for each, the nodes at the other end.
func (p *nodePainter) linksOf(n *trace.Node, out bool) []canvas.Span {
	var kinds []canvas.Span // each set of faults, once
	ends := map[string][]string{}
	for i := range p.State.Nodes {
		other := p.State.Nodes[i].ID
		link := trace.Link{From: n.ID, To: other}
		if !out {
			link = trace.Link{From: other, To: n.ID}
		}
		set := p.State.Faults[link]
		if other == n.ID || len(set) == 0 {
			continue
		}
		text, k := p.FaultsInCell(set, 20)
		if len(ends[text]) == 0 {
			kinds = append(kinds, canvas.Styled(text, k))
		}
		ends[text] = append(ends[text], other)
	}
	if len(kinds) == 0 {
		return []canvas.Span{canvas.Styled("healthy", style.Dim)}
	}
	var notes []canvas.Span
	for _, kind := range kinds {
		which := pane.JoinNames(ends[kind.Text], 4)
		if others := len(p.State.Nodes) - 1; others > 1 && len(ends[kind.Text]) == others {
			which = "all"
		}
		notes = append(notes, canvas.Styled(kind.Text+" ", kind.Style), canvas.Styled(which+"  ", style.Text))
	}
	return notes
}

// nodeLog lists the entries of a node's log: the newest, or those around the cursor.
func (p *nodePainter) nodeLog(n *trace.Node, r canvas.Rectangle) {
	if r.W < 24 || r.H < 3 {
		return
	}
	p.Put(r.X, r.Y, r.W, "log", style.Dim)
	last := n.LastIndex()
	rows := r.H - 1
	at := p.index
	if at == 0 || at > last {
		at = last
	}
	w := p.LogWindow(r.X, r.X+r.W, pane.EntryWidth)
	// The newest is at the bottom, or the entry under the cursor in the middle.
	end := min(last, max(at+uint64(rows/2), uint64(rows)))
	for row := range rows {
		index := end + uint64(row) + 1 - uint64(rows)
		if index == 0 || index > last {
			continue
		}
		p.entryRow(n, w, index, index == at, canvas.Rect(r.X, r.Y+1+row, r.W, 1))
	}
	if last == 0 {
		p.Put(r.X, r.Y+1, r.W, "empty", style.Dim)
	}
}

// entryRow draws one entry of a log: its index, its term, its look and its status.
func (p *nodePainter) entryRow(n *trace.Node, w pane.LogWindow, index uint64, underCursor bool, r canvas.Rectangle) {
	k := style.Dim
	if underCursor {
		k = style.Accent | style.Bold
		p.Set(r.X, r.Y, p.Glyphs.Cursor, style.Accent)
	}
	p.PutRight(r.X+10, r.Y, 8, canvas.Compact(index, 8), k)
	e, ok := n.Entry(index)
	if !ok {
		p.Put(r.X+12, r.Y, r.W-12, p.Glyphs.Snapshot+" compacted", style.Dim)
		return
	}
	p.PutRight(r.X+16, r.Y, 5, "t"+canvas.Compact(e.Term, 4), style.Term(e.Term))
	diverges := p.Diverges(w, index, e)
	p.Entry(n, index, e, canvas.Rect(r.X+18, r.Y, pane.EntryWidth, 1), diverges)
	words := []string{pane.DescribeEntry(e)}
	if room := r.W - 18 - pane.EntryWidth - 2; room < 24 {
		words[0] = canvas.Sanitize(e.Client)
	}
	switch _, acked := p.Acked[e.OpKey()]; {
	case diverges:
		words = append(words, "diverges")
	case index > w.Commit:
		words = append(words, "uncommitted")
	case acked:
		words = append(words, "acked")
	}
	at := p.Pen(r.X+18+pane.EntryWidth+2, r.Y, r.X+r.W)
	for i, word := range words {
		if i > 0 && word != "" {
			word = "  " + word
		}
		if at.Fits(canvas.Width(word)) {
			at.Write(word, style.Text)
		}
	}
}

// libraryLog draws the log lines of hashicorp/raft on a node, the newest at the bottom.
func (p *nodePainter) libraryLog(n *trace.Node, r canvas.Rectangle) {
	if r.H < 2 {
		return
	}
	p.Put(r.X+2, r.Y, r.W-2, "hashicorp/raft log", style.Dim)
	stamp := len(trace.Clock(p.Now))
	lines := n.LogLines[max(len(n.LogLines)-(r.H-1), 0):]
	if len(lines) == 0 {
		p.Put(r.X+2, r.Y+1, r.W-2, "empty", style.Dim)
	}
	for i, line := range lines {
		y := r.Y + 1 + i
		text := canvas.Sanitize(line.Text)
		k := style.Text
		switch {
		case strings.HasPrefix(text, "[ERROR]"):
			k = style.Bad
		case strings.HasPrefix(text, "[WARN]"):
			k = style.Warn
		}
		p.Put(r.X+2, y, stamp, trace.Clock(line.At), style.Dim)
		p.Put(r.X+2+stamp+2, y, r.W-stamp-4, text, k)
	}
}
