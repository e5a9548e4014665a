package pane

import (
	"fmt"
	"strconv"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// EntryWidth is the width of an entry.
	EntryWidth = 4
	// legendWidth is the width of the legend.
	legendWidth = 24
	// LogNameWidth is the width of the longest name beside a log.
	LogNameWidth = 14
)

// LogWindow is the part of all logs that is shown, aligned by index.
type LogWindow struct {
	X, End      int    // the columns of the first entry and of the end of the row
	Pitch       int    // the columns from one entry to the next
	First, Last uint64 // indexes
	Newest      uint64 // the index of the newest entry of any node
	Commit      uint64
	// Reference is the node whose log the others are compared with: the leader or,
	// without one, the node with the most up-to-date log.
	Reference *trace.Node
}

// Column returns the column of an index. The border after the last committed entry takes one.
func (w LogWindow) Column(index uint64) int {
	x := w.X + int(index-w.First)*w.Pitch
	if index > w.Commit {
		x++
	}
	return x
}

// LogGrid draws the end of every log, aligned by index. It ends scroll entries before the
// newest.
func (p *Painter) LogGrid(r canvas.Rectangle, scroll int) {
	if r.Empty() || len(p.State.Nodes) == 0 {
		return
	}
	name := 3
	for i := range p.State.Nodes {
		name = max(name, min(canvas.Width(canvas.Sanitize(p.State.Nodes[i].ID)), LogNameWidth))
	}
	rows := r.H - 1
	first := p.FirstRow(rows)
	w := p.LogWindow(r.X+2+name+3, r.X+r.W, EntryWidth)
	w.endBefore(uint64(max(scroll, 0)))
	p.Put(r.X+2, r.Y, name, "log", style.Dim)
	headerEnd := w.End
	if hidden := len(p.State.Nodes) - rows; hidden > 0 && rows > 0 {
		text := fmt.Sprintf("+%d nodes", hidden)
		headerEnd -= len(text) + 1
		p.Put(headerEnd+1, r.Y, len(text), text, style.Warn)
	}
	p.LogHeader(w, r.Y, headerEnd)
	term := w.Column(w.Last) + w.Pitch + 2
	if w.Last <= w.Commit {
		term++ // for the border
	}
	if headerEnd == w.End && w.Last > 0 {
		p.Put(term, r.Y, w.End-term, "term", style.Dim)
	}
	for row := range min(rows, len(p.State.Nodes)-first) {
		n, y := &p.State.Nodes[first+row], r.Y+1+row
		p.HitNode(canvas.Rect(r.X, y, r.W, 1), n.ID)
		p.MarkNode(n, r.X, y)
		p.Put(r.X+2, y, name, n.ID, p.NameStyle(n))
		state := StyleOfNode(p.Glyphs, n)
		p.Set(r.X+2+name+1, y, state.Glyph, state.Style)
		p.LogRow(n, w, y)
		if last := n.LastTerm(); last > 0 {
			p.Put(term, y, w.End-term, "t"+canvas.Compact(last, 4), style.Term(last))
		}
	}
	p.legend(canvas.Rect(r.X+r.W-legendWidth, r.Y+1, legendWidth, rows), w)
}

// legend draws what the cells of the log mean, if there is room beside them.
func (p *Painter) legend(r canvas.Rectangle, w LogWindow) {
	if w.Last == 0 || w.Column(w.Last)+4*EntryWidth > r.X || r.H < 4 {
		return
	}
	term := w.Reference.LastTerm()
	for i, line := range [][2]canvas.Span{
		{canvas.Styled(" +1 ", style.TermFill(term)), canvas.Styled("committed", style.Dim)},
		{canvas.Styled(" +1 ", style.Term(term)), canvas.Styled("uncommitted", style.Dim)},
		{canvas.Styled("[+1]", style.Bad|style.Bold), canvas.Styled("diverges", style.Dim)},
		{canvas.Styled(" t2 ", style.Term(term)), canvas.Styled("colour = term", style.Dim)},
	} {
		p.Put(r.X, r.Y+i, EntryWidth, line[0].Text, line[0].Style)
		p.Put(r.X+EntryWidth+2, r.Y+i, r.W-EntryWidth-2, line[1].Text, line[1].Style)
	}
	if len(p.Lost) > 0 && r.H > 4 {
		p.Put(r.X, r.Y+4, EntryWidth, p.Glyphs.Alarm+"+1 ", style.Alarm)
		p.Put(r.X+EntryWidth+2, r.Y+4, r.W-EntryWidth-2, "acked, then lost", style.Bad|style.Bold)
	}
}

