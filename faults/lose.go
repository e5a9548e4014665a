package faults

import "math/rand/v2"

// Lose drops each packet with a probability of Percent, from 0 to 100.
type Lose struct{ Percent float64 }

// Name returns "lose".
func (Lose) Name() string { return "lose" }

// Meaning implements LinkFault.
func (Lose) Meaning() string { return "drop this percentage of messages silently" }

func (f Lose) String() string { return "lose " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Lose) Apply(_ Packet, rng *rand.Rand) Effect {
	if !chance(rng, f.Percent) {
		return Effect{}
	}
	return Effect{Lost: "dropped (" + formatPercent(f.Percent) + "%)"}
}
