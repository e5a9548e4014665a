package check

import (
	"slices"
	"time"

	"capsize/cluster/trace"

	"github.com/anishathalye/porcupine"
)

// operation is a client's operation in the history. Its times are event numbers.
type operation struct {
	op          *trace.Op
	call        int64
	ret         int64      // noReturn while it has no result
	committedBy int64      // an event by which it had certainly taken effect, 0 if none
	index       uint64     // the log entry that carries it, 0 if not seen to be committed
	floor       *operation // while it is in flight: see floor.top at its call
	noEffect    bool       // it did not apply and returned nothing
	answered    bool       // it returned ok
	consumed    bool       // of unknown outcome, and applied before the history begins
}

// mayTakeEffect reports whether the operation may take effect at any time, or never.
func (o *operation) mayTakeEffect() bool {
	return !o.answered && !o.noEffect && o.op.Kind == trace.EntryAdd
}

func (o *operation) delta() int64 {
	if o.op.Kind == trace.EntryAdd {
		return o.op.Delta
	}
	return 0
}

// toModel returns an answered operation as the model sees it.
func (o *operation) toModel() *porcupineOp {
	return &porcupineOp{delta: o.delta(), value: o.op.Value, hasResult: true, call: o.call, ret: o.ret}
}

// opHistory is what the clients invoked and got back. Whenever the counter is known, a
// checkpoint replaces the operations already checked (linearizable_checkpoint.go), so
// the work per operation stays constant.
//
// The history is checked twice. First quickly, with the committed log as evidence: an
// operation of unknown outcome that was committed took effect between its call and
// its commit, and one that was not committed is assumed not to have counted yet. Usually
// the order of the log explains the results (linearizable_log_order.go); if not,
// porcupine searches for an order. Either order also explains the clients' history
// without evidence, where an operation of unknown outcome may take effect at any time
// after its call, or never: an ok holds even if the evidence is wrong. If there is no
// order, the evidence may be wrong, so porcupine must check the clients' history alone
// (linearizable_clients.go) before the check reports a violation. Only a result that is too low
// needs no search (linearizable_floor.go).
type opHistory struct {
	settled      bool
	validFrom    string // limits what an ok covers, "" if it covers the whole trace
	startsMidRun bool   // operations that the trace does not show may be in flight

	start   counterState // at the latest checkpoint, according to the evidence
	open    []*operation // called since then, or older and still able to take effect
	pending int          // operations in flight
	byID    map[uint64]*operation
	byKey   map[trace.OpKey]*operation // increments that may still take effect
	clients clientHistory
	floor   floor
	batching
	replaced

	stale       bool        // something has changed since the latest evaluation
	last        trace.Event // the latest verdict
	undecidable string      // why nothing more can be checked, "" if it can
}

// replaced summarizes the operations that the checkpoints have replaced.
type replaced struct {
	checkpointed uint64     // how many answered operations
	highest      *operation // the one among them with the highest value
}

// batching says how many operations are checked at once. Porcupine takes longer the
// more there are, but each call has a fixed cost.
type batching struct {
	idleBatch  int // when no operation is in flight behind them
	busyBatch  int // when some operation always is
	evaluateAt int // how many open operations make the next attempt worthwhile
}

// openMax bounds the operations between two checkpoints.
const openMax = 1 << 16

// newHistory returns an empty history.
func newHistory() opHistory {
	return opHistory{
		byID: map[uint64]*operation{}, byKey: map[trace.OpKey]*operation{},
		batching: batching{idleBatch: 128, busyBatch: 512, evaluateAt: 128},
		clients:  clientHistory{stepsMax: stepsMax},
	}
}

// add adds a work item to the history.
func (h *opHistory) add(w workItem) {
	if h.undecidable != "" {
		return
	}
	h.stale = true
	switch w.kind {
	case opInvoked:
		h.addCall(w)
	case opReturned:
		h.addReturn(w)
	case incrementCommitted:
		if o := h.byKey[w.key]; o != nil && o.committedBy == 0 {
			o.committedBy, o.index = int64(w.seq), w.index
			o.noEffect = o.noEffect || !h.settled // the counter's first known value includes it
		}
	case historySettled:
		h.settled = true
		for _, o := range h.open {
			o.noEffect = o.noEffect || o.op.Kind != trace.EntryAdd // a read may return an earlier value
		}
		h.start.known, h.clients.start.known = !w.unknown, !w.unknown
		h.startsMidRun = w.startsMidRun
		h.floor.settle(int64(w.seq))
		if w.unknown {
			h.validFrom = "checked from " + trace.Seconds(w.at) + " on, once no earlier operation could still take effect"
		}
	}
}