// LogWindow returns the window of the newest entries that fit between two columns.
func (p *Painter) LogWindow(x, end, pitch int) LogWindow {
	w := LogWindow{X: x, End: end, Pitch: pitch, Commit: p.State.Commit, Reference: p.Leader}
	for i := range p.State.Nodes {
		n := &p.State.Nodes[i]
		w.Newest = max(w.Newest, n.LastIndex())
		if p.Truncating[n.ID] > 0 {
			w.Newest = max(w.Newest, n.TruncatedFirst+uint64(len(n.Truncated))-1)
		}
		// Without a leader the most up-to-date log is the one that would win an election.
		// It holds all committed entries (Raft paper, section 5.4.1).
		if p.Leader == nil && (w.Reference == nil || n.LastTerm() > w.Reference.LastTerm() ||
			n.LastTerm() == w.Reference.LastTerm() && n.LastIndex() > w.Reference.LastIndex()) {
			w.Reference = n
		}
	}
	for index := range p.Lost {
		w.Newest = max(w.Newest, index)
	}
	w.endBefore(0)
	return w
}

// endBefore makes the window end so many entries before the newest. It stays full: it does not
// scroll past the first entry.
func (w *LogWindow) endBefore(entries uint64) {
	fits := uint64(max((w.End-w.X-1-6)/w.Pitch, 1))
	w.Last = w.Newest - min(entries, w.Newest)
	w.Last = max(w.Last, min(fits, w.Newest))
	w.First = 1
	if w.Last > fits {
		w.First = w.Last - fits + 1
	}
}

// CenterOn moves the window to an entry, which is in the middle unless it is one of the newest.
func (w *LogWindow) CenterOn(index uint64) {
	half := (w.Last - w.First) / 2
	if index = min(index, w.Newest); index+half < w.Newest {
		w.endBefore(w.Newest - index - half)
	}
}

// LogHeader draws indexes above the entries, as many as there is room for, and the top of the
// commit border.
func (p *Painter) LogHeader(w LogWindow, y, end int) {
	every := uint64(1)
	for int(every)*w.Pitch < len(strconv.FormatUint(w.Last, 10))+1 {
		every++
	}
	for i := w.First; i <= w.Last; i++ {
		text := strconv.FormatUint(i, 10)
		if x := w.Column(i); i%every == 0 && x+3-len(text) >= w.X-1 && x+3 < end {
			st := style.Dim
			if i == w.Commit {
				st = style.Text | style.Bold
			}
			if _, lost := p.Lost[i]; lost {
				text, st = p.Glyphs.Alarm+text, style.Alarm
			}
			p.Put(x+3-canvas.Width(text), y, canvas.Width(text), text, st)
		}
	}
	if every == 1 && w.Commit+1 >= w.First && w.Commit <= w.Last && w.Commit > 0 {
		p.Set(w.Column(w.Commit)+w.Pitch, y, p.Glyphs.CommitBorder, style.Accent)
	}
}

// LogRow draws the entries of one node.
func (p *Painter) LogRow(n *trace.Node, w LogWindow, y int) {
	if w.Commit+1 >= w.First && w.Commit <= w.Last && w.Commit > 0 {
		p.Set(w.Column(w.Commit)+w.Pitch, y, p.Glyphs.CommitBorder, style.Accent)
	}
	if last := n.LastIndex(); last < w.First {
		text := "log is empty"
		switch {
		case last > 0:
			text = "log ends at " + canvas.Thousands(last)
		case n.Process == trace.Unreachable:
			text = "never seen"
		}
		p.Put(w.X+1, y, w.End-w.X-1, text, style.Dim)
	}
	diverges := false
	for i := w.First; i <= w.Last; i++ {
		x := w.Column(i)
		if fade := p.Truncating[n.ID]; fade > 0 && i >= n.TruncatedFirst && i < n.TruncatedFirst+uint64(len(n.Truncated)) {
			if _, again := n.Entry(i); !again || fade > 0.5 {
				p.truncatedEntry(n.Truncated[i-n.TruncatedFirst], x, y)
				continue
			}
		}
		e, ok := n.Entry(i)
		if !ok {
			if i < n.First && i <= n.SnapshotIndex {
				p.compactedEntry(n, i, x, y)
			}
			continue
		}
		diverges = diverges || p.Diverges(w, i, e)
		p.Entry(n, i, e, canvas.Rect(x, y, w.Pitch, 1), diverges)
	}
}

