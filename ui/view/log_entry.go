package view

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// drawEntryText draws the entry under the cursor in words, in one or two lines.
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

// entryText returns in words the entry at an index: what it is, on which node, whether it
// is committed, and which nodes hold the same one or another one.
func (p *logPainter) entryText(w pane.LogWindow, at uint64) string {
	if at == 0 {
		return "no entries yet"
	}
	node, e, ok := p.entryNode(w, at)
	if !ok {
		if lost, was := p.Lost[at]; was {
			return fmt.Sprintf("entry %s was %s: acknowledged to its client, now in no log", canvas.Thousands(at), pane.DescribeEntry(lost))
		}
		return fmt.Sprintf("entry %s: compacted into a snapshot", canvas.Thousands(at))
	}
	var holders, others []string
	for i := range p.State.Nodes {
		id := canvas.Sanitize(p.State.Nodes[i].ID)
		if other, has := p.State.Nodes[i].Entry(at); has && e.Same(&other) {
			holders = append(holders, id)
		} else if has {
			others = append(others, id)
		}
	}
	parts := []string{fmt.Sprintf("entry %s on %s: %s, term %s", canvas.Thousands(at), canvas.Sanitize(node.ID), pane.DescribeEntry(e), canvas.Thousands(e.Term))}
	switch was, lost := p.Lost[at]; {
	case lost && was.Same(&e):
		parts = append(parts, "acknowledged to its client, then lost")
	case p.Diverges(w, at, e):
		parts = append(parts, fmt.Sprintf("diverges from %s's log and will be truncated", canvas.Sanitize(w.Reference.ID)))
	case at <= w.Commit:
		parts = append(parts, "committed"+p.answerText(e))
	default:
		parts = append(parts, "not yet committed")
	}
	if len(holders) == len(p.State.Nodes) && len(holders) > 1 {
		holders = []string{"all nodes"}
	}
	parts = append(parts, "held by "+pane.JoinNames(holders, 9))
	if len(others) > 0 {
		parts = append(parts, "a different entry on "+pane.JoinNames(others, 9))
	}
	return strings.Join(parts, "; ")
}

// entryNode returns the first node that has an entry at an index, and that entry: the
// node under the cursor, the one with the reference log, then any.
func (p *logPainter) entryNode(w pane.LogWindow, at uint64) (*trace.Node, trace.Entry, bool) {
	if n := p.State.Node(p.Cursor); n != nil {
		if e, ok := n.Entry(at); ok {
			return n, e, true
		}
	}
	if w.Reference != nil {
		if e, ok := w.Reference.Entry(at); ok {
			return w.Reference, e, true
		}
	}
	for i := range p.State.Nodes {
		if e, ok := p.State.Nodes[i].Entry(at); ok {
			return &p.State.Nodes[i], e, true
		}
	}
	return nil, trace.Entry{}, false
}

// answerText returns what the client of a committed entry was told, "" if that is not
// known.
func (p *logPainter) answerText(e trace.Entry) string {
	if e.Client == "" {
		return ""
	}
	if op, ok := p.Acked[e.OpKey()]; ok {
		return fmt.Sprintf("; acknowledged to %s at %s with value %d", canvas.Sanitize(e.Client), trace.Clock(op.Returned), op.Value)
	}
	for _, op := range p.State.Clients.Recent {
		if op.Client == e.Client && op.Seq == e.Seq {
			return fmt.Sprintf("; outcome reported to %s: %s", canvas.Sanitize(e.Client), op.Outcome)
		}
	}
	return ""
}