func (h *opHistory) addCall(w workItem) {
	o := &operation{op: w.op, call: int64(w.seq), ret: noReturn}
	if h.byID[w.op.ID] != nil {
		h.undecidable = "an operation was invoked twice"
		return
	}
	h.byID[w.op.ID] = o
	if o.mayTakeEffect() {
		h.byKey[w.op.OpKey()] = o
	}
	h.floor.addCall(o)
	h.open = append(h.open, o)
	h.pending++
}

func (h *opHistory) addReturn(w workItem) {
	o := h.byID[w.op.ID]
	if o == nil {
		if h.settled {
			h.undecidable = "an operation returned that no client had invoked"
		}
		return
	}
	delete(h.byID, w.op.ID)
	h.pending--
	o.op, o.ret = w.op, int64(w.seq)
	key := w.op.OpKey()
	switch w.op.Outcome {
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
	witness := h.floor.addReturn(o)
	if witness != nil && h.settled && !h.startsMidRun && h.last.Verdict != trace.VerdictViolated {
		text, proof := o.stale(witness)
		h.last = trace.Event{Verdict: trace.VerdictViolated, Text: text, Proof: proof, Count: h.checked()}
	}
	if len(h.open) >= h.evaluateAt && (h.pending == 0 || len(h.open) >= h.busyBatch) {
		h.dropFailed()
		h.evaluate()
		h.evaluateAt = max(h.idleBatch, len(h.open)+len(h.open)/4)
	}
}

// dropFailed removes the operations without effect.
func (h *opHistory) dropFailed() {
	h.open = slices.DeleteFunc(h.open, func(o *operation) bool { return o.noEffect })
}

// verdict returns the verdict on everything added so far.
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
		now = trace.Event{Verdict: trace.VerdictOK, Text: h.validFrom, Count: h.checked()}
	}
	now.At = at
	return now
}

// checked returns how many operations have been checked.
func (h *opHistory) checked() uint64 {
	n := h.checkpointed
	for _, o := range h.open {
		if o.answered {
			n++
		}
	}
	return n
}

// evaluate checks the open operations and sets a checkpoint where it can.
func (h *opHistory) evaluate() {
	if h.last.Verdict == trace.VerdictViolated || !h.settled {
		return
	}
	h.last = trace.Event{}
	if h.pending == 0 {
		if h.checkWithEvidence(h.open) {
			h.checkpointIdle()
			return
		}
	} else {
		if len(h.open) >= h.busyBatch {
			h.checkpointBusy()
		}
		if h.checkWithEvidence(h.open) {
			h.limitOpen()
			return
		}
	}
	h.last = h.clientsVerdict()
	h.limitOpen()
}

// limitOpen gives up once too many operations wait for a checkpoint.
func (h *opHistory) limitOpen() {
	if len(h.open) > openMax {
		h.undecidable = "too many operations are in flight or of unknown outcome to be checked together"
		h.open, h.byID, h.byKey, h.clients = nil, nil, nil, clientHistory{}
	}
}

// checkWithEvidence reports whether there is an order for the operations when the
// committed log places those of unknown outcome: the order of the log, or one that
// porcupine finds.
func (h *opHistory) checkWithEvidence(operations []*operation) bool {
	if h.followsLog(operations) {
		return true
	}
	ops := make([]*porcupineOp, 0, len(operations))
	for _, o := range operations {
		switch {
		case o.answered:
			ops = append(ops, o.toModel())
		case o.mayTakeEffect() && o.committedBy != 0:
			ops = append(ops, &porcupineOp{delta: o.delta(), call: o.call, ret: max(o.call, o.committedBy)})
		}
	}
	return h.clients.search(counterModel(h.start), ops) == porcupine.Ok
}
