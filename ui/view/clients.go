package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// timeSpans are the zoom levels of the clients view: how much time it shows. 0 fits the
// latest operations.
var timeSpans = []time.Duration{0, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, time.Hour}

// clientTicks are the intervals at which the axis of the clients view shows a time.
var clientTicks = []time.Duration{
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second,
	time.Minute, 5 * time.Minute, 10 * time.Minute, time.Hour,
}

const (
	// minSpan is the shortest time that the clients view shows.
	minSpan = 500 * time.Millisecond
	// minAutoSpan is the shortest time that it shows to fit the latest operations.
	minAutoSpan = 2 * time.Second
	// autoOps is how many operations the zoom level 0 fits, back to a gap of autoGap
	// without an operation.
	autoOps = 12
	autoGap = 10 * time.Second
	// outcomeWidth is the width, right of the axis, for the outcomes of the latest
	// operations.
	outcomeWidth = 20
	// clientTickApart is the least distance between two times on the axis, in columns.
	clientTickApart = 14
)

// Clients shows the operations of the clients with their outcomes, and the checks.
type Clients struct {
	Screen
	Op        uint64 // Op.ID of the operation under the cursor, 0 = the newest
	spanIndex int    // index into timeSpans
}

// Name implements [View].
func (v *Clients) Name() string { return "clients" }

// Keys implements [View].
func (v *Clients) Keys() []keymap.Binding {
	const group = "clients view"
	return []keymap.Binding{
		keymap.BindKey(group, "left right", "select operation; shift: 10", v.move, "left", "right", "shift+left", "shift+right").InFooter(1, "operation"),
		keymap.Bind(group, "0", "newest operation", v.newest, "0").InFooter(2, "newest"),
		keymap.Bind(group, "[", "zoom in", v.zoomIn, "[").InFooter(3, "zoom in"),
		keymap.Bind(group, "]", "zoom out", v.zoomOut, "]").InFooter(4, "zoom out"),
	}
}

// Reset implements [View].
func (v *Clients) Reset() bool {
	was := v.Op
	v.Op = 0
	return was != 0
}

// Draw implements [View].
func (v *Clients) Draw(p *pane.Painter, l *pane.Layout) {
	c := &clientsPainter{Painter: p, op: v.Op, spanIndex: v.spanIndex}
	for _, verdict := range append(pane.Violated(p.State.Checks), p.ViolatedNow...) {
		if verdict.Name == check.Linearizable {
			c.proof = verdict.Proof
		}
	}
	c.draw(p.Body(l))
}

func (v *Clients) newest() {
	v.Op = 0
	v.Toast("following the newest operation", false)
}

func (v *Clients) zoomIn()  { v.setSpan(v.spanIndex - 1) }
func (v *Clients) zoomOut() { v.setSpan(v.spanIndex + 1) }

// setSpan sets the zoom level, an index into timeSpans.
func (v *Clients) setSpan(span int) {
	v.spanIndex = min(max(span, 0), len(timeSpans)-1)
	if v.spanIndex == 0 {
		v.Toast(fmt.Sprintf("fits the latest %d operations", autoOps), false)
		return
	}
	v.Toast("shows "+timeSpans[v.spanIndex].String(), false)
}

// move moves the cursor along the operations.
func (v *Clients) move(pressed string) {
	ops := Operations(v.State())
	if len(ops) == 0 {
		return
	}
	at := slices.IndexFunc(ops, func(op trace.Op) bool { return op.ID == v.Op })
	if v.Op == 0 || at < 0 {
		at = len(ops) - 1
	}
	if at += stride(pressed); at >= len(ops)-1 {
		v.newest()
		return
	}
	v.Op = ops[max(at, 0)].ID
}

// clientsPainter paints the clients view.
type clientsPainter struct {
	*pane.Painter
	op        uint64
	spanIndex int
	proof     []uint64 // the events that violate linearizability, by sequence number
}

// Operations returns the latest operations, in the order of their invocations.
func Operations(s *trace.State) []trace.Op {
	ops := slices.Concat(s.Clients.Recent, s.Clients.Pending)
	slices.SortStableFunc(ops, func(a, b trace.Op) int { return cmp.Or(cmp.Compare(a.Invoked, b.Invoked), cmp.Compare(a.ID, b.ID)) })
	return ops
}

