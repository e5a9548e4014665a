package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// timeSpans are how much time the clients view shows; 0 is as much as the latest
// operations take.
var timeSpans = []time.Duration{0, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, time.Hour}

const (
	// autoOps is how many of the latest operations are shown when the user chooses
	// no time, back to a pause in which nobody called.
	autoOps = 12
	autoGap = 10 * time.Second
)

// Clients shows what clients did and were told, and the checks.
type Clients struct {
	Screen
	Op        uint64 // Op.ID of the operation under the cursor, 0 = the newest
	spanIndex int    // index into spans: how much time is shown
}

func (v *Clients) Name() string { return "clients" }

func (v *Clients) Keys() []keymap.Binding {
	const group = "clients view"
	return []keymap.Binding{
		keymap.BindKey(group, "left right", "another call; shift: ten", v.move, "left", "right", "shift+left", "shift+right").InFooter(1, "operation"),
		keymap.Bind(group, "0", "the newest operation", v.newest, "0").InFooter(2, "newest"),
		keymap.Bind(group, "[", "look closer", v.zoomIn, "[").InFooter(3, "closer"),
		keymap.Bind(group, "]", "from further away", v.zoomOut, "]").InFooter(4, "further"),
	}
}

func (v *Clients) Reset() bool {
	was := v.Op
	v.Op = 0
	return was != 0
}

func (v *Clients) Draw(p *pane.Painter, l *pane.Layout) {
	c := &clientsPainter{Painter: p, op: v.Op, spanIndex: v.spanIndex}
	for _, check := range append(pane.Violated(p.State.Checks), p.Broken...) {
		if check.Name == "linearizable" {
			c.proof = check.Proof
		}
	}
	c.draw(p.Body(l))
}

func (v *Clients) newest() {
	v.Op = 0
	v.Toast("the newest call, and those to come", false)
}

func (v *Clients) zoomIn()  { v.setSpan(v.spanIndex - 1) }
func (v *Clients) zoomOut() { v.setSpan(v.spanIndex + 1) }

// setSpan chooses how much time the clients view shows.
func (v *Clients) setSpan(span int) {
	v.spanIndex = min(max(span, 0), len(timeSpans)-1)
	if v.spanIndex == 0 {
		v.Toast(fmt.Sprintf("as much time as the latest %d calls take", autoOps), false)
		return
	}
	v.Toast(timeSpans[v.spanIndex].String()+" from left to right", false)
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
	proof     []uint64 // events that prove that what clients were told is not linearizable
}

// Operations returns the latest operations, in the order of their calls.
func Operations(s *trace.State) []trace.Op {
	ops := slices.Concat(s.Clients.Recent, s.Clients.Pending)
	slices.SortStableFunc(ops, func(a, b trace.Op) int { return cmp.Or(cmp.Compare(a.Invoked, b.Invoked), cmp.Compare(a.ID, b.ID)) })
	return ops
}

// timeAxis is the time that lanes share.
type timeAxis struct {
	x, w     int
	from, to time.Duration
}

// outcomeWidth is how much room there is behind the axis for what came of the
// latest operations.
const outcomeWidth = 20

// column returns where a moment is, -1 if it is before the first.
func (a timeAxis) column(t time.Duration) int {
	if t < a.from {
		return -1
	}
	return min(int(float64(t-a.from)/float64(a.to-a.from)*float64(a.w)), a.w-1)
}

// draw draws the operations of the clients as bars on one axis of time, a
// lane for each client, and what the checks say.
func (p *clientsPainter) draw(r canvas.Rectangle) {
	checks := p.CheckList(canvas.Rect(r.X+2, r.Y, r.W-4, r.H), r.H/3)
	r.H -= checks
	if checks > 0 {
		r.H--
	}
	ops := Operations(p.State)
	if len(ops) == 0 || r.H < 5 {
		p.Put(r.X+2, r.Y, r.W-4, "no client has called yet: i increments, r reads, l drives a load", style.Dim)
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
		name = max(name, min(canvas.Width(canvas.Sanitize(id)), pane.LogName))
	}
	a := p.chooseAxis(ops, cursor, r.X+2+name+2, r.W-name-4-outcomeWidth)
	p.Put(r.X+2, r.Y, name, "leader", style.Dim)
	p.Reigns(a.x, r.Y, a.w, a.column)
	p.Marks(a.x, r.Y, a.w, func(t time.Duration) int {
		if t > a.to {
			return a.w // later than what is shown
		}
		return a.column(t)
	})
	p.ReignNames(a.x, r.Y, a.w, a.column)
	if a.to == p.Now {
		p.Set(a.x+a.w, r.Y, p.Glyphs.Now, style.Accent)
		p.Put(a.x+a.w+2, r.Y, 3, "now", style.Dim)
	}
	y := p.drawLanes(lanes, a, canvas.Rect(r.X, r.Y+2, r.W, r.H-6), cursor) + 2
	for i, line := range canvas.Wrap(p.opText(cursor), r.W-4) {
		if i < 2 {
			p.Put(r.X+2, y+i, r.W-4, line, style.Text)
		}
	}
}

