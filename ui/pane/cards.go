package pane

import (
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Cards draws the nodes side by side, on screens without room for the ring.
func (p *Painter) Cards(r canvas.Rectangle) {
	nodes := len(p.State.Nodes)
	if r.Empty() || nodes == 0 {
		return
	}
	rows := cardRows(r.W, nodes)
	perRow := (nodes + rows - 1) / rows
	high, pitch := cardSmall, cardSmall
	if r.H >= rows*cardBig+rows-1 {
		high, pitch = cardBig, cardBig+1
	}
	// On a wide screen few nodes stay close together.
	w := min(r.W/perRow, 26)
	for i := range p.State.Nodes {
		at := canvas.Rect(r.X+i%perRow*w, r.Y+i/perRow*pitch, w, high)
		p.card(&p.State.Nodes[i], at)
	}
}

// card draws one node: its name, value, log and contact.
func (p *Painter) card(n *trace.Node, r canvas.Rectangle) {
	p.HitNode(r, n.ID)
	if p.cursorOn(n.ID) {
		p.Fill(canvas.Rect(r.X, r.Y, 1, r.H), p.Glyphs.Cursor, p.cursorStyle())
	}
	x, w := r.X+2, r.W-3
	parts := p.title(n)
	parts[1].Text = canvas.Truncate(canvas.Sanitize(n.ID), w-2, p.Glyphs.Ellipsis)
	if n.Role == trace.Leader && n.Process == trace.Up {
		parts = append(parts, canvas.Styled(" "+string(trace.Leader), style.Accent))
	}
	if p.Selected[n.ID] {
		parts = slices.Insert(parts, 2, canvas.Styled(" "+p.Glyphs.Selected, style.Accent))
	}
	pen := p.Pen(x, r.Y, x+w)
	faults := p.faultsOf(n)
	for _, part := range parts {
		if pen.Fits(canvas.Width(part.Text)) {
			pen.Write(part.Text, part.Style)
		} else if n.Process == trace.Unreachable { // nothing else tells it from one that is dead
			faults = slices.Insert(faults, 0, canvas.Styled(strings.TrimSpace(part.Text), part.Style))
		}
	}
	if r.H >= cardBig {
		p.cardBig(n, canvas.Rect(x, r.Y+1, w, r.H-1), faults)
		return
	}
	value, st := p.ValueOf(n)
	pen = p.Pen(x, r.Y+1, x+w)
	pen.Write(canvas.Compact(n.Value, min(len(value), w)), st)
	pen.Skip(1)
	if !n.Process.Running() {
		// The title of a running node has it already.
		pen.Write(p.BehindText(n), style.Warn)
	}
	if len(faults) > 0 {
		p.notes(faults, x, r.Y+2, w)
	} else {
		p.Contact(n, x, r.Y+2, w, 5)
	}
}

// cardBig draws a large card below its name.
func (p *Painter) cardBig(n *trace.Node, r canvas.Rectangle, faults []canvas.Span) {
	value, st := p.ValueOf(n)
	if p.Glyphs.BigDigits && canvas.BigWidth(value) <= r.W {
		p.PutBig(r.X, r.Y, value, st)
	} else {
		p.Put(r.X, r.Y+1, r.W, canvas.Compact(n.Value, min(len(value), r.W)), st)
	}
	pen := p.Pen(r.X, r.Y+canvas.BigHeight, r.X+r.W)
	pen.Write("log ", style.Dim)
	pen.Write(canvas.Compact(n.LastIndex(), 6), style.Term(n.LastTerm()))
	if text := p.BehindText(n); text != "" && !n.Process.Running() {
		pen.Skip(1)
		pen.Write(text, style.Warn)
	} else if text := "t" + canvas.Compact(n.Term, 4); pen.Fits(len(text) + 1) {
		pen.Skip(1)
		pen.Write(text, style.Dim)
	}
	y := r.Y + canvas.BigHeight + 1
	if len(faults) > 0 {
		p.notes(faults, r.X, y, r.W)
	} else {
		p.Contact(n, r.X, y, r.W, r.W-6)
	}
}
