package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// floor is a lower bound of the counter. As long as no operation can lower the counter,
// it is the highest value acknowledged so far. If an operation called later returns less,
// that is a violation whatever the operations of unknown outcome did, so it needs no
// search.
type floor struct {
	top      *operation // the operation with the highest result, called after since; nil if there is none
	since    int64      // the last event by which the counter may have been lowered
	lowering int        // operations that may still lower it
}

// settle sets the event after which only operations of the history change the counter.
func (f *floor) settle(seq int64) { f.top, f.since = nil, seq }

// addCall adds an operation that was just called.
func (f *floor) addCall(o *operation) {
	if o.delta() < 0 {
		f.lowering, f.top = f.lowering+1, nil
	}
	o.floor = f.top
}

// addReturn adds the outcome of an operation. It returns the operation that proves that
// the result is too low, nil if none does.
func (f *floor) addReturn(o *operation) (witness *operation) {
	witness, o.floor = o.floor, nil
	switch {
	case o.op.Outcome == trace.Unknown:
		return nil
	case o.delta() < 0:
		f.lowering--
		if o.answered {
			f.since = o.ret
		}
		return nil
	case !o.answered:
		return nil
	}
	if witness != nil && (f.lowering > 0 || witness.call <= f.since || o.op.Value-o.delta() >= witness.op.Value) {
		witness = nil
	}
	if f.lowering == 0 && o.call > f.since && (f.top == nil || o.op.Value > f.top.op.Value) {
		f.top = o
	}
	return witness
}

// stale describes a result that is too low. The proof is another operation, which had
// returned before the call.
func (o *operation) stale(witness *operation) (text string, proof []uint64) {
	at, earlier := trace.Moments(o.op.Returned, witness.op.Returned)
	text = fmt.Sprintf("%s at %s, but %d was already acknowledged to %s at %s",
		o.sentence(), at, witness.op.Value, witness.op.Client, earlier)
	return text, []uint64{uint64(witness.ret), uint64(o.ret)}
}
