package ui

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
)

const (
	// factLabel is how wide the labels of the node view are.
	factLabel = 10
	// factsWidth is how wide the facts are beside the log.
	factsWidth = 46
)

// nodeView draws all there is to know about the node under the cursor: what it
// is, its log around the entry under the cursor, and what the library says.
func (p *painter) nodeView(r rect) {
	n := p.state.Node(p.cursor)
	if n == nil || r.h < 8 {
		p.put(r.x+2, r.y, r.w-2, "no node is selected", inkDim)
		return
	}
	own := min(max(r.h*3/10, 4), 16)
	facts := rect{r.x, r.y, min(factsWidth, r.w*6/10), r.h - own - 1}
	if r.w > 160 {
		facts.w = factsWidth + 24
	}
	p.facts(n, facts)
	log := rect{facts.x + facts.w + 3, r.y, r.w - facts.w - 3, facts.h}
	p.nodeLog(n, log)
	y := r.y + facts.h + 1
	p.ownWords(n, rect{r.x, y, r.w, r.y + r.h - y})
}

// fact is a line of the node view.
type fact struct {
	label string
	parts []note
}

// facts draws what a node is.
func (p *painter) facts(n *trace.Node, r rect) {
	look := p.glyphs.lookOf(n)
	p.markNode(n, r.x, r.y)
	at := &pen{c: p.canvas, x: r.x + 2, y: r.y, end: r.x + r.w}
	at.write(look.glyph+" ", look.ink)
	at.write(truncate(clean(n.ID), 20, p.glyphs.more), inkAccent|bold)
	at.write(" "+look.word, look.ink)
	value, k := p.valueOf(n)
	y := r.y + 1
	if value == "" {
		value = "no value"
	}
	if p.glyphs.big && len(value) <= bigLength && r.h >= 17 {
		p.putBig(r.x+2, y+1, value, k)
		p.put(r.x+2+bigWidth(value)+2, y+1, 8, p.behindText(n), inkWarn)
		y += bigHeight + 2
	} else {
		p.putRight(r.x+r.w, r.y, 21, value, k)
	}
	for _, f := range p.factsOf(n) {
		if y >= r.y+r.h {
			break
		}
		p.put(r.x+2, y, factLabel, f.label, inkDim)
		at := &pen{c: p.canvas, x: r.x + 2 + factLabel, y: y, end: r.x + r.w}
		for _, part := range f.parts {
			at.write(part.text, part.ink)
		}
		if f.label == "heard" && n.Process.Running() {
			p.heard(n, at.x, y, at.end-at.x, 12)
		}
		y++
	}
}

// factsOf lists what there is to know about a node, most important first.
func (p *painter) factsOf(n *trace.Node) []fact {
	text := func(s string, k ink) []note { return []note{{clean(s), k}} }
	life := string(n.Process)
	if life == "" {
		life = "new"
	}
	life += " for " + ago(p.now-n.Since)
	if n.Why != "" {
		life += ": " + n.Why
	}
	facts := []fact{{"process", text(life, lifeInk(n))}}
	facts = append(facts, fact{"term", []note{{thousands(n.Term), termInk(n.Term)}, {"   voted ", inkDim}, {p.voteOf(n), inkText}}})
	if n.Process.Running() {
		leader := n.Leader
		if n.Role == trace.Leader {
			leader = n.ID
		}
		if leader == "" {
			leader = "nobody"
		}
		facts = append(facts, fact{"follows", text(leader, inkText)}, fact{"heard", nil})
	}
	first := n.First
	if len(n.Entries) == 0 {
		first = n.LastIndex()
	}
	facts = append(facts,
		fact{"log", []note{{thousands(first) + " to " + thousands(n.LastIndex()), termInk(n.LastTerm())}, {fmt.Sprintf("  (term %s at the end)", thousands(n.LastTerm())), inkDim}}},
		fact{"committed", p.committedOf(n)},
		fact{"snapshot", p.snapshotOf(n)},
		fact{"disk", p.diskOf(n)},
		fact{"clock", p.clockOf(n)},
		fact{"members", p.membersOf(n)},
		fact{"links out", p.linksOf(n, true)},
		fact{"links in", p.linksOf(n, false)})
	return facts
}

// committedOf says up to where a node knows its log to be committed. That is in its
// memory only: a node that is down has forgotten it.
func (p *painter) committedOf(n *trace.Node) []note {
	if !n.Process.Running() {
		return []note{{"it will learn that when it starts", inkDim}}
	}
	return []note{{thousands(n.Commit), inkText}, {"   applied ", inkDim}, {thousands(n.Applied), inkText}}
}

func lifeInk(n *trace.Node) ink {
	switch n.Process {
	case trace.Up:
		return inkText
	case trace.Paused:
		return inkWarn
	default:
		return inkBad
	}
}

func (p *painter) voteOf(n *trace.Node) string {
	switch {
	case n.Vote == "":
		return "for nobody yet"
	case n.VoteTerm == n.Term:
		return "for " + clean(n.Vote)
	}
	return fmt.Sprintf("for %s in term %s", clean(n.Vote), thousands(n.VoteTerm))
}

func (p *painter) snapshotOf(n *trace.Node) []note {
	if n.SnapshotIndex == 0 {
		return []note{{"none", inkDim}}
	}
	return []note{
		{p.glyphs.snapshot + " up to " + thousands(n.SnapshotIndex), inkText},
		{fmt.Sprintf("  (term %s)", thousands(n.SnapshotTerm)), inkDim},
	}
}

func (p *painter) diskOf(n *trace.Node) []note {
	if n.DiskFault == "" {
		return []note{{"sound", inkDim}}
	}
	fault := clean(n.DiskFault)
	return []note{{p.glyphs.disk + " " + fault, inkWarn}, {"  " + diskMeaning(fault), inkDim}}
}

