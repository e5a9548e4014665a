package view

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

const (
	// entryPitch is the width of an entry in the log view: one more than in the log
	// grid, for the mark of an acknowledged entry.
	entryPitch = 5
	// progressWidth is the width of the column for a follower's match and next index.
	progressWidth = 15
)

// Log shows every node's log, aligned by index, and the entry under the cursor in words.
type Log struct {
	Screen
	Index uint64 // the entry under the cursor, 0 = the newest
}

// Name implements [View].
func (v *Log) Name() string { return "log" }

// Keys implements [View].
func (v *Log) Keys() []keymap.Binding {
	return []keymap.Binding{
		keymap.BindKey(groupLog, "left right", "select entry; shift: 10", v.move, "left", "right", "shift+left", "shift+right").InFooter(1, "entry").Only("log", "node"),
		keymap.Bind(groupLog, "0", "newest entry", v.newest, "0").InFooter(2, "newest").Only("log", "node"),
	}
}

// groupLog is the group of the keys of the log view and the node view, which share a
// cursor.
const groupLog = "log and node view"

// Reset implements [View].
func (v *Log) Reset() bool {
	was := v.Index
	v.Index = 0
	return was != 0
}

// Draw implements [View].
func (v *Log) Draw(p *pane.Painter, l *pane.Layout) {
	p.IndexAcked()
	(&logPainter{Painter: p, index: v.Index}).draw(p.Body(l))
}

// stride returns how far a key moves the cursor: by 1, or by 10 with shift; negative for
// left.
func stride(pressed string) int {
	by := 1
	name, far := strings.CutPrefix(pressed, "shift+")
	if far {
		by = 10
	}
	if name == "left" {
		return -by
	}
	return by
}

// move moves the cursor along the log.
func (v *Log) move(pressed string) {
	newest := NewestIndex(v.State())
	if v.Index == 0 || v.Index > newest {
		v.Index = newest
	}
	by := stride(pressed)
	switch to := v.Index + uint64(by); {
	case by < 0 && v.Index <= uint64(-by):
		v.Index = 1
	case to >= newest:
		v.newest()
	default:
		v.Index = to
	}
}

func (v *Log) newest() {
	v.Index = 0
	v.Toast("following the newest entry", false)
}

// NewestIndex returns the index of the newest entry in any log, lost entries included.
func NewestIndex(s *trace.State) uint64 {
	var newest uint64
	for i := range s.Nodes {
		newest = max(newest, s.Nodes[i].LastIndex())
	}
	for _, lost := range s.Lost {
		newest = max(newest, lost.Index)
	}
	return newest
}

// logPainter paints the log view.
type logPainter struct {
	*pane.Painter
	index uint64
}

// draw draws, from top to bottom: the indexes, their terms, the logs, the lost entries,
// the entry under the cursor in words, a legend and the story of the logs.
func (p *logPainter) draw(r canvas.Rectangle) {
	nodes := len(p.State.Nodes)
	if nodes == 0 || r.H < 8 {
		return
	}
	name := 4
	for i := range p.State.Nodes {
		name = max(name, min(canvas.Width(canvas.Sanitize(p.State.Nodes[i].ID)), pane.LogNameWidth))
	}
	w := p.LogWindow(r.X+2+name+3, r.X+r.W-progressWidth, entryPitch)
	at := p.index
	if at == 0 || at > w.Newest {
		at = w.Newest
	}
	w.CenterOn(at)
	p.Put(r.X+2, r.Y, name, "log", style.Dim)
	p.LogHeader(w, r.Y, w.End)
	p.PutRight(r.X+r.W, r.Y, progressWidth, "match   next", style.Dim)
	p.termRow(w, r.X+2, r.Y+1, name)

	rows := r.H - 2 - 4
	if len(p.Lost) > 0 {
		rows--
	}
	pitch := 1
	if rows+1 >= 3*nodes {
		pitch = 3
	} else if rows >= 2*nodes {
		pitch = 2
	}
	shown := min(nodes, rows/pitch)
	first := p.FirstRow(shown)
	y := r.Y + 2
	for i := range shown {
		n := &p.State.Nodes[first+i]
		p.logRow(n, w, canvas.Rect(r.X, y, r.W, min(pitch, 2)), name)
		y += pitch
	}
	if hidden := nodes - shown; hidden > 0 {
		p.Put(r.X+2, r.Y+r.H-1, r.W-4, fmt.Sprintf("nodes %d to %d of %d: up and down for more", first+1, first+shown, nodes), style.Warn)
	}
	if len(p.Lost) > 0 {
		p.lostRow(w, r.X, y, name)
		y++
	}
	p.markIndex(w, at, r.Y)
	p.drawEntryText(w, at, canvas.Rect(r.X+2, y+1, r.W-4, 2))
	if y += 4; y < r.Y+r.H-1 {
		y += p.legend(canvas.Rect(r.X+2, y, r.W-4, min(2, r.Y+r.H-y)), w) + 1
		p.RelatedStory(canvas.Rect(r.X, y, r.W, r.Y+r.H-y), trace.TopicLog, trace.TopicLeader, trace.TopicClient, trace.TopicDeath, trace.TopicStart)
	}
}

