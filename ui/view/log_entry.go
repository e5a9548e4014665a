package view

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// drawEntryText says in a line or two what the entry under the cursor is.
func (p *logPainter) drawEntryText(w pane.LogWindow, at uint64, r canvas.Rectangle) {
	k := style.Text
	if _, lost := p.Lost[at]; lost {
		k = style.Bad | style.Bold
	}
	for i, line := range canvas.Wrap(p.entryText(w, at), r.W) {
		if i < r.H {
			p.Put(r.X, r.Y+i, r.W, line, k)
		}
	}
}

// entryText says what stands at an index: on the node under the cursor or,
// where that has nothing, in the log that is right.
func (p *logPainter) entryText(w pane.LogWindow, at uint64) string {
	if at == 0 {
		return "no log holds an entry yet"
	}
	holder, e, ok := p.entryNode(w, at)
	if !ok {
		if lost, was := p.Lost[at]; was {
			return fmt.Sprintf("entry %s was %s: its client was told that it is counted, and no log holds it any more", canvas.Thousands(at), pane.WhatIs(lost))
		}
		return fmt.Sprintf("entry %s: only snapshots stand for it", canvas.Thousands(at))
	}
	var with, without []string
	for i := range p.State.Nodes {
		id := canvas.Sanitize(p.State.Nodes[i].ID)
		if other, has := p.State.Nodes[i].Entry(at); has && pane.SameEntry(e, other) {
			with = append(with, id)
		} else if has {
			without = append(without, id)
		}
	}
	parts := []string{fmt.Sprintf("entry %s on %s: %s, term %s", canvas.Thousands(at), canvas.Sanitize(holder.ID), pane.WhatIs(e), canvas.Thousands(e.Term))}
	switch was, lost := p.Lost[at]; {
	case lost && pane.SameEntry(was, e):
		parts = append(parts, "its client was told that it is counted, and it is lost")
	case p.Wrong(w, at, e):
		parts = append(parts, "it differs from what is committed and will be cut off")
	case at <= w.Commit:
		parts = append(parts, "committed"+p.answerText(e))
	default:
		parts = append(parts, "not committed yet")
	}
	if len(with) == len(p.State.Nodes) && len(with) > 1 {
		with = []string{"all nodes"}
	}
	parts = append(parts, "the same on "+pane.Names(with, 9))
	if len(without) > 0 {
		parts = append(parts, "another on "+pane.Names(without, 9))
	}
	return strings.Join(parts, "; ")
}

// entryNode returns the node whose entry at an index is to be explained.
func (p *logPainter) entryNode(w pane.LogWindow, at uint64) (*trace.Node, trace.Entry, bool) {
	if n := p.State.Node(p.Cursor); n != nil {
		if e, ok := n.Entry(at); ok {
			return n, e, true
		}
	}
	if w.Truth != nil {
		if e, ok := w.Truth.Entry(at); ok {
			return w.Truth, e, true
		}
	}
	for i := range p.State.Nodes {
		if e, ok := p.State.Nodes[i].Entry(at); ok {
			return &p.State.Nodes[i], e, true
		}
	}
	return nil, trace.Entry{}, false
}

// answerText says what the client of a committed entry was told.
func (p *logPainter) answerText(e trace.Entry) string {
	if e.Client == "" {
		return ""
	}
	if op, ok := p.Told[pane.CallOf(e)]; ok {
		return fmt.Sprintf(", and %s was told %d at %s", canvas.Sanitize(e.Client), op.Value, canvas.Clock(op.Returned))
	}
	for _, op := range p.State.Clients.Recent {
		if op.Client == e.Client && op.Seq == e.Seq {
			return fmt.Sprintf(", but %s was told %s", canvas.Sanitize(e.Client), op.Outcome)
		}
	}
	return ""
}
