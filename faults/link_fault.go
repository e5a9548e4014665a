package faults

import (
	"math/rand/v2"
	"time"
)

// LinkFault is a fault of one directed link. It is a plain value without state, so any
// package may implement it. The package documentation says how to add one here.
type LinkFault interface {
	// Name returns the word that sets the fault. A link has at most one fault per name.
	Name() string
	// Meaning describes the fault in one line, for a command reference or a menu.
	Meaning() string
	// String returns the fault with its settings: "delay 200ms jitter 50ms". Faults with
	// equal strings are equal.
	String() string
	// Apply returns what the fault does to a packet. It is called once per packet and
	// fault: when the packet is sent, or when the fault is set while the packet is in
	// flight. All randomness must come from rng.
	Apply(p Packet, rng *rand.Rand) Effect
}

// LinkFaults returns one of each fault in this package, with zero settings, in the order
// of a command reference.
func LinkFaults() []LinkFault {
	return []LinkFault{Cut{}, Refuse{}, Delay{}, Lose{}, Duplicate{}, Reorder{}, Jam{}, Bandwidth{}, Hold{}}
}

// Effect is what a fault does to a packet. The zero value lets the packet pass. The
// effects of all faults on a link add up.
type Effect struct {
	Lost       string        // if not empty, the packet is lost, for this reason
	Refused    bool          // with Lost: the caller gets ErrRefused at once instead of waiting
	Held       bool          // the packet waits until the fault is cleared
	Delay      time.Duration // the packet takes this much longer
	Occupies   time.Duration // the packet occupies the link this long, once those before it are through
	Duplicated bool          // a second copy follows; only counts when the packet is sent
	CopyAfter  time.Duration // with Duplicated: how much later the copy arrives
	Reordered  bool          // later packets may overtake this one; the first that does ends Delay

	byHand    bool   // with Held: a user delivers the packet
	late      bool   // the packet is a delayed copy: later packets do not wait for it
	copyFault uint64 // with CopyAfter: the ID of the fault that makes the copy
	limited   bool   // the fault is limited to some kinds: other kinds do not wait for this packet
}

// Only limits a fault to some kinds of message; a reply has the kind of its request.
// Messages of other kinds pass those that the fault slows down or holds. Only replaces
// the limit that f already has; without kinds, it removes that limit.
func Only(f LinkFault, kinds ...Kind) LinkFault {
	if o, ok := f.(only); ok {
		f = o.LinkFault
	}
	if len(kinds) == 0 {
		return f
	}
	return only{LinkFault: f, kinds: setOf(kinds...)}
}

type only struct {
	LinkFault
	kinds kindSet
}

func (o only) String() string { return o.LinkFault.String() + " only " + o.kinds.String() }

func (o only) Apply(p Packet, rng *rand.Rand) Effect {
	if !o.kinds.has(p.Kind) {
		return Effect{}
	}
	e := o.LinkFault.Apply(p, rng)
	e.limited = true
	return e
}

// uniform draws a duration uniformly from mean-jitter to mean+jitter, never less than 0.
func uniform(rng *rand.Rand, mean, jitter time.Duration) time.Duration {
	if jitter > 0 {
		mean += time.Duration(rng.Int64N(2*int64(jitter)+1)) - jitter
	}
	return max(0, mean)
}

// chance returns true with the given probability: never at 0, always at 100.
func chance(rng *rand.Rand, percent float64) bool { return rng.Float64()*100 < percent }
