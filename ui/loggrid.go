package ui

import (
	"fmt"
	"strconv"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// entryWidth is how wide an entry is drawn.
	entryWidth = 4
	// legendWidth is how much room the legend takes.
	legendWidth = 31
	// logName is how much of a long name stands beside a log.
	logName = 14
)

// logWindow is the part of all logs that is shown, aligned by index.
type logWindow struct {
	x, end      int    // where the first entry is drawn, and where the row ends
	pitch       int    // how wide an entry is
	first, last uint64 // indexes
	newest      uint64 // index of the newest entry anywhere
	commit      uint64
	truth       *trace.Node // the node whose log is right, as far as anyone can tell
}

// column returns where an index is drawn. Behind the last committed entry there
// is a column for the border.
func (w logWindow) column(index uint64) int {
	x := w.x + int(index-w.first)*w.pitch
	if index > w.commit {
		x++
	}
	return x
}

// logGrid draws the end of every log, one below the other, aligned by index, so
// many entries back from the newest.
func (p *painter) logGrid(r canvas.Rectangle, scroll int) {
	if r.Empty() || len(p.state.Nodes) == 0 {
		return
	}
	name := 3
	for i := range p.state.Nodes {
		name = max(name, min(canvas.Width(canvas.Sanitize(p.state.Nodes[i].ID)), logName))
	}
	rows := r.H - 1
	first := p.firstRow(rows)
	w := p.logWindow(r.X+2+name+3, r.X+r.W, entryWidth)
	w.back(uint64(max(scroll, 0)))
	p.Put(r.X+2, r.Y, name, "log", style.Dim)
	head := w.end
	if hidden := len(p.state.Nodes) - rows; hidden > 0 && rows > 0 {
		text := fmt.Sprintf("+%d nodes", hidden)
		head -= len(text) + 1
		p.Put(head+1, r.Y, len(text), text, style.Warn)
	}
	p.logHead(w, r.Y, head)
	term := w.column(w.last) + w.pitch + 2
	if w.last <= w.commit {
		term++ // there is a border between
	}
	if head == w.end && w.last > 0 {
		p.Put(term, r.Y, w.end-term, "term", style.Dim)
	}
	for row := range min(rows, len(p.state.Nodes)-first) {
		n, y := &p.state.Nodes[first+row], r.Y+1+row
		p.hitNode(canvas.Rect(r.X, y, r.W, 1), n.ID)
		p.markNode(n, r.X, y)
		p.Put(r.X+2, y, name, n.ID, p.nameInk(n))
		look := styleOfNode(p.glyphs, n)
		p.Set(r.X+2+name+1, y, look.glyph, look.ink)
		p.logRow(n, w, y)
		if last := n.LastTerm(); last > 0 {
			p.Put(term, y, w.end-term, "t"+canvas.Compact(canvas.Count(last), 4), style.Term(last))
		}
	}
	p.legend(canvas.Rect(r.X+r.W-legendWidth, r.Y+1, legendWidth, rows), w)
}

// legend says what the cells of the log mean, while there is room beside it.
func (p *painter) legend(r canvas.Rectangle, w logWindow) {
	if w.last == 0 || w.column(w.last)+4*entryWidth > r.X || r.H < 4 {
		return
	}
	term := w.truth.LastTerm()
	for i, line := range [][2]canvas.Span{
		{canvas.Styled(" +1 ", style.Fill(term)), canvas.Styled("committed", style.Dim)},
		{canvas.Styled(" +1 ", style.Term(term)), canvas.Styled("not yet committed", style.Dim)},
		{canvas.Styled("[+1]", style.Bad|style.Bold), canvas.Styled("differs, will be cut off", style.Dim)},
		{canvas.Styled(" t2 ", style.Term(term)), canvas.Styled("colour is the term", style.Dim)},
	} {
		p.Put(r.X, r.Y+i, entryWidth, line[0].Text, line[0].Style)
		p.Put(r.X+entryWidth+2, r.Y+i, r.W-entryWidth-2, line[1].Text, line[1].Style)
	}
	if len(p.lost) > 0 && r.H > 4 {
		p.Put(r.X, r.Y+4, entryWidth, p.glyphs.Loud+"+1 ", style.Loud)
		p.Put(r.X+entryWidth+2, r.Y+4, r.W-entryWidth-2, "told ok, then lost", style.Bad|style.Bold)
	}
}