// timeAxis maps the time from from to to onto the w columns from x on.
type timeAxis struct {
	x, w     int
	from, to time.Duration
}

// column returns the column of a time, counted from x: -1 before from, and at most the
// last one.
func (a timeAxis) column(t time.Duration) int {
	if t < a.from {
		return -1
	}
	return min(int(float64(t-a.from)/float64(a.to-a.from)*float64(a.w)), a.w-1)
}

// draw draws the checks and, on one axis of time, the terms of the leaders and a lane of
// operations for each client.
func (p *clientsPainter) draw(r canvas.Rectangle) {
	checks := p.CheckList(canvas.Rect(r.X+2, r.Y, r.W-4, r.H), r.H/3)
	r.H -= checks
	if checks > 0 {
		r.H--
	}
	ops := Operations(p.State)
	if len(ops) == 0 || r.H < 5 {
		p.Put(r.X+2, r.Y, r.W-4, "no operations yet: i increments, r reads, l starts a load", style.Dim)
		return
	}
	cursor := ops[len(ops)-1]
	for _, op := range ops {
		if p.op != 0 && op.ID == p.op {
			cursor = op
		}
	}
	lanes := lanesOf(ops)
	name := 7
	for id := range lanes {
		name = max(name, min(canvas.Width(canvas.Sanitize(id)), pane.LogNameWidth))
	}
	a := p.chooseAxis(ops, cursor, r.X+2+name+2, r.W-name-4-outcomeWidth)
	p.Put(r.X+2, r.Y, name, "leader", style.Dim)
	p.LeaderSpans(a.x, r.Y, a.w, a.column)
	p.TimelineMarks(a.x, r.Y, a.w, func(t time.Duration) int {
		if t > a.to {
			return a.w // not shown
		}
		return a.column(t)
	})
	p.LeaderNames(a.x, r.Y, a.w, a.column)
	if a.to == p.Now {
		p.Set(a.x+a.w, r.Y, p.Glyphs.Now, style.Accent)
		p.Put(a.x+a.w+2, r.Y, 3, "now", style.Dim)
	} else {
		p.Put(a.x+a.w+2, r.Y, outcomeWidth-2, "ends "+trace.Age(p.Now-a.to)+" ago", style.Warn)
	}
	y := p.drawLanes(lanes, a, canvas.Rect(r.X, r.Y+2, r.W, r.H-6), cursor) + 2
	for i, line := range canvas.Wrap(p.opText(cursor), r.W-4) {
		if i < 2 {
			p.Put(r.X+2, y+i, r.W-4, line, style.Text)
		}
	}
}

// lanesOf returns the operations of each client.
func lanesOf(ops []trace.Op) map[string][]trace.Op {
	lanes := map[string][]trace.Op{}
	for _, op := range ops {
		lanes[op.Client] = append(lanes[op.Client], op)
	}
	return lanes
}

// latestEnd returns the end of the latest operation: now if one is pending.
func (p *clientsPainter) latestEnd(ops []trace.Op) (end time.Duration) {
	for _, op := range ops {
		if op.Outcome == trace.Pending {
			return p.Now
		}
		end = max(end, op.Returned)
	}
	return end
}

// chooseAxis returns the axis: up to now or, with the cursor on an older operation,
// around that. If no operation is recent, the axis ends with the latest one.
func (p *clientsPainter) chooseAxis(ops []trace.Op, cursor trace.Op, x, w int) timeAxis {
	span, latest := timeSpans[p.spanIndex], p.latestEnd(ops)
	if span == 0 {
		end := p.Now
		if end-latest >= autoGap {
			end = latest
		}
		first := end
		for i := len(ops) - 1; i >= max(len(ops)-autoOps, 0) && first-ops[i].Invoked < autoGap; i-- {
			first = ops[i].Invoked
		}
		if p.op != 0 {
			first = min(first, cursor.Invoked)
		}
		span = timeSpans[len(timeSpans)-1]
		for _, s := range timeSpans {
			if s >= minAutoSpan && end-first <= s*9/10 {
				span = s
				break
			}
		}
	}
	a := timeAxis{x: x, w: max(w, 1), to: p.Now}
	switch {
	case p.op != 0 && cursor.Invoked < p.Now-span*9/10:
		a.to = min(cursor.Invoked+span/2, p.Now)
	case p.op == 0 && latest < p.Now-span*9/10:
		a.to = min(latest+span/10, p.Now)
	}
	a.from = max(a.to-span, min(0, a.to-minSpan))
	return a
}

