package check

import (
	"slices"
	"time"

	"capsize/cluster/trace"

	"github.com/anishathalye/porcupine"
)

// operation is an operation of a client in the history.
type operation struct {
	op       *trace.Op
	call     int64 // the event of its call
	finish   int64 // the event of its answer, never while it has none
	taken    int64 // an event by which it had certainly taken effect, 0 if there is none
	dropped  bool  // it has no effect, and nobody was told anything
	answered bool  // the client knows the outcome: ok
	spent    bool  // one of the pool that counted before the base
}

// isOpen says whether it has an effect that may come at any time, or never.
func (o *operation) isOpen() bool { return !o.answered && !o.dropped && o.op.Kind == trace.EntryAdd }

func (o *operation) delta() int64 {
	if o.op.Kind == trace.EntryAdd {
		return o.op.Delta
	}
	return 0
}

// history is what the clients did and were told. What is judged is cut off where
// it is known what the counter was, so that judging goes on at the same pace.
//
// It is judged twice. First quickly, with what is known of operations whose outcome
// is unknown: one that is seen to be committed took effect between its call and
// that moment, and of one that is not, it is assumed that it has not counted yet.
// If porcupine finds an order then, that order also explains the clients' history
// alone, in which such an operation may take effect at any time after its call or
// never: so an ok is an ok, whatever the evidence is worth. If it finds none, the
// evidence may be at fault, and nothing is said before porcupine has judged the
// clients' history alone (pure.go).
type history struct {
	settled bool
	since   string       // from when on it is vouched for
	midway  bool         // operations may be under way that were never told of
	value   int64        // after the last cut, with the evidence
	known   bool         // value is known
	open    []*operation // since the last cut, and older ones of which it is not known whether they count
	flying  int          // how many are under way
	byID    map[uint64]*operation
	byKey   map[opKey]*operation // increments that may yet count
	count   uint64               // how many were judged and cut off
	highest *operation           // of those, the one that was told the highest value
	changed bool                 // there is something new since the last judgement
	due     int                  // how long open is before it is worth another try to cut it
	last    trace.Event          // the last judgement
	gaveUp  string               // why nothing more can be judged
	pure    pure
	// cutFrom is how many operations are judged at once, when nothing is under way
	// behind them; busyFrom when there always is.
	cutFrom, busyFrom int
}

// openMax is how many operations may wait for a cut.
const openMax = 1 << 16

// newHistory returns an empty history. The more operations are judged at once, the
// longer each takes, and the fewer, the more the beginning of each judgement costs.
func newHistory() history {
	return history{
		byID: map[uint64]*operation{}, byKey: map[opKey]*operation{},
		cutFrom: 128, busyFrom: 512, due: 128,
		pure: pure{limit: thinkMax},
	}
}

// take takes in a note.
func (h *history) take(n note) {
	if h.gaveUp != "" {
		return
	}
	h.changed = true
	switch n.kind {
	case wasCalled:
		h.called(n)
	case hasReturned:
		h.returned(n)
	case hasTaken:
		if o := h.byKey[n.key]; o != nil && o.taken == 0 {
			o.taken = int64(n.seq)
			o.dropped = o.dropped || !h.settled // it is part of what the counter is when the history begins
		}
	case isSettled:
		h.settled = true
		for _, o := range h.open {
			o.dropped = o.dropped || o.op.Kind != trace.EntryAdd // it may tell of before
		}
		h.known, h.pure.start.known = !n.unknown, !n.unknown
		h.midway = n.midway
		if n.unknown {
			h.since = "from " + trace.Seconds(n.at) + " on, when nothing of before could count any more"
		}
	}
}

func (h *history) called(n note) {
	o := &operation{op: n.op, call: int64(n.seq), finish: never}
	if h.byID[n.op.ID] != nil {
		h.gaveUp = "an operation was called twice"
		return
	}
	h.byID[n.op.ID] = o
	if o.isOpen() {
		h.byKey[opKey{n.op.Client, n.op.Seq}] = o
	}
	h.open = append(h.open, o)
	h.flying++
}

func (h *history) returned(n note) {
	o := h.byID[n.op.ID]
	if o == nil {
		if h.settled {
			h.gaveUp = "an operation returned that nobody had called"
		}
		return
	}
	delete(h.byID, n.op.ID)
	h.flying--
	o.op, o.finish = n.op, int64(n.seq)
	key := opKey{n.op.Client, n.op.Seq}
	switch n.op.Outcome {
	case trace.OK:
		delete(h.byKey, key)
		o.answered, o.taken = true, 0
		o.dropped = o.dropped || !h.settled
	case trace.Unknown:
		o.dropped = o.op.Kind != trace.EntryAdd
	case trace.Failed, trace.Pending:
		delete(h.byKey, key)
		o.dropped = true
	}
	if len(h.open) >= h.due && (h.flying == 0 || len(h.open) >= h.busyFrom) {
		h.sweep()
		h.decide()
		h.due = max(h.cutFrom, len(h.open)+len(h.open)/4)
	}
}

// sweep removes what has no effect.
func (h *history) sweep() {
	h.open = slices.DeleteFunc(h.open, func(o *operation) bool { return o.dropped })
}

// judge says what is to be said of all that was taken in.
func (h *history) judge(at time.Duration) trace.Event {
	if h.changed && h.gaveUp == "" {
		h.sweep()
		h.decide()
		h.changed = false
	}
	now := h.last
	if h.gaveUp != "" && now.Verdict != trace.VerdictViolated {
		now = trace.Event{Verdict: trace.VerdictUndecided, Text: h.gaveUp}
	}
	if now.Verdict == "" || now.Verdict == trace.VerdictOK {
		now = trace.Event{Verdict: trace.VerdictOK, Text: h.since, Count: h.judged()}
	}
	now.At = at
	return now
}

