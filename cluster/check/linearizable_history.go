package check

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

// operation is an operation of a client in the history.
type operation struct {
	op          *trace.Op
	call        int64 // the event of its call
	ret         int64 // the event of its answer, never while it has none
	committedBy int64 // an event by which it had certainly taken effect, 0 if there is none
	noEffect    bool  // it has no effect, and nobody was told anything
	answered    bool  // the client knows the outcome: ok
	consumed    bool  // one of the pool that counted before the base
}

// mayTakeEffect says whether it has an effect that may come at any time, or never.
func (o *operation) mayTakeEffect() bool {
	return !o.answered && !o.noEffect && o.op.Kind == trace.EntryAdd
}

func (o *operation) delta() int64 {
	if o.op.Kind == trace.EntryAdd {
		return o.op.Delta
	}
	return 0
}

// opHistory is what the clients did and were told. What is judged is cut off where
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
type opHistory struct {
	settled      bool
	validFrom    string       // the moment from which the verdict holds
	startsMidRun bool         // operations may be pending that the trace does not show
	value        int64        // after the last cut, with the evidence
	known        bool         // value is known
	open         []*operation // since the last cut, and older ones that may or may not have applied
	pending      int          // number of pending operations
	byID         map[uint64]*operation
	byKey        map[opKey]*operation // increments that may still apply
	last         trace.Event          // the latest verdict
	undecidable  string               // why nothing more can be judged
	clients      clientHistory
	rounds
}

// rounds is what has been judged, and when the next judgement is due.
type rounds struct {
	checkpointed uint64     // number of operations judged and cut off
	highest      *operation // of those, the one with the highest value
	stale        bool       // something is new since the last judgement
	evaluateAt   int        // length of open from which it is worth trying to cut it
	// idleBatch is how many operations are judged at once when none is pending behind
	// them, busyBatch when one always is.
	idleBatch, busyBatch int
}

// openMax is how many operations may wait for a cut.
const openMax = 1 << 16

// newHistory returns an empty history. The more operations are judged at once, the
// longer each takes, and the fewer, the more the beginning of each judgement costs.
func newHistory() opHistory {
	return opHistory{
		byID: map[uint64]*operation{}, byKey: map[opKey]*operation{},
		rounds:  rounds{idleBatch: 128, busyBatch: 512, evaluateAt: 128},
		clients: clientHistory{timeout: porcupineTimeout},
	}
}

// add takes in a note.
func (h *opHistory) add(n workItem) {
	if h.undecidable != "" {
		return
	}
	h.stale = true
	switch n.kind {
	case opInvoked:
		h.addCall(n)
	case opReturned:
		h.addReturn(n)
	case incrementCommitted:
		if o := h.byKey[n.key]; o != nil && o.committedBy == 0 {
			o.committedBy = int64(n.seq)
			o.noEffect = o.noEffect || !h.settled // it is part of what the counter is when the history begins
		}
	case historySettled:
		h.settled = true
		for _, o := range h.open {
			o.noEffect = o.noEffect || o.op.Kind != trace.EntryAdd // it may tell of before
		}
		h.known, h.clients.start.known = !n.unknown, !n.unknown
		h.startsMidRun = n.midway
		if n.unknown {
			h.validFrom = "from " + trace.Seconds(n.at) + " on, once no earlier increment could still apply"
		}
	}
}

func (h *opHistory) addCall(n workItem) {
	o := &operation{op: n.op, call: int64(n.seq), ret: noReturn}
	if h.byID[n.op.ID] != nil {
		h.undecidable = "an operation was called twice"
		return
	}
	h.byID[n.op.ID] = o
	if o.mayTakeEffect() {
		h.byKey[opKey{n.op.Client, n.op.Seq}] = o
	}
	h.open = append(h.open, o)
	h.pending++
}

func (h *opHistory) addReturn(n workItem) {
	o := h.byID[n.op.ID]
	if o == nil {
		if h.settled {
			h.undecidable = "an operation returned without a call"
		}
		return
	}
	delete(h.byID, n.op.ID)
	h.pending--
	o.op, o.ret = n.op, int64(n.seq)
	key := opKey{n.op.Client, n.op.Seq}
	switch n.op.Outcome {
	case trace.OK:
		delete(h.byKey, key)
		o.answered, o.committedBy = true, 0
		o.noEffect = o.noEffect || !h.settled
	case trace.Unknown:
		o.noEffect = o.op.Kind != trace.EntryAdd
	case trace.Failed, trace.Pending:
		delete(h.byKey, key)
		o.noEffect = true
	}
	if len(h.open) >= h.evaluateAt && (h.pending == 0 || len(h.open) >= h.busyBatch) {
		h.dropFailed()
		h.evaluate()
		h.evaluateAt = max(h.idleBatch, len(h.open)+len(h.open)/4)
	}
}

// dropFailed removes what has no effect.
func (h *opHistory) dropFailed() {
	h.open = slices.DeleteFunc(h.open, func(o *operation) bool { return o.noEffect })
}

// verdict says what is to be said of all that was taken in.
func (h *opHistory) verdict(at time.Duration) trace.Event {
	if h.stale && h.undecidable == "" {
		h.dropFailed()
		h.evaluate()
		h.stale = false
	}
	now := h.last
	if h.undecidable != "" && now.Verdict != trace.VerdictViolated {
		now = trace.Event{Verdict: trace.VerdictUndecided, Text: h.undecidable}
	}
	if now.Verdict == "" || now.Verdict == trace.VerdictOK {
		now = trace.Event{Verdict: trace.VerdictOK, Text: h.validFrom, Count: h.evaluated()}
	}
	now.At = at
	return now
}

