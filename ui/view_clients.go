package ui

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// spans are how much time the clients view shows; 0 is as much as the latest
// operations take.
var spans = []time.Duration{0, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, time.Hour}

const (
	// autoOps is how many of the latest operations are shown when the user chooses
	// no time, back to a pause in which nobody called.
	autoOps = 12
	autoGap = 10 * time.Second
)

// clientsView shows what clients did and were told, and the checks.
type clientsView struct {
	screen
	op    uint64 // Op.ID of the operation under the cursor, 0 = the newest
	reach int    // index into spans: how much time is shown
}

func (v *clientsView) name() string { return "clients" }

func (v *clientsView) keys() []binding {
	const group = "clients view"
	return []binding{
		bindKey(group, "left right", "another call; shift: ten", v.move, "left", "right", "shift+left", "shift+right").inFooter(1, "operation"),
		bind(group, "0", "the newest operation", v.newest, "0").inFooter(2, "newest"),
		bind(group, "[", "look closer", v.closer, "[").inFooter(3, "closer"),
		bind(group, "]", "from further away", v.further, "]").inFooter(4, "further"),
	}
}

func (v *clientsView) reset() bool {
	was := v.op
	v.op = 0
	return was != 0
}

func (v *clientsView) draw(p *painter, l *layout) {
	c := &clientsPainter{painter: p, op: v.op, reach: v.reach}
	for _, check := range append(violated(p.state.Checks), p.broken...) {
		if check.Name == "linearizable" {
			c.proof = check.Proof
		}
	}
	c.draw(p.body(l))
}

func (v *clientsView) newest() {
	v.op = 0
	v.say("the newest call, and those to come", false)
}

func (v *clientsView) closer()  { v.setSpan(v.reach - 1) }
func (v *clientsView) further() { v.setSpan(v.reach + 1) }

// setSpan chooses how much time the clients view shows.
func (v *clientsView) setSpan(span int) {
	v.reach = min(max(span, 0), len(spans)-1)
	if v.reach == 0 {
		v.say(fmt.Sprintf("as much time as the latest %d calls take", autoOps), false)
		return
	}
	v.say(spans[v.reach].String()+" from left to right", false)
}

// move moves the cursor along the operations.
func (v *clientsView) move(pressed string) {
	ops := operations(v.state())
	if len(ops) == 0 {
		return
	}
	at := slices.IndexFunc(ops, func(op trace.Op) bool { return op.ID == v.op })
	if v.op == 0 || at < 0 {
		at = len(ops) - 1
	}
	if at += stride(pressed); at >= len(ops)-1 {
		v.newest()
		return
	}
	v.op = ops[max(at, 0)].ID
}

// clientsPainter paints the clients view.
type clientsPainter struct {
	*painter
	op    uint64
	reach int
	proof []uint64 // events that prove that what clients were told is not linearizable
}

// operations returns the latest operations, in the order of their calls.
func operations(s *trace.State) []trace.Op {
	ops := slices.Concat(s.Clients.Recent, s.Clients.Pending)
	slices.SortStableFunc(ops, func(a, b trace.Op) int { return cmp.Or(cmp.Compare(a.Invoked, b.Invoked), cmp.Compare(a.ID, b.ID)) })
	return ops
}

// axis is the time that lanes share.
type axis struct {
	x, w     int
	from, to time.Duration
}

// wordsWidth is how much room there is behind the axis for what came of the
// latest operations.
const wordsWidth = 20

// cell returns where a moment is, -1 if it is before the first.
func (a axis) cell(t time.Duration) int {
	if t < a.from {
		return -1
	}
	return min(int(float64(t-a.from)/float64(a.to-a.from)*float64(a.w)), a.w-1)
}

// draw draws the operations of the clients as bars on one axis of time, a
// lane for each client, and what the checks say.
func (p *clientsPainter) draw(r canvas.Rectangle) {
	checks := p.checkList(canvas.Rect(r.X+2, r.Y, r.W-4, r.H), r.H/3)
	r.H -= checks
	if checks > 0 {
		r.H--
	}
	ops := operations(p.state)
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
		name = max(name, min(canvas.Width(canvas.Sanitize(id)), logName))
	}
	a := p.axis(ops, cursor, r.X+2+name+2, r.W-name-4-wordsWidth)
	p.Put(r.X+2, r.Y, name, "leader", style.Dim)
	p.reigns(a.x, r.Y, a.w, a.cell)
	p.marks(a.x, r.Y, a.w, func(t time.Duration) int {
		if t > a.to {
			return a.w // later than what is shown
		}
		return a.cell(t)
	})
	p.reignNames(a.x, r.Y, a.w, a.cell)
	if a.to == p.now {
		p.Set(a.x+a.w, r.Y, p.glyphs.Now, style.Accent)
		p.Put(a.x+a.w+2, r.Y, 3, "now", style.Dim)
	}
	y := p.lanes(lanes, a, canvas.Rect(r.X, r.Y+2, r.W, r.H-6), cursor) + 2
	for i, line := range canvas.Wrap(p.opInWords(cursor), r.W-4) {
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

// axis chooses the time that is shown: up to now or, when the cursor is on an
// earlier operation, around that.
func (p *clientsPainter) axis(ops []trace.Op, cursor trace.Op, x, w int) axis {
	span := spans[p.reach]
	if span == 0 {
		first := p.now
		for i := len(ops) - 1; i >= max(len(ops)-autoOps, 0) && first-ops[i].Invoked < autoGap; i-- {
			first = ops[i].Invoked
		}
		if p.op != 0 {
			first = min(first, cursor.Invoked)
		}
		span = spans[len(spans)-1]
		for _, s := range spans[2:] {
			if p.now-first <= s*9/10 {
				span = s
				break
			}
		}
	}
	a := axis{x: x, w: max(w, 1), to: p.now}
	if p.op != 0 && cursor.Invoked < p.now-span*9/10 {
		a.to = min(cursor.Invoked+span/2, p.now)
	}
	a.from = max(a.to-span, min(0, a.to-spans[1]))
	return a
}

// lanes draws the lanes of the clients that were active last, and the times below
// in the row that it returns.
func (p *clientsPainter) lanes(lanes map[string][]trace.Op, a axis, r canvas.Rectangle, cursor trace.Op) int {
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
		p.lane(lanes[id], a, y, cursor)
	}
	y := r.Y + shown*pitch
	if hidden := len(clients) - shown; hidden > 0 {
		p.Put(r.X+2, y, a.x-r.X-3, fmt.Sprintf("+%d more", hidden), style.Warn)
	}
	p.times(a, y)
	return y
}