// judged returns how many operations have been judged.
func (h *history) judged() uint64 {
	n := h.count
	for _, o := range h.open {
		if o.answered {
			n++
		}
	}
	return n
}

// decide judges what is open, and cuts off what it can.
func (h *history) decide() {
	if h.last.Verdict == trace.VerdictViolated || !h.settled {
		return
	}
	h.last = trace.Event{}
	if h.flying == 0 {
		if h.quick(h.start(), h.open) {
			h.cutAll()
			return
		}
	} else {
		if len(h.open) >= h.busyFrom {
			h.cutBusy()
		}
		if h.quick(h.start(), h.open) {
			h.bound()
			return
		}
	}
	h.last = h.pureVerdict()
	h.bound()
}

// bound gives up when too much waits for a cut.
func (h *history) bound() {
	if len(h.open) > openMax {
		h.gaveUp = "more operations are under way, or of unknown outcome, than can be judged together"
		h.open, h.byID, h.byKey, h.pure = nil, nil, nil, pure{}
	}
}

func (h *history) start() counterState { return counterState{value: h.value, known: h.known} }

// quick judges operations with what is known of those of unknown outcome.
func (h *history) quick(start counterState, operations []*operation) bool {
	actions := make([]*action, 0, len(operations))
	for _, o := range operations {
		switch {
		case o.answered:
			actions = append(actions, o.told())
		case o.isOpen() && o.taken != 0:
			actions = append(actions, &action{delta: o.delta(), call: o.call, finish: max(o.call, o.taken)})
		}
	}
	return ask(counterModel(start), actions, h.pure.limit) == porcupine.Ok
}

// told returns an operation whose outcome the client knows, as the model sees it.
func (o *operation) told() *action {
	return &action{adds: o.op.Kind == trace.EntryAdd, delta: o.delta(), value: o.op.Value, told: true, call: o.call, finish: o.finish}
}

// cutAll cuts off all that was judged, where nothing is under way. Whatever the
// order was, the counter has grown by the sum of what counted.
func (h *history) cutAll() {
	var rest []*operation
	var judged []*operation
	sum, last, unsure := int64(0), lastOf(h.open), false
	for _, o := range h.open {
		if o.answered || o.taken != 0 {
			judged = append(judged, o)
			sum += o.delta()
			unsure = unsure || !o.answered
		} else {
			rest = append(rest, o)
		}
	}
	switch {
	case h.known:
		h.value += sum
	case !unsure && last.sure: // the counter only grows, so the highest value was the last
		h.value, h.known = last.value, true
	default:
		return
	}
	h.cut(judged, rest, last)
}

// cutBusy cuts where something is always under way, by value: while the counter
// only grows, whatever was told of a value comes before what was told of a greater.
func (h *history) cutBusy() {
	if !h.known || !onlyGrows(h.open) {
		return
	}
	earliest := int64(never)
	for _, o := range h.byID {
		earliest = min(earliest, o.call)
	}
	// Whoever is under way was called when the counter had this value already.
	value, found := int64(0), false
	for _, o := range h.open {
		if o.answered && o.finish < earliest && (!found || o.op.Value > value) {
			value, found = o.op.Value, true
		}
	}
	if !found {
		return
	}
	var before, after, unsure []*operation
	sum := h.value
	for _, o := range h.open {
		switch {
		case o.answered && (o.op.Value < value || o.op.Value == value && (o.delta() > 0 || o.finish < earliest)):
			before = append(before, o)
			sum += o.delta()
		case o.isOpen() && o.taken != 0 && h.byID[o.op.ID] != o:
			unsure = append(unsure, o)
		default:
			after = append(after, o)
		}
	}
	slices.SortStableFunc(unsure, func(a, b *operation) int { return int(a.taken - b.taken) })
	for _, o := range unsure {
		if sum < value {
			before = append(before, o)
			sum += o.delta()
		} else {
			after = append(after, o)
		}
	}
	slices.SortFunc(after, func(a, b *operation) int { return int(a.call - b.call) })
	if sum != value || !inOrder(before, after) || !h.quick(h.start(), before) {
		return
	}
	h.value = value
	h.cut(before, after, lastOf(before))
}

// inOrder says whether nothing in after ended before something in before began.
func inOrder(before, after []*operation) bool {
	latest := int64(0)
	for _, o := range before {
		latest = max(latest, o.call)
	}
	return !slices.ContainsFunc(after, func(o *operation) bool { return o.answered && o.finish < latest })
}

// onlyGrows says whether no operation makes the counter smaller.
func onlyGrows(operations []*operation) bool {
	return !slices.ContainsFunc(operations, func(o *operation) bool { return o.delta() < 0 })
}

// highest is the highest value that was told.
type highest struct {
	value int64
	sure  bool // it was also the last, as the counter only grew
}

func lastOf(operations []*operation) highest {
	last := highest{}
	for _, o := range operations {
		if o.answered && (!last.sure || o.op.Value > last.value) {
			last = highest{o.op.Value, true}
		}
	}
	last.sure = last.sure && onlyGrows(operations)
	return last
}

// cut cuts off what was judged.
func (h *history) cut(judged, rest []*operation, last highest) {
	for _, o := range judged {
		if o.answered {
			h.count++
			if h.highest == nil || o.op.Value > h.highest.op.Value {
				h.highest = o
			}
		} else {
			delete(h.byKey, opKey{o.op.Client, o.op.Seq})
		}
	}
	h.open = rest
	h.pure.cut(judged, rest, h.value, last)
}
