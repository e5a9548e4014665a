package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// slotWidth is how wide an entry is drawn in the log view: with room to say
	// whether its client has had its answer.
	slotWidth = 5
	// peerWidth is how much room the numbers take that the leader knows of a
	// follower.
	peerWidth = 15
)

// logView shows every log at full size.
type logView struct {
	screen
	index uint64 // the entry under the cursor, 0 = the newest
}

func (v *logView) name() string { return "log" }

func (v *logView) keys() []binding {
	return []binding{
		bindKey(groupLog, "left right", "another entry; shift: ten", v.move, "left", "right", "shift+left", "shift+right").inFooter(1, "entry").only("log", "node"),
		bind(groupLog, "0", "the newest entry", v.newest, "0").inFooter(2, "newest").only("log", "node"),
	}
}

// groupLog is for the log view and the node view, which share a cursor.
const groupLog = "log and node view"

func (v *logView) reset() bool {
	was := v.index
	v.index = 0
	return was != 0
}

func (v *logView) draw(p *painter, l *layout) {
	p.recallAcked()
	(&logPainter{painter: p, index: v.index}).draw(p.body(l))
}

// stride is how far a key goes: with shift, ten at once.
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
func (v *logView) move(pressed string) {
	newest := newestIndex(v.state())
	if v.index == 0 || v.index > newest {
		v.index = newest
	}
	by := stride(pressed)
	switch to := v.index + uint64(by); {
	case by < 0 && v.index <= uint64(-by):
		v.index = 1
	case to >= newest:
		v.newest()
	default:
		v.index = to
	}
}

func (v *logView) newest() {
	v.index = 0
	v.say("the newest entry, and those to come", false)
}

// newestIndex returns the index of the newest entry in any log.
func newestIndex(s *trace.State) uint64 {
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
	*painter
	index uint64
}

// draw draws every log at full size, aligned by index, what the leader knows
// of each, and in words the entry under the cursor.
func (p *logPainter) draw(r canvas.Rectangle) {
	nodes := len(p.state.Nodes)
	if nodes == 0 || r.H < 8 {
		return
	}
	name := 4
	for i := range p.state.Nodes {
		name = max(name, min(canvas.Width(canvas.Sanitize(p.state.Nodes[i].ID)), logName))
	}
	w := p.logWindow(r.X+2+name+3, r.X+r.W-peerWidth, slotWidth)
	at := p.index
	if at == 0 || at > w.newest {
		at = w.newest
	}
	w.around(at)
	p.Put(r.X+2, r.Y, name, "log", style.Dim)
	p.logHead(w, r.Y, w.end)
	p.PutRight(r.X+r.W, r.Y, peerWidth, "match   next", style.Dim)
	p.termRow(w, r.X+2, r.Y+1, name)

	rows := r.H - 2 - 4
	if len(p.lost) > 0 {
		rows--
	}
	pitch := 1
	if rows+1 >= 3*nodes {
		pitch = 3
	} else if rows >= 2*nodes {
		pitch = 2
	}
	shown := min(nodes, rows/pitch)
	first := p.firstRow(shown)
	y := r.Y + 2
	for i := range shown {
		n := &p.state.Nodes[first+i]
		p.logLine(n, w, canvas.Rect(r.X, y, r.W, min(pitch, 2)), name)
		y += pitch
	}
	if hidden := nodes - shown; hidden > 0 {
		p.Put(r.X+2, r.Y+r.H-1, r.W-4, fmt.Sprintf("nodes %d to %d of %d: up and down for the others", first+1, first+shown, nodes), style.Warn)
	}
	if len(p.lost) > 0 {
		p.lostRow(w, r.X, y, name)
		y++
	}
	p.pointAt(w, at, r.Y)
	p.explain(w, at, canvas.Rect(r.X+2, y+1, r.W-4, 2))
	if y += 4; y < r.Y+r.H-1 {
		y += p.logKey(canvas.Rect(r.X+2, y, r.W-4, min(2, r.Y+r.H-y)), w) + 1
		p.below(canvas.Rect(r.X, y, r.W, r.Y+r.H-y), trace.TopicLog, trace.TopicLeader, trace.TopicClient, trace.TopicDeath, trace.TopicStart)
	}
}

// termRow writes below the indexes the terms of the log that is right.
func (p *logPainter) termRow(w logWindow, x, y, name int) {
	p.Put(x, y, name, "term", style.Dim)
	if w.truth == nil {
		return
	}
	var before uint64
	for i := w.first; i <= w.last; i++ {
		e, ok := w.truth.Entry(i)
		if !ok {
			continue
		}
		text := "t" + canvas.Compact(canvas.Count(e.Term), 3)
		if e.Term == before {
			text = p.glyphs.Dot
		}
		before = e.Term
		p.PutRight(w.column(i)+3, y, 4, text, style.Term(e.Term))
	}
	if w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.Set(w.column(w.commit)+w.pitch, y, p.glyphs.Border, style.Accent)
	}
}