// termRow draws the terms of the reference log: each once, then dots.
func (p *logPainter) termRow(w pane.LogWindow, x, y, name int) {
	p.Put(x, y, name, "term", style.Dim)
	if w.Reference == nil {
		return
	}
	var before uint64
	for i := w.First; i <= w.Last; i++ {
		e, ok := w.Reference.Entry(i)
		if !ok {
			continue
		}
		text := "t" + canvas.Compact(e.Term, 3)
		if e.Term == before {
			text = p.Glyphs.Dot
		}
		before = e.Term
		p.PutRight(w.Column(i)+3, y, 4, text, style.Term(e.Term))
	}
	if w.Commit+1 >= w.First && w.Commit <= w.Last && w.Commit > 0 {
		p.Set(w.Column(w.Commit)+w.Pitch, y, p.Glyphs.CommitBorder, style.Accent)
	}
}

// logRow draws one node's log with its match and next index. With a second row, it marks
// them there below their entries.
func (p *logPainter) logRow(n *trace.Node, w pane.LogWindow, r canvas.Rectangle, name int) {
	p.HitNode(r, n.ID)
	p.MarkNode(n, r.X, r.Y)
	p.Put(r.X+2, r.Y, name, n.ID, p.NameStyle(n))
	look := pane.StyleOfNode(p.Glyphs, n)
	p.Set(r.X+2+name+1, r.Y, look.Glyph, look.Style)
	p.LogRow(n, w, r.Y)
	right := r.X + r.W
	match, next, known := p.progress(n)
	switch {
	case !known:
		p.PutRight(right, r.Y, progressWidth-2, look.Word, look.Style)
	default:
		k := style.Text
		if match < p.Leader.LastIndex() {
			k = style.Warn
		}
		p.PutRight(right-7, r.Y, 7, canvas.Compact(match, 7), k)
		p.PutRight(right, r.Y, 6, canvas.Compact(next, 6), style.Dim)
	}
	if r.H < 2 || !known {
		return
	}
	put := func(index uint64, x int, word string, k style.Style) {
		if index >= w.First && x+len(word) < w.End {
			p.Put(x, r.Y+1, len(word), word, k)
		}
	}
	put(next, w.Column(next), "next", style.Accent)
	if match+1 == next || match < w.Last {
		// One column to the left, so a gap is left before "next".
		put(match, w.Column(match)-1, "match", style.Dim)
	}
}

// progress returns the leader's matchIndex and nextIndex of a follower (Raft paper,
// Figure 2), and false if the leader has none.
func (p *logPainter) progress(n *trace.Node) (match, next uint64, known bool) {
	if p.Leader == nil || n.ID == p.Leader.ID || !slices.ContainsFunc(p.Leader.Servers, func(s trace.Server) bool { return s.ID == n.ID }) {
		return 0, 0, false
	}
	match = p.Leader.Peers[n.ID].Match
	return match, p.nextIndex(n.ID, match), true
}