// times writes the time below an axis.
func (p *clientsPainter) times(a axis, y int) {
	const apart = 14 // cells from one time to the next, at least
	step := spans[1] / 5
	for _, s := range []time.Duration{step, 5 * step, 10 * step, 50 * step, 100 * step, 600 * step, 3000 * step, 6000 * step, 36000 * step} {
		if step = s; float64(s)/float64(a.to-a.from)*float64(a.w) >= apart {
			break
		}
	}
	for t := max(a.from.Truncate(step), 0); t <= a.to; t += step {
		text := canvas.Clock(t)
		if at := a.cell(t); at >= 0 && at+len(text) <= a.w {
			p.Put(a.x+at, y, len(text), text, style.Dim)
		}
	}
}

// lane draws the operations of one client. From the latest back each gets its
// bar, and as many words behind it as there is room for before the next.
func (p *clientsPainter) lane(ops []trace.Op, a axis, y int, cursor trace.Op) {
	end, room := a.w, wordsWidth
	for _, op := range slices.Backward(ops) {
		until := op.Returned
		if op.Outcome == trace.Pending {
			until = p.now
		}
		if until < a.from || op.Invoked > a.to {
			continue
		}
		from, to := max(a.cell(op.Invoked), 0), a.cell(until)
		to = min(max(to, from), end-1)
		if from > to {
			continue // the next one stands here
		}
		if op.Outcome == trace.Unknown {
			to = max(end-2, to)
		}
		p.opBar(op, a, from, to, y, op.ID == cursor.ID)
		if op.Outcome != trace.Unknown {
			p.opWords(op, a.x+to+1, y, end-to-2+room)
		}
		end, room = from, 0
	}
}

// opBar draws an operation from its call to its answer. What may yet count has
// no end.
func (p *clientsPainter) opBar(op trace.Op, a axis, from, to, y int, chosen bool) {
	sign, k := "+", style.Good
	if op.Kind == trace.EntryRead {
		sign, k = "r", style.Accent
	}
	line := p.glyphs.Led
	switch {
	case p.isStale(op):
		k = style.Loud
	case op.Outcome == trace.Unknown:
		k = style.Warn
	case op.Outcome == trace.Failed:
		k, line = style.Dim, p.glyphs.Unled
	case op.Outcome == trace.Pending:
		k, line = style.Text, p.glyphs.Unled
	case op.Outcome == trace.OK:
	}
	for x := from; x <= to; x++ {
		p.Set(a.x+x, y, line, k)
	}
	if op.Outcome == trace.Unknown {
		p.unknownBar(op, a, from, to, y)
	}
	if chosen {
		k |= style.Reverse
	}
	p.Set(a.x+from, y, sign, k|style.Bold)
}

// unknownBar draws the part after which a client gave up: it may still count.
func (p *clientsPainter) unknownBar(op trace.Op, a axis, from, to, y int) {
	gave := max(a.cell(op.Returned), from)
	for x := gave + 1; x <= to; x++ {
		p.Set(a.x+x, y, p.glyphs.Unled, style.Warn)
	}
	p.Set(a.x+to, y, p.glyphs.Arrows[0], style.Warn)
	if text := " unknown "; to-gave > len(text)+1 {
		p.Put(a.x+gave+1, y, len(text), text, style.Warn|style.Bold)
	} else if gave < to {
		p.Set(a.x+gave, y, p.glyphs.Undecided, style.Warn|style.Bold)
	}
}

// opWords writes behind a bar what came of an operation, as much as fits.
func (p *clientsPainter) opWords(op trace.Op, x, y, w int) {
	value := fmt.Sprint(op.Value)
	k := style.Text
	if p.proves(op) {
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
		words = []string{"failed at " + node, "failed", p.glyphs.Bad}
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

// isStale says whether a read proves that clients do not see one counter.
func (p *clientsPainter) isStale(op trace.Op) bool {
	if op.Kind != trace.EntryRead || op.Outcome != trace.OK {
		return false
	}
	return p.proves(op)
}

// proves says whether an operation is one of those that prove that what clients
// were told is not linearizable, as far as is known by now.
func (p *clientsPainter) proves(op trace.Op) bool {
	return op.ReturnSeq != 0 && slices.Contains(p.proof, op.ReturnSeq)
}

// opInWords says what became of an operation.
func (p *clientsPainter) opInWords(op trace.Op) string {
	what := fmt.Sprintf("adds %d", op.Delta)
	if op.Kind == trace.EntryRead {
		what = "reads (" + canvas.Sanitize(op.Level) + ")"
	}
	call := fmt.Sprintf("%s %s via %s at %s", canvas.Sanitize(op.Client), what, canvas.Sanitize(op.Route), canvas.Clock(op.Invoked))
	took := exactly(op.Returned - op.Invoked)
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

// exactly writes a short time so that milliseconds can be told.
func exactly(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return canvas.Age(d)
}