// drawLanes draws the lanes of the clients that have operations on the axis, and the
// times in the row below, which it returns.
func (p *clientsPainter) drawLanes(lanes map[string][]trace.Op, a timeAxis, r canvas.Rectangle, cursor trace.Op) int {
	var clients []string
	for id, ops := range lanes {
		if last := ops[len(ops)-1]; last.Outcome == trace.Pending || last.Returned >= a.from {
			clients = append(clients, id)
		}
	}
	slices.SortFunc(clients, trace.CompareNames)
	pitch := min(max(r.H/max(len(clients), 1), 1), pitchMax)
	shown := min(r.H/pitch, len(clients))
	first := min(max(slices.Index(clients, cursor.Client)-shown+1, 0), len(clients)-shown)
	for i := range shown {
		id, y := clients[first+i], r.Y+i*pitch
		k := style.Text
		if id == cursor.Client {
			k = style.Accent | style.Bold
		}
		p.Put(r.X+2, y, a.x-r.X-3, id, k)
		p.drawLane(lanes[id], a, y, cursor)
	}
	y := r.Y + shown*pitch
	if hidden := len(clients) - shown; hidden > 0 {
		p.Put(r.X+2, y, a.x-r.X-3, fmt.Sprintf("+%d more", hidden), style.Warn)
	}
	p.drawTimes(a, y)
	return y
}

// drawTimes draws the times of an axis.
func (p *clientsPainter) drawTimes(a timeAxis, y int) {
	step := tick(clientTicks, clientTickApart*(a.to-a.from)/time.Duration(a.w))
	for t := max(a.from.Truncate(step), 0); t <= a.to; t += step {
		text := trace.Clock(t)
		if at := a.column(t); at >= 0 && at+len(text) <= a.w {
			p.Put(a.x+at, y, len(text), text, style.Dim)
		}
	}
}

// isStale reports whether a read returned a value that violates linearizability.
func (p *clientsPainter) isStale(op trace.Op) bool {
	if op.Kind != trace.EntryRead || op.Outcome != trace.OK {
		return false
	}
	return p.isEvidence(op)
}

// isEvidence reports whether an operation is part of the evidence that the history is
// not linearizable.
func (p *clientsPainter) isEvidence(op trace.Op) bool {
	return op.ReturnSeq != 0 && slices.Contains(p.proof, op.ReturnSeq)
}

// opText returns an operation and its outcome as a sentence.
func (p *clientsPainter) opText(op trace.Op) string {
	what := fmt.Sprintf("%+d", op.Delta)
	if op.Kind == trace.EntryRead {
		what = "read (" + canvas.Sanitize(op.Level) + ")"
	}
	call := fmt.Sprintf("%s's %s via %s at %s", canvas.Sanitize(op.Client), what, canvas.Sanitize(op.Route), trace.Clock(op.Invoked))
	took := formatLatency(op.Returned - op.Invoked)
	switch {
	case p.isStale(op):
		return fmt.Sprintf("%s: %s answered %d after %s. STALE: a client had already seen a newer value", call, canvas.Sanitize(op.Node), op.Value, took)
	case op.Outcome == trace.OK:
		return fmt.Sprintf("%s: %s answered %d after %s", call, canvas.Sanitize(op.Node), op.Value, took)
	case op.Outcome == trace.Failed:
		return fmt.Sprintf("%s: failed after %s, not applied (%s)", call, took, canvas.Sanitize(op.Why))
	case op.Outcome == trace.Unknown:
		return fmt.Sprintf("%s: outcome unknown, no reply within %s; it may still be applied (%s)", call, took, canvas.Sanitize(op.Why))
	}
	return call + ": waiting for a reply"
}

// formatLatency formats a duration, to the millisecond below ten seconds.
func formatLatency(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return trace.Age(d)
}