// logLine draws one node's log and, at its right, what the leader knows of it.
// With a second line, it says there in words up to where the leader knows the
// log to be the same, and where it goes on.
func (p *logPainter) logLine(n *trace.Node, w logWindow, r canvas.Rectangle, name int) {
	p.hitNode(r, n.ID)
	p.markNode(n, r.X, r.Y)
	p.Put(r.X+2, r.Y, name, n.ID, p.nameInk(n))
	look := styleOfNode(p.glyphs, n)
	p.Set(r.X+2+name+1, r.Y, look.glyph, look.ink)
	p.logRow(n, w, r.Y)
	right := r.X + r.W
	match, next, known := p.progress(n)
	switch {
	case !known:
		p.PutRight(right, r.Y, peerWidth-2, look.word, look.ink)
	default:
		k := style.Text
		if match < p.leader.LastIndex() {
			k = style.Warn
		}
		p.PutRight(right-7, r.Y, 7, canvas.Compact(canvas.Count(match), 7), k)
		p.PutRight(right, r.Y, 6, canvas.Compact(canvas.Count(next), 6), style.Dim)
	}
	if r.H < 2 || !known {
		return
	}
	put := func(index uint64, word string, k style.Style) {
		if x := w.column(index); index >= w.first && x+len(word) < w.end {
			p.Put(x, r.Y+1, len(word), word, k)
		}
	}
	put(next, "next", style.Accent)
	if match+1 == next || match < w.last {
		put(match, "same", style.Dim)
	}
}

// progress returns what the leader knows of a follower: up to where its log is
// the same (matchIndex), and where it goes on (nextIndex; Raft paper, Figure 2).
func (p *logPainter) progress(n *trace.Node) (match, next uint64, known bool) {
	if p.leader == nil || n.ID == p.leader.ID || !slices.ContainsFunc(p.leader.Servers, func(s trace.Server) bool { return s.ID == n.ID }) {
		return 0, 0, false
	}
	match = p.leader.Peers[n.ID].Match
	return match, p.nextIndex(n.ID, match), true
}

// nextIndex returns the entry that the leader sends next to a follower: the one
// after match, unless the latest packets between them say otherwise. After a
// refusal the leader goes one back, or to the end of the follower's log
// (hashicorp/raft, replication.go, replicateTo).
func (p *logPainter) nextIndex(follower string, match uint64) uint64 {
	next := match + 1
	var asked, answered *trace.InFlight
	for i := range p.state.InFlight {
		f := &p.state.InFlight[i]
		if f.Kind != "append" || f.Term != p.leader.Term || f.ID == 0 {
			continue
		}
		switch {
		case !f.Reply && f.From == p.leader.ID && f.To == follower && (asked == nil || f.ID > asked.ID):
			asked = f
		case f.Reply && f.From == follower && f.To == p.leader.ID && f.Status == trace.Delivered && (answered == nil || f.ID > answered.ID):
			answered = f
		}
	}
	switch {
	case asked == nil:
		return next
	case answered == nil || answered.RPC != asked.RPC:
		return max(next, asked.PrevIndex+1)
	case !answered.OK:
		return max(min(asked.PrevIndex, answered.LastIndex+1), 1)
	}
	return next
}

// lostRow draws what clients were told is counted and what is lost.
func (p *logPainter) lostRow(w logWindow, x, y, name int) {
	p.Put(x+2, y, name+1, "lost", style.Bad|style.Bold)
	for index, e := range p.lost {
		if index >= w.first && index <= w.last {
			p.loudEntry(e, canvas.Rect(w.column(index), y, w.pitch, 1))
		}
	}
	p.PutRight(w.end+peerWidth, y, peerWidth, "told ok", style.Bad|style.Bold)
}

// pointAt marks the index under the cursor.
func (p *logPainter) pointAt(w logWindow, at uint64, y int) {
	if at < w.first || at > w.last || at == 0 {
		return
	}
	text := fmt.Sprint(at)
	p.Put(max(w.column(at)+3-len(text), w.x-1), y, len(text), text, style.Accent|style.Bold|style.Reverse)
}

// explain says in a line or two what the entry under the cursor is.
func (p *logPainter) explain(w logWindow, at uint64, r canvas.Rectangle) {
	k := style.Text
	if _, lost := p.lost[at]; lost {
		k = style.Bad | style.Bold
	}
	for i, line := range canvas.Wrap(p.entryInWords(w, at), r.W) {
		if i < r.H {
			p.Put(r.X, r.Y+i, r.W, line, k)
		}
	}
}