// nextIndex returns the index of the entry that the leader sends next to a follower: the
// one after match, unless the latest packets between them say otherwise. After a rejected
// request the leader steps back by one, or to the end of the follower's log
// (hashicorp/raft, replication.go, replicateTo).
func (p *logPainter) nextIndex(follower string, match uint64) uint64 {
	next := match + 1
	var request, reply *trace.InFlight
	for i := range p.State.InFlight {
		f := &p.State.InFlight[i]
		if f.Kind != "append" || f.Term != p.Leader.Term || f.ID == 0 {
			continue
		}
		switch {
		case !f.Reply && f.From == p.Leader.ID && f.To == follower && (request == nil || f.ID > request.ID):
			request = f
		case f.Reply && f.From == follower && f.To == p.Leader.ID && f.Status == trace.Delivered && (reply == nil || f.ID > reply.ID):
			reply = f
		}
	}
	switch {
	case request == nil:
		return next
	case reply == nil || reply.RPC != request.RPC:
		return max(next, request.PrevIndex+1)
	case !reply.OK:
		return max(min(request.PrevIndex, reply.LastIndex+1), 1)
	}
	return next
}

// lostRow draws the entries that were acknowledged and then lost.
func (p *logPainter) lostRow(w pane.LogWindow, x, y, name int) {
	p.Put(x+2, y, name+1, "lost", style.Bad|style.Bold)
	for index, e := range p.Lost {
		if index >= w.First && index <= w.Last {
			p.LostEntry(e, canvas.Rect(w.Column(index), y, w.Pitch, 1))
		}
	}
	p.PutRight(w.End+progressWidth, y, progressWidth, "acked", style.Bad|style.Bold)
}

// markIndex highlights the index under the cursor.
func (p *logPainter) markIndex(w pane.LogWindow, at uint64, y int) {
	if at < w.First || at > w.Last || at == 0 {
		return
	}
	text := fmt.Sprint(at)
	p.Put(max(w.Column(at)+3-len(text), w.X-1), y, len(text), text, style.Accent|style.Bold|style.Reverse)
}

// legend draws the looks of an entry, and returns the number of lines it took.
func (p *logPainter) legend(r canvas.Rectangle, w pane.LogWindow) int {
	var term uint64
	if w.Reference != nil {
		term = w.Reference.LastTerm()
	}
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, pair := range [][2]canvas.Span{
		{canvas.Styled(" +1 ", style.TermFill(term)), canvas.Styled(" committed", style.Dim)},
		{canvas.Styled(" +1 ", style.Term(term)), canvas.Styled(" uncommitted", style.Dim)},
		{canvas.Styled("[+1]", style.Bad|style.Bold), canvas.Styled(" diverges", style.Dim)},
		{canvas.Styled("/+1/", style.Bad|style.Strike), canvas.Styled(" truncated", style.Dim)},
		{canvas.Styled(" +1"+p.Glyphs.Acked, style.TermFill(term)), canvas.Styled(" acked", style.Dim)},
		{canvas.Styled(p.Glyphs.Alarm+"+1 ", style.Alarm), canvas.Styled(" acked, then lost", style.Dim)},
		{canvas.Styled(p.Glyphs.Snapshot, style.Dim), canvas.Styled(" compacted", style.Dim)},
	} {
		if !at.Fits(canvas.Width(pair[0].Text) + canvas.Width(pair[1].Text)) {
			if at.Y+1 >= r.Y+r.H {
				break
			}
			at.X, at.Y = r.X, at.Y+1
		}
		at.Write(pair[0].Text, pair[0].Style)
		at.Write(pair[1].Text, pair[1].Style)
		at.Skip(3)
	}
	return at.Y - r.Y + 1
}