// logWindow says which entries fit between two columns: the newest.
func (p *painter) logWindow(x, end, pitch int) logWindow {
	w := logWindow{x: x, end: end, pitch: pitch, commit: p.state.Commit, truth: p.leader}
	for i := range p.state.Nodes {
		n := &p.state.Nodes[i]
		w.newest = max(w.newest, n.LastIndex())
		if p.cut[n.ID] > 0 {
			w.newest = max(w.newest, n.TruncatedFirst+uint64(len(n.Truncated))-1)
		}
		// Without a leader the most up-to-date log is the one that would win an
		// election; it holds all that is committed (Raft paper, section 5.4.1).
		if p.leader == nil && (w.truth == nil || n.LastTerm() > w.truth.LastTerm() ||
			n.LastTerm() == w.truth.LastTerm() && n.LastIndex() > w.truth.LastIndex()) {
			w.truth = n
		}
	}
	for index := range p.lost {
		w.newest = max(w.newest, index)
	}
	w.back(0)
	return w
}

// back has the window end so many entries before the newest, but never so that
// there is nothing before its first.
func (w *logWindow) back(entries uint64) {
	fits := uint64(max((w.end-w.x-1-6)/w.pitch, 1))
	w.last = w.newest - min(entries, w.newest)
	w.last = max(w.last, min(fits, w.newest))
	w.first = 1
	if w.last > fits {
		w.first = w.last - fits + 1
	}
}

// around has the window show an entry, in its middle unless it is one of the newest.
func (w *logWindow) around(index uint64) {
	half := (w.last - w.first) / 2
	if index = min(index, w.newest); index+half < w.newest {
		w.back(w.newest - index - half)
	}
}

// logHead writes the indexes over the entries, as many as are legible, and the
// top of the border.
func (p *painter) logHead(w logWindow, y, end int) {
	every := uint64(1)
	for int(every)*w.pitch < len(strconv.FormatUint(w.last, 10))+1 {
		every++
	}
	for i := w.first; i <= w.last; i++ {
		text := strconv.FormatUint(i, 10)
		if x := w.column(i); i%every == 0 && x+3-len(text) >= w.x-1 && x+3 < end {
			k := style.Dim
			if i == w.commit {
				k = style.Text | style.Bold
			}
			if _, lost := p.lost[i]; lost {
				text, k = p.glyphs.Loud+text, style.Loud
			}
			p.Put(x+3-canvas.Width(text), y, canvas.Width(text), text, k)
		}
	}
	if every == 1 && w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.Set(w.column(w.commit)+w.pitch, y, p.glyphs.Border, style.Accent)
	}
}

// logRow draws the entries of one node.
func (p *painter) logRow(n *trace.Node, w logWindow, y int) {
	if w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.Set(w.column(w.commit)+w.pitch, y, p.glyphs.Border, style.Accent)
	}
	if last := n.LastIndex(); last < w.first {
		text := "its log is empty"
		if last > 0 {
			text = "its log ends at " + canvas.Thousands(last)
		}
		p.Put(w.x+1, y, w.end-w.x-1, text, style.Dim)
	}
	differs := false
	for i := w.first; i <= w.last; i++ {
		x := w.column(i)
		if fade := p.cut[n.ID]; fade > 0 && i >= n.TruncatedFirst && i < n.TruncatedFirst+uint64(len(n.Truncated)) {
			if _, again := n.Entry(i); !again || fade > 0.5 {
				p.struck(n.Truncated[i-n.TruncatedFirst], x, y)
				continue
			}
		}
		e, ok := n.Entry(i)
		if !ok {
			if i < n.First && i <= n.SnapshotIndex {
				p.forgotten(n, i, x, y)
			}
			continue
		}
		differs = differs || p.wrong(w, i, e)
		p.entry(n, i, e, canvas.Rect(x, y, w.pitch, 1), differs)
	}
}

// wrong says whether an entry is not the one that the leader, or the most
// up-to-date log, has there. What that log no longer holds counts as right.
func (p *painter) wrong(w logWindow, index uint64, e trace.Entry) bool {
	if w.truth == nil {
		return false
	}
	right, ok := w.truth.Entry(index)
	return ok && right.Term != e.Term
}