// evaluated returns how many operations have been judged.
func (h *opHistory) evaluated() uint64 {
	n := h.checkpointed
	for _, o := range h.open {
		if o.answered {
			n++
		}
	}
	return n
}

// evaluate judges what is open, and cuts off what it can.
func (h *opHistory) evaluate() {
	if h.last.Verdict == trace.VerdictViolated || !h.settled {
		return
	}
	h.last = trace.Event{}
	if h.pending == 0 {
		if h.checkWithEvidence(h.startState(), h.open) {
			h.checkpointIdle()
			return
		}
	} else {
		if len(h.open) >= h.busyBatch {
			h.checkpointBusy()
		}
		if h.checkWithEvidence(h.startState(), h.open) {
			h.limitOpen()
			return
		}
	}
	h.last = h.clientsVerdict()
	h.limitOpen()
}

// limitOpen gives up when too much waits for a cut.
func (h *opHistory) limitOpen() {
	if len(h.open) > openMax {
		h.undecidable = "too many operations are pending or of unknown outcome to judge together"
		h.open, h.byID, h.byKey, h.clients = nil, nil, nil, clientHistory{}
	}
}

func (h *opHistory) startState() counterState { return counterState{value: h.value, known: h.known} }

// checkWithEvidence judges operations with what is known of those of unknown outcome.
func (h *opHistory) checkWithEvidence(start counterState, operations []*operation) bool {
	actions := make([]*porcupineOp, 0, len(operations))
	for _, o := range operations {
		switch {
		case o.answered:
			actions = append(actions, o.toModel())
		case o.mayTakeEffect() && o.committedBy != 0:
			actions = append(actions, &porcupineOp{delta: o.delta(), call: o.call, ret: max(o.call, o.committedBy)})
		}
	}
	return runPorcupine(counterModel(start), actions, h.clients.timeout) == porcupine.Ok
}

// toModel returns an operation whose outcome the client knows, as the model sees it.
func (o *operation) toModel() *porcupineOp {
	return &porcupineOp{isAdd: o.op.Kind == trace.EntryAdd, delta: o.delta(), value: o.op.Value, hasResult: true, call: o.call, ret: o.ret}
}

// checkpointIdle cuts off all that was judged, where nothing is under way. Whatever the
// order was, the counter has grown by the sum of what counted.
func (h *opHistory) checkpointIdle() {
	var rest []*operation
	var judged []*operation
	sum, last, unsure := int64(0), maxValueOf(h.open), false
	for _, o := range h.open {
		if o.answered || o.committedBy != 0 {
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
	case !unsure && last.isLast: // the counter only grows, so the highest value was the last
		h.value, h.known = last.value, true
	default:
		return
	}
	h.checkpoint(judged, rest, last)
}

// checkpointBusy cuts where something is always under way, by value: while the counter
// only grows, whatever was told of a value comes before what was told of a greater.
func (h *opHistory) checkpointBusy() {
	if !h.known || !onlyGrows(h.open) {
		return
	}
	earliest := int64(noReturn)
	for _, o := range h.byID {
		earliest = min(earliest, o.call)
	}
	// Whoever is under way was called when the counter had this value already.
	value, found := int64(0), false
	for _, o := range h.open {
		if o.answered && o.ret < earliest && (!found || o.op.Value > value) {
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
		case o.answered && (o.op.Value < value || o.op.Value == value && (o.delta() > 0 || o.ret < earliest)):
			before = append(before, o)
			sum += o.delta()
		case o.mayTakeEffect() && o.committedBy != 0 && h.byID[o.op.ID] != o:
			unsure = append(unsure, o)
		default:
			after = append(after, o)
		}
	}
	slices.SortStableFunc(unsure, func(a, b *operation) int { return int(a.committedBy - b.committedBy) })
	for _, o := range unsure {
		if sum < value {
			before = append(before, o)
			sum += o.delta()
		} else {
			after = append(after, o)
		}
	}
	slices.SortFunc(after, func(a, b *operation) int { return int(a.call - b.call) })
	if sum != value || !inOrder(before, after) || !h.checkWithEvidence(h.startState(), before) {
		return
	}
	h.value = value
	h.checkpoint(before, after, maxValueOf(before))
}

// inOrder says whether nothing in after ended before something in before began.
func inOrder(before, after []*operation) bool {
	latest := int64(0)
	for _, o := range before {
		latest = max(latest, o.call)
	}
	return !slices.ContainsFunc(after, func(o *operation) bool { return o.answered && o.ret < latest })
}

// onlyGrows says whether no operation makes the counter smaller.
func onlyGrows(operations []*operation) bool {
	return !slices.ContainsFunc(operations, func(o *operation) bool { return o.delta() < 0 })
}

// maxValue is the highest value that was told.
type maxValue struct {
	value  int64
	isLast bool // it was also the last, as the counter only grew
}

func maxValueOf(operations []*operation) maxValue {
	last := maxValue{}
	for _, o := range operations {
		if o.answered && (!last.isLast || o.op.Value > last.value) {
			last = maxValue{o.op.Value, true}
		}
	}
	last.isLast = last.isLast && onlyGrows(operations)
	return last
}

// checkpoint cuts off what was judged.
func (h *opHistory) checkpoint(judged, rest []*operation, last maxValue) {
	for _, o := range judged {
		if o.answered {
			h.checkpointed++
			if h.highest == nil || o.op.Value > h.highest.op.Value {
				h.highest = o
			}
		} else {
			delete(h.byKey, opKey{o.op.Client, o.op.Seq})
		}
	}
	h.open = rest
	h.clients.checkpoint(judged, rest, h.value, last)
}
