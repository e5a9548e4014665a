package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

const (
	// slotWidth is how wide an entry is drawn in the log view: with room to say
	// whether its client has had its answer.
	slotWidth = 5
	// peerWidth is how much room the numbers take that the leader knows of a
	// follower.
	peerWidth = 15
)

// recall looks up what the views say more of than entries and operations do.
func (p *painter) recall() {
	for _, c := range append(violated(p.state.Checks), p.broken...) {
		if c.Name == "linearizable" {
			p.proof = c.Proof
		}
	}
	if len(p.state.Lost) > 0 {
		p.lost = make(map[uint64]trace.Entry, len(p.state.Lost))
		for _, lost := range p.state.Lost {
			if lost.Index < 1<<62 { // a trace from elsewhere may say anything
				p.lost[lost.Index] = lost.Entry
			}
		}
	}
	if p.view != viewLog && p.view != viewNode {
		return
	}
	p.told = make(map[call]trace.Op, len(p.state.Clients.Recent))
	for _, op := range p.state.Clients.Recent {
		if op.Client != "" && op.Seq > 0 && op.Outcome == trace.OK {
			p.told[call{op.Client, op.Seq}] = op
		}
	}
}

// logView draws every log at full size, aligned by index, what the leader knows
// of each, and in words the entry under the cursor.
func (p *painter) logView(r rect) {
	nodes := len(p.state.Nodes)
	if nodes == 0 || r.h < 8 {
		return
	}
	name := 4
	for i := range p.state.Nodes {
		name = max(name, min(width(clean(p.state.Nodes[i].ID)), logName))
	}
	w := p.logWindow(r.x+2+name+3, r.x+r.w-peerWidth, slotWidth)
	at := p.index
	if at == 0 || at > w.newest {
		at = w.newest
	}
	w.around(at)
	p.put(r.x+2, r.y, name, "log", inkDim)
	p.logHead(w, r.y, w.end)
	p.putRight(r.x+r.w, r.y, peerWidth, "match   next", inkDim)
	p.termRow(w, r.x+2, r.y+1, name)

	rows := r.h - 2 - 4
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
	y := r.y + 2
	for i := range shown {
		n := &p.state.Nodes[first+i]
		p.logLine(n, w, rect{r.x, y, r.w, min(pitch, 2)}, name)
		y += pitch
	}
	if hidden := nodes - shown; hidden > 0 {
		p.put(r.x+2, r.y+r.h-1, r.w-4, fmt.Sprintf("nodes %d to %d of %d: up and down for the others", first+1, first+shown, nodes), inkWarn)
	}
	if len(p.lost) > 0 {
		p.lostRow(w, r.x, y, name)
		y++
	}
	p.pointAt(w, at, r.y)
	p.explain(w, at, rect{r.x + 2, y + 1, r.w - 4, 2})
	if y += 4; y < r.y+r.h-1 {
		y += p.logKey(rect{r.x + 2, y, r.w - 4, min(2, r.y+r.h-y)}, w) + 1
		p.below(rect{r.x, y, r.w, r.y + r.h - y}, trace.TopicLog, trace.TopicLeader, trace.TopicClient, trace.TopicDeath, trace.TopicStart)
	}
}

// below tells what happened of some topics, from the top of r on.
func (p *painter) below(r rect, topics ...trace.StoryTopic) {
	var found []trace.StoryLine
	for _, line := range p.filtered() {
		if slices.Contains(topics, line.Topic) {
			found = append(found, line)
		}
	}
	r.h = min(r.h, len(found))
	p.tell(r, found)
}

// termRow writes below the indexes the terms of the log that is right.
func (p *painter) termRow(w logWindow, x, y, name int) {
	p.put(x, y, name, "term", inkDim)
	if w.truth == nil {
		return
	}
	var before uint64
	for i := w.first; i <= w.last; i++ {
		e, ok := w.truth.Entry(i)
		if !ok {
			continue
		}
		text := "t" + fit(count(e.Term), 3)
		if e.Term == before {
			text = p.glyphs.dot
		}
		before = e.Term
		p.putRight(w.column(i)+3, y, 4, text, termInk(e.Term))
	}
	if w.commit+1 >= w.first && w.commit <= w.last && w.commit > 0 {
		p.set(w.column(w.commit)+w.pitch, y, p.glyphs.border, inkAccent)
	}
}

// logLine draws one node's log and, at its right, what the leader knows of it.
// With a second line, it says there in words up to where the leader knows the
// log to be the same, and where it goes on.
func (p *painter) logLine(n *trace.Node, w logWindow, r rect, name int) {
	p.hitNode(r, n.ID)
	p.markNode(n, r.x, r.y)
	p.put(r.x+2, r.y, name, n.ID, p.nameInk(n))
	look := p.glyphs.lookOf(n)
	p.set(r.x+2+name+1, r.y, look.glyph, look.ink)
	p.logRow(n, w, r.y)
	right := r.x + r.w
	match, next, known := p.progress(n)
	switch {
	case !known:
		p.putRight(right, r.y, peerWidth-2, look.word, look.ink)
	default:
		k := inkText
		if match < p.leader.LastIndex() {
			k = inkWarn
		}
		p.putRight(right-7, r.y, 7, fit(count(match), 7), k)
		p.putRight(right, r.y, 6, fit(count(next), 6), inkDim)
	}
	if r.h < 2 || !known {
		return
	}
	put := func(index uint64, word string, k ink) {
		if x := w.column(index); index >= w.first && x+len(word) < w.end {
			p.put(x, r.y+1, len(word), word, k)
		}
	}
	put(next, "next", inkAccent)
	if match+1 == next || match < w.last {
		put(match, "same", inkDim)
	}
}