// entryInWords says what stands at an index: on the node under the cursor or,
// where that has nothing, in the log that is right.
func (p *logPainter) entryInWords(w logWindow, at uint64) string {
	if at == 0 {
		return "no log holds an entry yet"
	}
	holder, e, ok := p.holder(w, at)
	if !ok {
		if lost, was := p.lost[at]; was {
			return fmt.Sprintf("entry %s was %s: its client was told that it is counted, and no log holds it any more", canvas.Thousands(at), whatIs(lost))
		}
		return fmt.Sprintf("entry %s: only snapshots stand for it", canvas.Thousands(at))
	}
	var with, without []string
	for i := range p.state.Nodes {
		id := canvas.Sanitize(p.state.Nodes[i].ID)
		if other, has := p.state.Nodes[i].Entry(at); has && sameEntry(e, other) {
			with = append(with, id)
		} else if has {
			without = append(without, id)
		}
	}
	parts := []string{fmt.Sprintf("entry %s on %s: %s, term %s", canvas.Thousands(at), canvas.Sanitize(holder.ID), whatIs(e), canvas.Thousands(e.Term))}
	switch was, lost := p.lost[at]; {
	case lost && sameEntry(was, e):
		parts = append(parts, "its client was told that it is counted, and it is lost")
	case p.wrong(w, at, e):
		parts = append(parts, "it differs from what is committed and will be cut off")
	case at <= w.commit:
		parts = append(parts, "committed"+p.toldInWords(e))
	default:
		parts = append(parts, "not committed yet")
	}
	if len(with) == len(p.state.Nodes) && len(with) > 1 {
		with = []string{"all nodes"}
	}
	parts = append(parts, "the same on "+names(with, 9))
	if len(without) > 0 {
		parts = append(parts, "another on "+names(without, 9))
	}
	return strings.Join(parts, "; ")
}

// holder returns the node whose entry at an index is to be explained.
func (p *logPainter) holder(w logWindow, at uint64) (*trace.Node, trace.Entry, bool) {
	if n := p.state.Node(p.cursor); n != nil {
		if e, ok := n.Entry(at); ok {
			return n, e, true
		}
	}
	if w.truth != nil {
		if e, ok := w.truth.Entry(at); ok {
			return w.truth, e, true
		}
	}
	for i := range p.state.Nodes {
		if e, ok := p.state.Nodes[i].Entry(at); ok {
			return &p.state.Nodes[i], e, true
		}
	}
	return nil, trace.Entry{}, false
}

// toldInWords says what the client of a committed entry was told.
func (p *logPainter) toldInWords(e trace.Entry) string {
	if e.Client == "" {
		return ""
	}
	if op, ok := p.told[callOf(e)]; ok {
		return fmt.Sprintf(", and %s was told %d at %s", canvas.Sanitize(e.Client), op.Value, canvas.Clock(op.Returned))
	}
	for _, op := range p.state.Clients.Recent {
		if op.Client == e.Client && op.Seq == e.Seq {
			return fmt.Sprintf(", but %s was told %s", canvas.Sanitize(e.Client), op.Outcome)
		}
	}
	return ""
}

// logKey says what the cells of the log mean, and returns in how many lines.
func (p *logPainter) logKey(r canvas.Rectangle, w logWindow) int {
	var term uint64
	if w.truth != nil {
		term = w.truth.LastTerm()
	}
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, pair := range [][2]canvas.Span{
		{canvas.Styled(" +1 ", style.Fill(term)), canvas.Styled(" committed", style.Dim)},
		{canvas.Styled(" +1 ", style.Term(term)), canvas.Styled(" not yet", style.Dim)},
		{canvas.Styled("[+1]", style.Bad|style.Bold), canvas.Styled(" will be cut off", style.Dim)},
		{canvas.Styled("/+1/", style.Bad|style.Strike), canvas.Styled(" just cut off", style.Dim)},
		{canvas.Styled(" +1"+p.glyphs.Told, style.Fill(term)), canvas.Styled(" its client was told ok", style.Dim)},
		{canvas.Styled(p.glyphs.Loud+"+1 ", style.Loud), canvas.Styled(" told ok, then lost", style.Dim)},
		{canvas.Styled(p.glyphs.Snapshot, style.Dim), canvas.Styled(" in a snapshot", style.Dim)},
	} {
		if !at.Room(canvas.Width(pair[0].Text) + canvas.Width(pair[1].Text)) {
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