// Diverges reports whether the reference log has another entry at an index. Entries that it has
// compacted count as equal.
func (p *Painter) Diverges(w LogWindow, index uint64, e trace.Entry) bool {
	if w.Reference == nil {
		return false
	}
	right, ok := w.Reference.Entry(index)
	return ok && right.Term != e.Term
}

// Entry draws one entry of a node's log: filled if it is committed, in brackets if it diverges,
// as an alarm if it was acknowledged and then lost. If there is room, a mark shows that it was
// acknowledged.
func (p *Painter) Entry(n *trace.Node, index uint64, e trace.Entry, r canvas.Rectangle, diverges bool) {
	text := entryLabel(e)
	st := style.Term(e.Term)
	if index <= p.State.Commit && n.Process.Running() {
		st = style.TermFill(e.Term)
	}
	switch was, lost := p.Lost[index]; {
	case lost && was.Same(&e):
		p.LostEntry(e, r)
		return
	case diverges:
		p.Set(r.X, r.Y, "[", style.Bad|style.Bold)
		if len(text) > 2 {
			text = text[len(text)-2:]
		}
		p.Put(r.X+1, r.Y, 2, text, style.Term(e.Term)|style.Bold)
		p.Set(r.X+3, r.Y, "]", style.Bad|style.Bold)
		return
	}
	p.Put(r.X, r.Y, r.W, fmt.Sprintf(" %-*s", r.W-1, text), st)
	if _, acked := p.Acked[e.OpKey()]; acked && r.W > EntryWidth {
		p.Set(r.X+1+len(text), r.Y, p.Glyphs.Acked, st)
	}
}

// LostEntry draws an entry that was acknowledged to a client and then lost.
func (p *Painter) LostEntry(e trace.Entry, r canvas.Rectangle) {
	p.Put(r.X, r.Y, r.W, fmt.Sprintf("%s%-*s", p.Glyphs.Alarm, r.W-1, entryLabel(e)), style.Alarm)
}

// truncatedEntry draws an entry that has just been truncated.
func (p *Painter) truncatedEntry(e trace.Entry, x, y int) {
	p.Put(x, y, EntryWidth, fmt.Sprintf("/%-2.2s/", entryLabel(e)), style.Bad|style.Strike)
}

// compactedEntry draws an entry that only a snapshot holds.
func (p *Painter) compactedEntry(n *trace.Node, index uint64, x, y int) {
	for i := range EntryWidth {
		p.Set(x+i, y, p.Glyphs.Compacted, style.Faint)
	}
	if index == n.SnapshotIndex || index == n.First-1 {
		p.Set(x+1, y, p.Glyphs.Snapshot, style.Dim)
	}
}

// entryLabel returns what an entry is, in three characters.
func entryLabel(e trace.Entry) string {
	switch e.Kind {
	case trace.EntryAdd:
		if e.Delta >= 0 {
			return "+" + canvas.Compact(e.Delta, 2)
		}
		return canvas.Compact(e.Delta, 3)
	case trace.EntryRead:
		return "rd"
	case trace.EntryNoop:
		// A leader appends it at the start of its term.
		return "t" + canvas.Compact(e.Term, 2)
	case trace.EntryConfig:
		return "cfg"
	case trace.EntryOther:
	}
	return "?"
}

// DescribeEntry returns what an entry is, in words.
func DescribeEntry(e trace.Entry) string {
	from := ""
	if e.Client != "" {
		from = fmt.Sprintf(" from client %s (operation %d)", canvas.Sanitize(e.Client), e.Seq)
	}
	switch e.Kind {
	case trace.EntryAdd:
		return fmt.Sprintf("%+d%s", e.Delta, from)
	case trace.EntryRead:
		return "read" + from
	case trace.EntryNoop:
		return "no-op of a new leader"
	case trace.EntryConfig:
		var members []string
		for _, s := range e.Servers {
			members = append(members, canvas.Sanitize(s.ID))
		}
		return strings.TrimSpace("configuration " + JoinNames(members, 9))
	case trace.EntryOther:
	}
	return "unknown kind"
}

// IndexAcked fills Acked from the recent operations, for views that mark acknowledged entries.
func (p *Painter) IndexAcked() {
	p.Acked = make(map[trace.OpKey]trace.Op, len(p.State.Clients.Recent))
	for _, op := range p.State.Clients.Recent {
		if op.Client != "" && op.Seq > 0 && op.Outcome == trace.OK {
			p.Acked[op.OpKey()] = op
		}
	}
}