// progress returns what the leader knows of a follower: up to where its log is
// the same (matchIndex), and where it goes on (nextIndex; Raft paper, Figure 2).
func (p *painter) progress(n *trace.Node) (match, next uint64, known bool) {
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
func (p *painter) nextIndex(follower string, match uint64) uint64 {
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
func (p *painter) lostRow(w logWindow, x, y, name int) {
	p.put(x+2, y, name+1, "lost", inkBad|bold)
	for index, e := range p.lost {
		if index >= w.first && index <= w.last {
			p.loudEntry(e, rect{w.column(index), y, w.pitch, 1})
		}
	}
	p.putRight(w.end+peerWidth, y, peerWidth, "told ok", inkBad|bold)
}

// pointAt marks the index under the cursor.
func (p *painter) pointAt(w logWindow, at uint64, y int) {
	if at < w.first || at > w.last || at == 0 {
		return
	}
	text := fmt.Sprint(at)
	p.put(max(w.column(at)+3-len(text), w.x-1), y, len(text), text, inkAccent|bold|reverse)
}

// explain says in a line or two what the entry under the cursor is.
func (p *painter) explain(w logWindow, at uint64, r rect) {
	k := inkText
	if _, lost := p.lost[at]; lost {
		k = inkBad | bold
	}
	for i, line := range wrap(p.entryInWords(w, at), r.w) {
		if i < r.h {
			p.put(r.x, r.y+i, r.w, line, k)
		}
	}
}

// entryInWords says what stands at an index: on the node under the cursor or,
// where that has nothing, in the log that is right.
func (p *painter) entryInWords(w logWindow, at uint64) string {
	if at == 0 {
		return "no log holds an entry yet"
	}
	holder, e, ok := p.holder(w, at)
	if !ok {
		if lost, was := p.lost[at]; was {
			return fmt.Sprintf("entry %s was %s: its client was told that it is counted, and no log holds it any more", thousands(at), whatIs(lost))
		}
		return fmt.Sprintf("entry %s: only snapshots stand for it", thousands(at))
	}
	var with, without []string
	for i := range p.state.Nodes {
		id := clean(p.state.Nodes[i].ID)
		if other, has := p.state.Nodes[i].Entry(at); has && sameEntry(e, other) {
			with = append(with, id)
		} else if has {
			without = append(without, id)
		}
	}
	parts := []string{fmt.Sprintf("entry %s on %s: %s, term %s", thousands(at), clean(holder.ID), whatIs(e), thousands(e.Term))}
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
func (p *painter) holder(w logWindow, at uint64) (*trace.Node, trace.Entry, bool) {
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

// whatIs says what an entry is.
func whatIs(e trace.Entry) string {
	by := ""
	if e.Client != "" {
		by = fmt.Sprintf(" by client %s (its call %d)", clean(e.Client), e.Seq)
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
			members = append(members, clean(s.ID))
		}
		return strings.TrimSpace("the members " + names(members, 9))
	case trace.EntryOther:
	}
	return "of a kind unknown here"
}

// toldInWords says what the client of a committed entry was told.
func (p *painter) toldInWords(e trace.Entry) string {
	if e.Client == "" {
		return ""
	}
	if op, ok := p.told[callOf(e)]; ok {
		return fmt.Sprintf(", and %s was told %d at %s", clean(e.Client), op.Value, clockTime(op.Returned))
	}
	for _, op := range p.state.Clients.Recent {
		if op.Client == e.Client && op.Seq == e.Seq {
			return fmt.Sprintf(", but %s was told %s", clean(e.Client), op.Outcome)
		}
	}
	return ""
}

// logKey says what the cells of the log mean, and returns in how many lines.
func (p *painter) logKey(r rect, w logWindow) int {
	var term uint64
	if w.truth != nil {
		term = w.truth.LastTerm()
	}
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	for _, pair := range [][2]note{
		{{" +1 ", fillInk(term)}, {" committed", inkDim}},
		{{" +1 ", termInk(term)}, {" not yet", inkDim}},
		{{"[+1]", inkBad | bold}, {" will be cut off", inkDim}},
		{{"/+1/", inkBad | strike}, {" just cut off", inkDim}},
		{{" +1" + p.glyphs.told, fillInk(term)}, {" its client was told ok", inkDim}},
		{{p.glyphs.loud + "+1 ", inkLoud}, {" told ok, then lost", inkDim}},
		{{p.glyphs.snapshot, inkDim}, {" in a snapshot", inkDim}},
	} {
		if !at.room(width(pair[0].text) + width(pair[1].text)) {
			if at.y+1 >= r.y+r.h {
				break
			}
			at.x, at.y = r.x, at.y+1
		}
		at.write(pair[0].text, pair[0].ink)
		at.write(pair[1].text, pair[1].ink)
		at.skip(3)
	}
	return at.y - r.y + 1
}
