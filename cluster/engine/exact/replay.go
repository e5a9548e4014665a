package exact

import (
	"encoding/json"
	"fmt"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

// replay is the past, and the future, of another engine that this one repeats.
type replay struct {
	orders []pastOrder   // not repeated yet
	hold   uint64        // the event after which the engine stands still, 0 for none
	holdAt time.Duration // and the virtual time of that moment
	held   bool          // the engine stands still there
}

// pastOrder is an order, with the event that says when it came.
type pastOrder struct {
	seq   uint64
	at    time.Duration
	order engine.Order
}

// orderIn returns the order in an event.
func orderIn(e *trace.Event) (pastOrder, error) {
	one := pastOrder{seq: e.Seq, at: e.At}
	if err := json.Unmarshal([]byte(e.Text), &one.order); err != nil {
		return one, fmt.Errorf("event %d is not an order: %w", e.Seq, err)
	}
	return one, nil
}

// next reports whether an order came by at.
func (r *replay) next(at time.Duration) bool { return len(r.orders) > 0 && r.orders[0].at <= at }

// take takes the next order that came by at.
func (r *replay) take(at time.Duration) (engine.Order, bool) {
	if !r.next(at) {
		return engine.Order{}, false
	}
	next := r.orders[0].order
	r.orders = r.orders[1:]
	return next, true
}

// isActive reports whether there is something to repeat.
func (r *replay) isActive() bool { return len(r.orders) > 0 || r.hold > 0 }

// holds reports whether the moment at which to stand still comes before an event or, with seq 0,
// before what follows the end of a tick.
func (r *replay) holds(at time.Duration, seq uint64) bool {
	switch {
	case r.hold == 0:
		return false
	case seq > 0:
		return seq > r.hold
	default:
		return at > r.holdAt || r.next(at) && r.orders[0].seq > r.hold
	}
}

// release lets the engine go on.
func (r *replay) release() { r.hold, r.held = 0, false }

// drop ends the repetition: a new order makes another future.
func (r *replay) drop() { *r = replay{} }
