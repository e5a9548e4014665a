package ui

import (
	"fmt"
	"strconv"

	"capsize/cluster/trace"
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

// logGrid draws the end of every log, one below the other, aligned by index.
func (p *painter) logGrid(r rect) {
	if r.empty() || len(p.state.Nodes) == 0 {
		return
	}
	name := 3
	for i := range p.state.Nodes {
		name = max(name, min(width(clean(p.state.Nodes[i].ID)), logName))
	}
	rows := r.h - 1
	first := p.firstRow(rows)
	w := p.logWindow(r.x+2+name+3, r.x+r.w, entryWidth)
	w.back(uint64(max(p.logScroll, 0)))
	p.put(r.x+2, r.y, name, "log", inkDim)
	head := w.end
	if hidden := len(p.state.Nodes) - rows; hidden > 0 && rows > 0 {
		text := fmt.Sprintf("+%d nodes", hidden)
		head -= len(text) + 1
		p.put(head+1, r.y, len(text), text, inkWarn)
	}
	p.logHead(w, r.y, head)
	term := w.column(w.last) + w.pitch + 2
	if w.last <= w.commit {
		term++ // there is a border between
	}
	if head == w.end && w.last > 0 {
		p.put(term, r.y, w.end-term, "term", inkDim)
	}
	for row := range min(rows, len(p.state.Nodes)-first) {
		n, y := &p.state.Nodes[first+row], r.y+1+row
		p.hitNode(rect{r.x, y, r.w, 1}, n.ID)
		p.markNode(n, r.x, y)
		p.put(r.x+2, y, name, n.ID, p.nameInk(n))
		look := p.glyphs.lookOf(n)
		p.set(r.x+2+name+1, y, look.glyph, look.ink)
		p.logRow(n, w, y)
		if last := n.LastTerm(); last > 0 {
			p.put(term, y, w.end-term, "t"+fit(count(last), 4), termInk(last))
		}
	}
	p.legend(rect{r.x + r.w - legendWidth, r.y + 1, legendWidth, rows}, w)
}

// legend says what the cells of the log mean, while there is room beside it.
func (p *painter) legend(r rect, w logWindow) {
	if w.last == 0 || w.column(w.last)+4*entryWidth > r.x || r.h < 4 {
		return
	}
	term := w.truth.LastTerm()
	for i, line := range [][2]note{
		{{" +1 ", fillInk(term)}, {"committed", inkDim}},
		{{" +1 ", termInk(term)}, {"not yet committed", inkDim}},
		{{"[+1]", inkBad | bold}, {"differs, will be cut off", inkDim}},
		{{" t2 ", termInk(term)}, {"colour is the term", inkDim}},
	} {
		p.put(r.x, r.y+i, entryWidth, line[0].text, line[0].ink)
		p.put(r.x+entryWidth+2, r.y+i, r.w-entryWidth-2, line[1].text, line[1].ink)
	}
	if len(p.lost) > 0 && r.h > 4 {
		p.put(r.x, r.y+4, entryWidth, p.glyphs.loud+"+1 ", inkLoud)
		p.put(r.x+entryWidth+2, r.y+4, r.w-entryWidth-2, "told ok, then lost", inkBad|bold)
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
			k := inkDim
			if i == w.commit {
				k = inkText | bold
			}
			if _, lost := p.lost[i]; lost {
				text, k = p.glyphs.loud+text, inkLoud
			}
			p.put(x+3-width(text), y, width(text), text, k)
		}
	}
	if every == 1 && w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.set(w.column(w.commit)+w.pitch, y, p.glyphs.border, inkAccent)
	}
}

// logRow draws the entries of one node.
func (p *painter) logRow(n *trace.Node, w logWindow, y int) {
	if w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.set(w.column(w.commit)+w.pitch, y, p.glyphs.border, inkAccent)
	}
	if last := n.LastIndex(); last < w.first {
		text := "its log is empty"
		if last > 0 {
			text = "its log ends at " + thousands(last)
		}
		p.put(w.x+1, y, w.end-w.x-1, text, inkDim)
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
		p.entry(n, i, e, rect{x, y, w.pitch, 1}, differs)
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
func (p *painter) entry(n *trace.Node, index uint64, e trace.Entry, r rect, differs bool) {
	text := entryText(e)
	k := termInk(e.Term)
	if index <= p.state.Commit && n.Process.Running() {
		k = fillInk(e.Term)
	}
	switch was, lost := p.lost[index]; {
	case lost && sameEntry(was, e):
		p.loudEntry(e, r)
		return
	case differs:
		p.set(r.x, r.y, "[", inkBad|bold)
		if len(text) > 2 {
			text = text[len(text)-2:]
		}
		p.put(r.x+1, r.y, 2, text, termInk(e.Term)|bold)
		p.set(r.x+3, r.y, "]", inkBad|bold)
		return
	}
	p.put(r.x, r.y, r.w, fmt.Sprintf(" %-*s", r.w-1, text), k)
	if _, told := p.told[callOf(e)]; told && r.w > entryWidth {
		p.set(r.x+1+len(text), r.y, p.glyphs.told, k)
	}
}

// loudEntry draws an entry that a client was told is counted, and that is lost.
func (p *painter) loudEntry(e trace.Entry, r rect) {
	p.put(r.x, r.y, r.w, fmt.Sprintf("%s%-*s", p.glyphs.loud, r.w-1, entryText(e)), inkLoud)
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
	p.put(x, y, entryWidth, fmt.Sprintf("/%-2.2s/", entryText(e)), inkBad|strike)
}

// forgotten draws an entry that only a snapshot stands for.
func (p *painter) forgotten(n *trace.Node, index uint64, x, y int) {
	for i := range entryWidth {
		p.set(x+i, y, p.glyphs.forgotten, inkFaint)
	}
	if index == n.SnapshotIndex || index == n.First-1 {
		p.set(x+1, y, p.glyphs.snapshot, inkDim)
	}
}

// entryText says in three characters what an entry is.
func entryText(e trace.Entry) string {
	switch e.Kind {
	case trace.EntryAdd:
		if e.Delta >= 0 {
			return "+" + fit(e.Delta, 2)
		}
		return fit(e.Delta, 3)
	case trace.EntryRead:
		return "rd"
	case trace.EntryNoop:
		// It stands at the start of a term.
		return "t" + fit(count(e.Term), 2)
	case trace.EntryConfig:
		return "cfg"
	case trace.EntryOther:
	}
	return "?"
}