func (p *painter) clockOf(n *trace.Node) []note {
	if n.ClockFactor == 1 || n.ClockFactor == 0 {
		return []note{{"as set up", inkDim}}
	}
	return []note{{fmt.Sprintf("%s its timeouts are x%.3g", p.glyphs.clock, n.ClockFactor), inkWarn}}
}

// membersOf names the members of the configuration that a node uses.
func (p *painter) membersOf(n *trace.Node) []note {
	var voters, others []string
	for _, s := range n.Servers {
		if s.Voter {
			voters = append(voters, clean(s.ID))
		} else {
			others = append(others, clean(s.ID))
		}
	}
	if len(voters) == 0 {
		return []note{{"none known", inkDim}}
	}
	notes := []note{{names(voters, 9), inkText}}
	if len(others) > 0 {
		notes = append(notes, note{"  without a vote " + names(others, 4), inkDim})
	}
	return notes
}

// linksOf lists the links of a node that are not sound: what is wrong, and the nodes
// at the other end.
func (p *painter) linksOf(n *trace.Node, out bool) []note {
	var kinds []note // each thing that is wrong, once
	ends := map[string][]string{}
	for i := range p.state.Nodes {
		other := p.state.Nodes[i].ID
		link := trace.Link{From: n.ID, To: other}
		if !out {
			link = trace.Link{From: other, To: n.ID}
		}
		set := p.state.Faults[link]
		if other == n.ID || len(set) == 0 {
			continue
		}
		text, k := p.faultsInCell(set, 20)
		if len(ends[text]) == 0 {
			kinds = append(kinds, note{text, k})
		}
		ends[text] = append(ends[text], other)
	}
	if len(kinds) == 0 {
		return []note{{"all sound", inkDim}}
	}
	var notes []note
	for _, kind := range kinds {
		which := names(ends[kind.text], 4)
		if others := len(p.state.Nodes) - 1; others > 1 && len(ends[kind.text]) == others {
			which = "all"
		}
		notes = append(notes, note{kind.text + " ", kind.ink}, note{which + "  ", inkText})
	}
	return notes
}

// nodeLog lists the entries of a node's log around the one under the cursor.
func (p *painter) nodeLog(n *trace.Node, r rect) {
	if r.w < 24 || r.h < 3 {
		return
	}
	p.put(r.x, r.y, r.w, "log", inkDim)
	last := n.LastIndex()
	rows := r.h - 1
	at := p.index
	if at == 0 || at > last {
		at = last
	}
	truth := p.logWindow(r.x, r.x+r.w, entryWidth)
	// The newest at the bottom, or the entry under the cursor in the middle.
	end := min(last, max(at+uint64(rows/2), uint64(rows)))
	for row := range rows {
		index := end + uint64(row) + 1 - uint64(rows)
		if index == 0 || index > last {
			continue
		}
		p.entryRow(n, truth, index, index == at, rect{r.x, r.y + 1 + row, r.w, 1})
	}
	if last == 0 {
		p.put(r.x, r.y+1, r.w, "it is empty", inkDim)
	}
}

// entryRow draws one entry of a log in a line.
func (p *painter) entryRow(n *trace.Node, w logWindow, index uint64, chosen bool, r rect) {
	k := inkDim
	if chosen {
		k = inkAccent | bold
		p.set(r.x, r.y, p.glyphs.cursor, inkAccent)
	}
	p.putRight(r.x+10, r.y, 8, fit(count(index), 8), k)
	e, ok := n.Entry(index)
	if !ok {
		p.put(r.x+12, r.y, r.w-12, p.glyphs.snapshot+" in the snapshot", inkDim)
		return
	}
	p.putRight(r.x+16, r.y, 5, "t"+fit(count(e.Term), 4), termInk(e.Term))
	differs := p.wrong(w, index, e)
	p.entry(n, index, e, rect{r.x + 18, r.y, entryWidth, 1}, differs)
	words := []string{whatIs(e)}
	if room := r.w - 18 - entryWidth - 2; room < 24 {
		words[0] = clean(e.Client)
	}
	switch _, told := p.told[callOf(e)]; {
	case differs:
		words = append(words, "differs")
	case index > w.commit:
		words = append(words, "not committed")
	case told:
		words = append(words, "told ok")
	}
	at := &pen{c: p.canvas, x: r.x + 18 + entryWidth + 2, y: r.y, end: r.x + r.w}
	for i, word := range words {
		if i > 0 && word != "" {
			word = "  " + word
		}
		if at.room(width(word)) {
			at.write(word, inkText)
		}
	}
}

// ownWords shows what the library itself logs on a node, the newest at the bottom.
func (p *painter) ownWords(n *trace.Node, r rect) {
	if r.h < 2 {
		return
	}
	p.put(r.x+2, r.y, r.w-2, "what hashicorp/raft logs", inkDim)
	stamp := len(clockTime(p.now))
	lines := n.LogLines[max(len(n.LogLines)-(r.h-1), 0):]
	if len(lines) == 0 {
		p.put(r.x+2, r.y+1, r.w-2, "nothing yet", inkDim)
	}
	for i, line := range lines {
		y := r.y + 1 + i
		text := clean(line.Text)
		k := inkText
		switch {
		case strings.HasPrefix(text, "[ERROR]"):
			k = inkBad
		case strings.HasPrefix(text, "[WARN]"):
			k = inkWarn
		}
		p.put(r.x+2, y, stamp, clockTime(line.At), inkDim)
		p.put(r.x+2+stamp+2, y, r.w-stamp-4, text, k)
	}
}
