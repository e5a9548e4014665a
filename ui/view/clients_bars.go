package view

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// drawLane draws the operations of one client. From the latest back each gets its
// bar, and as many words behind it as there is room for before the next.
func (p *clientsPainter) drawLane(ops []trace.Op, a timeAxis, y int, cursor trace.Op) {
	end, room := a.w, outcomeWidth
	for _, op := range slices.Backward(ops) {
		until := op.Returned
		if op.Outcome == trace.Pending {
			until = p.Now
		}
		if until < a.from || op.Invoked > a.to {
			continue
		}
		from, to := max(a.column(op.Invoked), 0), a.column(until)
		to = min(max(to, from), end-1)
		if from > to {
			continue // the next one stands here
		}
		if op.Outcome == trace.Unknown {
			to = max(end-2, to)
		}
		p.drawOp(op, a, from, to, y, op.ID == cursor.ID)
		if op.Outcome != trace.Unknown {
			p.drawOutcome(op, a.x+to+1, y, end-to-2+room)
		}
		end, room = from, 0
	}
}

// drawOp draws an operation from its call to its answer. What may yet count has
// no end.
func (p *clientsPainter) drawOp(op trace.Op, a timeAxis, from, to, y int, chosen bool) {
	sign, k := "+", style.Good
	if op.Kind == trace.EntryRead {
		sign, k = "r", style.Accent
	}
	line := p.Glyphs.Led
	switch {
	case p.isStale(op):
		k = style.Loud
	case op.Outcome == trace.Unknown:
		k = style.Warn
	case op.Outcome == trace.Failed:
		k, line = style.Dim, p.Glyphs.Unled
	case op.Outcome == trace.Pending:
		k, line = style.Text, p.Glyphs.Unled
	case op.Outcome == trace.OK:
	}
	for x := from; x <= to; x++ {
		p.Set(a.x+x, y, line, k)
	}
	if op.Outcome == trace.Unknown {
		p.drawUnknown(op, a, from, to, y)
	}
	if chosen {
		k |= style.Reverse
	}
	p.Set(a.x+from, y, sign, k|style.Bold)
}

// drawUnknown draws the part after which a client gave up: it may still count.
func (p *clientsPainter) drawUnknown(op trace.Op, a timeAxis, from, to, y int) {
	gave := max(a.column(op.Returned), from)
	for x := gave + 1; x <= to; x++ {
		p.Set(a.x+x, y, p.Glyphs.Unled, style.Warn)
	}
	p.Set(a.x+to, y, p.Glyphs.Arrows[0], style.Warn)
	if text := " unknown "; to-gave > len(text)+1 {
		p.Put(a.x+gave+1, y, len(text), text, style.Warn|style.Bold)
	} else if gave < to {
		p.Set(a.x+gave, y, p.Glyphs.Undecided, style.Warn|style.Bold)
	}
}

// drawOutcome writes behind a bar what came of an operation, as much as fits.
func (p *clientsPainter) drawOutcome(op trace.Op, x, y, w int) {
	value := fmt.Sprint(op.Value)
	k := style.Text
	if p.isEvidence(op) {
		k = style.Warn | style.Bold
	}
	var words []string
	switch node := canvas.Sanitize(op.Node); {
	case p.isStale(op):
		k = style.Loud
		words = []string{value + " from " + node + ": STALE ", value + " STALE ", value + "!"}
	case op.Outcome == trace.OK && op.Kind == trace.EntryRead:
		words = []string{value + " from " + node + ", " + op.Level, value + " from " + node, value}
	case op.Outcome == trace.OK:
		words = []string{value + " from " + node, value}
	case op.Outcome == trace.Failed:
		k = style.Dim
		words = []string{"failed at " + node, "failed", p.Glyphs.Bad}
	}
	for _, text := range words {
		if canvas.Width(text)+1 <= w {
			if k != style.Loud {
				text = " " + text
			}
			p.Put(x, y, w, text, k)
			return
		}
	}
}
