package ui

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
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

// clientsView draws the operations of the clients as bars on one axis of time, a
// lane for each client, and what the checks say.
func (p *painter) clientsView(r rect) {
	checks := p.checkList(rect{r.x + 2, r.y, r.w - 4, r.h}, r.h/3)
	r.h -= checks
	if checks > 0 {
		r.h--
	}
	ops := operations(p.state)
	if len(ops) == 0 || r.h < 5 {
		p.put(r.x+2, r.y, r.w-4, "no client has called yet: i increments, r reads, l drives a load", inkDim)
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
		name = max(name, min(width(clean(id)), logName))
	}
	a := p.axis(ops, cursor, r.x+2+name+2, r.w-name-4-wordsWidth)
	p.put(r.x+2, r.y, name, "leader", inkDim)
	p.reigns(a.x, r.y, a.w, a.cell)
	p.marks(a.x, r.y, a.w, func(t time.Duration) int {
		if t > a.to {
			return a.w // later than what is shown
		}
		return a.cell(t)
	})
	p.reignNames(a.x, r.y, a.w, a.cell)
	if a.to == p.now {
		p.set(a.x+a.w, r.y, p.glyphs.now, inkAccent)
		p.put(a.x+a.w+2, r.y, 3, "now", inkDim)
	}
	y := p.lanes(lanes, a, rect{r.x, r.y + 2, r.w, r.h - 6}, cursor) + 2
	for i, line := range wrap(p.opInWords(cursor), r.w-4) {
		if i < 2 {
			p.put(r.x+2, y+i, r.w-4, line, inkText)
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
func (p *painter) axis(ops []trace.Op, cursor trace.Op, x, w int) axis {
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
func (p *painter) lanes(lanes map[string][]trace.Op, a axis, r rect, cursor trace.Op) int {
	var clients []string
	for id, ops := range lanes {
		if last := ops[len(ops)-1]; last.Outcome == trace.Pending || last.Returned >= a.from {
			clients = append(clients, id)
		}
	}
	slices.SortFunc(clients, trace.CompareNames)
	pitch := min(max(r.h/max(len(clients), 1), 1), pitchMax)
	shown := min(r.h/pitch, len(clients))
	first := min(max(slices.Index(clients, cursor.Client)-shown+1, 0), len(clients)-shown)
	for i := range shown {
		id, y := clients[first+i], r.y+i*pitch
		k := inkText
		if id == cursor.Client {
			k = inkAccent | bold
		}
		p.put(r.x+2, y, a.x-r.x-3, id, k)
		p.lane(lanes[id], a, y, cursor)
	}
	y := r.y + shown*pitch
	if hidden := len(clients) - shown; hidden > 0 {
		p.put(r.x+2, y, a.x-r.x-3, fmt.Sprintf("+%d more", hidden), inkWarn)
	}
	p.times(a, y)
	return y
}

// times writes the time below an axis.
func (p *painter) times(a axis, y int) {
	const apart = 14 // cells from one time to the next, at least
	step := spans[1] / 5
	for _, s := range []time.Duration{step, 5 * step, 10 * step, 50 * step, 100 * step, 600 * step, 3000 * step, 6000 * step, 36000 * step} {
		if step = s; float64(s)/float64(a.to-a.from)*float64(a.w) >= apart {
			break
		}
	}
	for t := max(a.from.Truncate(step), 0); t <= a.to; t += step {
		text := clockTime(t)
		if at := a.cell(t); at >= 0 && at+len(text) <= a.w {
			p.put(a.x+at, y, len(text), text, inkDim)
		}
	}
}

// lane draws the operations of one client. From the latest back each gets its
// bar, and as many words behind it as there is room for before the next.
func (p *painter) lane(ops []trace.Op, a axis, y int, cursor trace.Op) {
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
func (p *painter) opBar(op trace.Op, a axis, from, to, y int, chosen bool) {
	sign, k := "+", inkGood
	if op.Kind == trace.EntryRead {
		sign, k = "r", inkAccent
	}
	line := p.glyphs.led
	switch {
	case p.isStale(op):
		k = inkLoud
	case op.Outcome == trace.Unknown:
		k = inkWarn
	case op.Outcome == trace.Failed:
		k, line = inkDim, p.glyphs.unled
	case op.Outcome == trace.Pending:
		k, line = inkText, p.glyphs.unled
	case op.Outcome == trace.OK:
	}
	for x := from; x <= to; x++ {
		p.set(a.x+x, y, line, k)
	}
	if op.Outcome == trace.Unknown {
		p.unknownBar(op, a, from, to, y)
	}
	if chosen {
		k |= reverse
	}
	p.set(a.x+from, y, sign, k|bold)
}

// unknownBar draws the part after which a client gave up: it may still count.
func (p *painter) unknownBar(op trace.Op, a axis, from, to, y int) {
	gave := max(a.cell(op.Returned), from)
	for x := gave + 1; x <= to; x++ {
		p.set(a.x+x, y, p.glyphs.unled, inkWarn)
	}
	p.set(a.x+to, y, p.glyphs.arrows[0], inkWarn)
	if text := " unknown "; to-gave > len(text)+1 {
		p.put(a.x+gave+1, y, len(text), text, inkWarn|bold)
	} else if gave < to {
		p.set(a.x+gave, y, p.glyphs.undecided, inkWarn|bold)
	}
}

// opWords writes behind a bar what came of an operation, as much as fits.
func (p *painter) opWords(op trace.Op, x, y, w int) {
	value := fmt.Sprint(op.Value)
	k := inkText
	if p.proves(op) {
		k = inkWarn | bold
	}
	var words []string
	switch node := clean(op.Node); {
	case p.isStale(op):
		k = inkLoud
		words = []string{value + " from " + node + ": STALE ", value + " STALE ", value + "!"}
	case op.Outcome == trace.OK && op.Kind == trace.EntryRead:
		words = []string{value + " from " + node + ", " + op.Level, value + " from " + node, value}
	case op.Outcome == trace.OK:
		words = []string{value + " from " + node, value}
	case op.Outcome == trace.Failed:
		k = inkDim
		words = []string{"failed at " + node, "failed", p.glyphs.bad}
	}
	for _, text := range words {
		if width(text)+1 <= w {
			if k != inkLoud {
				text = " " + text
			}
			p.put(x, y, w, text, k)
			return
		}
	}
}

// isStale says whether a read proves that clients do not see one counter.
func (p *painter) isStale(op trace.Op) bool {
	if op.Kind != trace.EntryRead || op.Outcome != trace.OK {
		return false
	}
	return p.proves(op)
}

// proves says whether an operation is one of those that prove that what clients
// were told is not linearizable, as far as is known by now.
func (p *painter) proves(op trace.Op) bool {
	return op.ReturnSeq != 0 && slices.Contains(p.proof, op.ReturnSeq)
}

// opInWords says what became of an operation.
func (p *painter) opInWords(op trace.Op) string {
	what := fmt.Sprintf("adds %d", op.Delta)
	if op.Kind == trace.EntryRead {
		what = "reads (" + clean(op.Level) + ")"
	}
	call := fmt.Sprintf("%s %s via %s at %s", clean(op.Client), what, clean(op.Route), clockTime(op.Invoked))
	took := exactly(op.Returned - op.Invoked)
	switch {
	case p.isStale(op):
		return fmt.Sprintf("%s: %s answered %d after %s. STALE: a newer value had been told before", call, clean(op.Node), op.Value, took)
	case op.Outcome == trace.OK:
		return fmt.Sprintf("%s: %s answered %d after %s", call, clean(op.Node), op.Value, took)
	case op.Outcome == trace.Failed:
		return fmt.Sprintf("%s: failed after %s, it certainly does not count (%s)", call, took, clean(op.Why))
	case op.Outcome == trace.Unknown:
		return fmt.Sprintf("%s: no answer after %s, it may yet count (%s)", call, took, clean(op.Why))
	}
	return call + ": still waiting"
}

// exactly writes a short time so that milliseconds can be told.
func exactly(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return ago(d)
}
