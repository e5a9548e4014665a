package view

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// drawLane draws the operations of one client, the latest first: each as a bar, and its
// outcome in the room that is left before the next one.
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
			continue // hidden by the next one
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

// drawOp draws an operation from its invocation to its reply. One of unknown outcome has
// no end: it may still be applied.
func (p *clientsPainter) drawOp(op trace.Op, a timeAxis, from, to, y int, underCursor bool) {
	sign, k := "+", style.Good
	if op.Kind == trace.EntryRead {
		sign, k = "r", style.Accent
	}
	line := p.Glyphs.Leading
	switch {
	case p.isStale(op):
		k = style.Alarm
	case op.Outcome == trace.Unknown:
		k = style.Warn
	case op.Outcome == trace.Failed:
		k, line = style.Dim, p.Glyphs.Leaderless
	case op.Outcome == trace.Pending:
		k, line = style.Text, p.Glyphs.Leaderless
	case op.Outcome == trace.OK:
	}
	for x := from; x <= to; x++ {
		p.Set(a.x+x, y, line, k)
	}
	if op.Outcome == trace.Unknown {
		p.drawUnknown(op, a, from, to, y)
	}
	if underCursor {
		k |= style.Reverse
	}
	p.Set(a.x+from, y, sign, k|style.Bold)
}

// drawUnknown draws the time after the client gave up on an operation.
func (p *clientsPainter) drawUnknown(op trace.Op, a timeAxis, from, to, y int) {
	gaveUp := max(a.column(op.Returned), from)
	for x := gaveUp + 1; x <= to; x++ {
		p.Set(a.x+x, y, p.Glyphs.Leaderless, style.Warn)
	}
	p.Set(a.x+to, y, p.Glyphs.Arrows[0], style.Warn)
	if text := " unknown "; to-gaveUp > len(text)+1 {
		p.Put(a.x+gaveUp+1, y, len(text), text, style.Warn|style.Bold)
	} else if gaveUp < to {
		p.Set(a.x+gaveUp, y, p.Glyphs.Undecided, style.Warn|style.Bold)
	}
}

// drawOutcome draws the longest form of an operation's outcome that fits.
func (p *clientsPainter) drawOutcome(op trace.Op, x, y, w int) {
	value := fmt.Sprint(op.Value)
	k := style.Text
	if p.isEvidence(op) {
		k = style.Warn | style.Bold
	}
	var forms []string // the longest first
	switch node := canvas.Sanitize(op.Node); {
	case p.isStale(op):
		k = style.Alarm
		forms = []string{value + " from " + node + ": STALE ", value + " STALE ", value + "!"}
	case op.Outcome == trace.OK && op.Kind == trace.EntryRead:
		forms = []string{value + " from " + node + ", " + op.Level, value + " from " + node, value}
	case op.Outcome == trace.OK:
		forms = []string{value + " from " + node, value}
	case op.Outcome == trace.Failed:
		k = style.Dim
		forms = []string{"failed at " + node, "failed", p.Glyphs.Bad}
	}
	for _, text := range forms {
		if canvas.Width(text)+1 <= w {
			if k != style.Alarm {
				text = " " + text
			}
			p.Put(x, y, w, text, k)
			return
		}
	}
}