// entry draws one entry: committed ones filled, others in outline, in brackets
// what differs and will be cut off, and loudly what a client was told is counted
// and is lost. Where there is room it is marked if its client has had its answer.
func (p *painter) entry(n *trace.Node, index uint64, e trace.Entry, r canvas.Rectangle, differs bool) {
	text := entryText(e)
	k := style.Term(e.Term)
	if index <= p.state.Commit && n.Process.Running() {
		k = style.Fill(e.Term)
	}
	switch was, lost := p.lost[index]; {
	case lost && sameEntry(was, e):
		p.loudEntry(e, r)
		return
	case differs:
		p.Set(r.X, r.Y, "[", style.Bad|style.Bold)
		if len(text) > 2 {
			text = text[len(text)-2:]
		}
		p.Put(r.X+1, r.Y, 2, text, style.Term(e.Term)|style.Bold)
		p.Set(r.X+3, r.Y, "]", style.Bad|style.Bold)
		return
	}
	p.Put(r.X, r.Y, r.W, fmt.Sprintf(" %-*s", r.W-1, text), k)
	if _, told := p.told[callOf(e)]; told && r.W > entryWidth {
		p.Set(r.X+1+len(text), r.Y, p.glyphs.Told, k)
	}
}

// loudEntry draws an entry that a client was told is counted, and that is lost.
func (p *painter) loudEntry(e trace.Entry, r canvas.Rectangle) {
	p.Put(r.X, r.Y, r.W, fmt.Sprintf("%s%-*s", p.glyphs.Loud, r.W-1, entryText(e)), style.Loud)
}

// sameEntry says whether two entries at one index are one and the same.
func sameEntry(a, b trace.Entry) bool {
	return a.Term == b.Term && a.Kind == b.Kind && callOf(a) == callOf(b)
}

// call is what a client's operation and its entry have in common.
type call struct {
	client string
	seq    uint64
}

func callOf(e trace.Entry) call { return call{e.Client, e.Seq} }

// struck draws an entry that has just been cut off.
func (p *painter) struck(e trace.Entry, x, y int) {
	p.Put(x, y, entryWidth, fmt.Sprintf("/%-2.2s/", entryText(e)), style.Bad|style.Strike)
}

// forgotten draws an entry that only a snapshot stands for.
func (p *painter) forgotten(n *trace.Node, index uint64, x, y int) {
	for i := range entryWidth {
		p.Set(x+i, y, p.glyphs.Forgotten, style.Faint)
	}
	if index == n.SnapshotIndex || index == n.First-1 {
		p.Set(x+1, y, p.glyphs.Snapshot, style.Dim)
	}
}

// entryText says in three characters what an entry is.
func entryText(e trace.Entry) string {
	switch e.Kind {
	case trace.EntryAdd:
		if e.Delta >= 0 {
			return "+" + canvas.Compact(e.Delta, 2)
		}
		return canvas.Compact(e.Delta, 3)
	case trace.EntryRead:
		return "rd"
	case trace.EntryNoop:
		// It stands at the start of a term.
		return "t" + canvas.Compact(canvas.Count(e.Term), 2)
	case trace.EntryConfig:
		return "cfg"
	case trace.EntryOther:
	}
	return "?"
}

// whatIs says what an entry is.
func whatIs(e trace.Entry) string {
	by := ""
	if e.Client != "" {
		by = fmt.Sprintf(" by client %s (its call %d)", canvas.Sanitize(e.Client), e.Seq)
	}
	switch e.Kind {
	case trace.EntryAdd:
		return fmt.Sprintf("%+d%s", e.Delta, by)
	case trace.EntryRead:
		return "a read" + by
	case trace.EntryNoop:
		return "the start of a term"
	case trace.EntryConfig:
		var members []string
		for _, s := range e.Servers {
			members = append(members, canvas.Sanitize(s.ID))
		}
		return strings.TrimSpace("the members " + names(members, 9))
	case trace.EntryOther:
	}
	return "of a kind unknown here"
}

// recallAcked looks up which of the latest operations were acknowledged, for views
// that mark their entries.
func (p *painter) recallAcked() {
	p.told = make(map[call]trace.Op, len(p.state.Clients.Recent))
	for _, op := range p.state.Clients.Recent {
		if op.Client != "" && op.Seq > 0 && op.Outcome == trace.OK {
			p.told[call{op.Client, op.Seq}] = op
		}
	}
}