// lanesOf sorts operations by client.
func lanesOf(ops []trace.Op) map[string][]trace.Op {
	lanes := map[string][]trace.Op{}
	for _, op := range ops {
		lanes[op.Client] = append(lanes[op.Client], op)
	}
	return lanes
}

// chooseAxis chooses the time that is shown: up to now or, when the cursor is on an
// earlier operation, around that.
func (p *clientsPainter) chooseAxis(ops []trace.Op, cursor trace.Op, x, w int) timeAxis {
	span := timeSpans[p.spanIndex]
	if span == 0 {
		first := p.Now
		for i := len(ops) - 1; i >= max(len(ops)-autoOps, 0) && first-ops[i].Invoked < autoGap; i-- {
			first = ops[i].Invoked
		}
		if p.op != 0 {
			first = min(first, cursor.Invoked)
		}
		span = timeSpans[len(timeSpans)-1]
		for _, s := range timeSpans[2:] {
			if p.Now-first <= s*9/10 {
				span = s
				break
			}
		}
	}
	a := timeAxis{x: x, w: max(w, 1), to: p.Now}
	if p.op != 0 && cursor.Invoked < p.Now-span*9/10 {
		a.to = min(cursor.Invoked+span/2, p.Now)
	}
	a.from = max(a.to-span, min(0, a.to-timeSpans[1]))
	return a
}

// drawLanes draws the lanes of the clients that were active last, and the times below
// in the row that it returns.
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

// drawTimes writes the time below an axis.
func (p *clientsPainter) drawTimes(a timeAxis, y int) {
	const apart = 14 // cells from one time to the next, at least
	step := timeSpans[1] / 5
	for _, s := range []time.Duration{step, 5 * step, 10 * step, 50 * step, 100 * step, 600 * step, 3000 * step, 6000 * step, 36000 * step} {
		if step = s; float64(s)/float64(a.to-a.from)*float64(a.w) >= apart {
			break
		}
	}
	for t := max(a.from.Truncate(step), 0); t <= a.to; t += step {
		text := canvas.Clock(t)
		if at := a.column(t); at >= 0 && at+len(text) <= a.w {
			p.Put(a.x+at, y, len(text), text, style.Dim)
		}
	}
}

// isStale says whether a read proves that clients do not see one counter.
func (p *clientsPainter) isStale(op trace.Op) bool {
	if op.Kind != trace.EntryRead || op.Outcome != trace.OK {
		return false
	}
	return p.isEvidence(op)
}

// isEvidence says whether an operation is one of those that prove that what clients
// were told is not linearizable, as far as is known by now.
func (p *clientsPainter) isEvidence(op trace.Op) bool {
	return op.ReturnSeq != 0 && slices.Contains(p.proof, op.ReturnSeq)
}

// opText says what became of an operation.
func (p *clientsPainter) opText(op trace.Op) string {
	what := fmt.Sprintf("adds %d", op.Delta)
	if op.Kind == trace.EntryRead {
		what = "reads (" + canvas.Sanitize(op.Level) + ")"
	}
	call := fmt.Sprintf("%s %s via %s at %s", canvas.Sanitize(op.Client), what, canvas.Sanitize(op.Route), canvas.Clock(op.Invoked))
	took := formatLatency(op.Returned - op.Invoked)
	switch {
	case p.isStale(op):
		return fmt.Sprintf("%s: %s answered %d after %s. STALE: a newer value had been told before", call, canvas.Sanitize(op.Node), op.Value, took)
	case op.Outcome == trace.OK:
		return fmt.Sprintf("%s: %s answered %d after %s", call, canvas.Sanitize(op.Node), op.Value, took)
	case op.Outcome == trace.Failed:
		return fmt.Sprintf("%s: failed after %s, it certainly does not count (%s)", call, took, canvas.Sanitize(op.Why))
	case op.Outcome == trace.Unknown:
		return fmt.Sprintf("%s: no answer after %s, it may yet count (%s)", call, took, canvas.Sanitize(op.Why))
	}
	return call + ": still waiting"
}

// formatLatency writes a short time so that milliseconds can be told.
func formatLatency(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return canvas.Age(d)
}
