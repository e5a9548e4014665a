package faults

import "math/rand/v2"

// Duplicate has each packet followed by a second one like it with a probability of Percent, from 0 to 100. The node
// serves a duplicate request in full; nobody waits for the reply to it.
type Duplicate struct{ Percent float64 }

// Name returns "duplicate".
func (Duplicate) Name() string { return "duplicate" }

// Meaning implements LinkFault.
func (Duplicate) Meaning() string { return "deliver this share of the messages twice" }

func (f Duplicate) String() string { return "duplicate " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Duplicate) Apply(_ Packet, rng *rand.Rand) Effect {
	return Effect{Duplicated: chance(rng, f.Percent)}
}
