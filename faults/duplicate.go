package faults

import "math/rand/v2"

// Duplicate sends a second copy of each packet with a probability of Percent, from 0 to
// 100. The node serves a duplicate request in full, but no caller waits for its reply.
type Duplicate struct{ Percent float64 }

// Name returns "duplicate".
func (Duplicate) Name() string { return "duplicate" }

// Meaning implements LinkFault.
func (Duplicate) Meaning() string { return "deliver this percentage of messages twice" }

func (f Duplicate) String() string { return "duplicate " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Duplicate) Apply(_ Packet, rng *rand.Rand) Effect {
	return Effect{Duplicated: chance(rng, f.Percent)}
}
