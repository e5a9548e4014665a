package faults

import (
	"math/rand/v2"
	"time"
)

// Duplicate sends a second copy of each packet with a probability of Percent, from 0 to
// 100. The copy arrives right after the original or, with After, that much later, and
// packets sent in between overtake it. The node processes a duplicate request like any
// other, but no caller waits for its reply.
type Duplicate struct {
	Percent float64
	After   time.Duration
}

// Name returns "duplicate".
func (Duplicate) Name() string { return "duplicate" }

// Meaning implements LinkFault.
func (Duplicate) Meaning() string {
	return "deliver this percentage of messages twice; the copy follows at once, or after D"
}

func (f Duplicate) String() string {
	s := "duplicate " + formatPercent(f.Percent) + "%"
	if f.After > 0 {
		s += " after " + f.After.String()
	}
	return s
}

// Apply implements LinkFault.
func (f Duplicate) Apply(_ Packet, rng *rand.Rand) Effect {
	return Effect{Duplicated: chance(rng, f.Percent), CopyAfter: f.After}
}
