package faults

import (
	"math/rand/v2"
	"time"
)

// Delay adds to the latency of a link: evenly from Mean-Jitter to Mean+Jitter, never less than 0. The order of packets
// stays, so one that draws a long delay holds up those behind it.
type Delay struct{ Mean, Jitter time.Duration }

// Name returns "delay".
func (Delay) Name() string { return "delay" }

// Meaning implements LinkFault.
func (Delay) Meaning() string { return "add to the latency, give or take the jitter; the order stays" }

func (d Delay) String() string {
	s := "delay " + d.Mean.String()
	if d.Jitter > 0 {
		s += " jitter " + d.Jitter.String()
	}
	return s
}

// Apply implements LinkFault.
func (d Delay) Apply(_ Packet, rng *rand.Rand) Effect {
	return Effect{Delay: uniform(rng, d.Mean, d.Jitter)}
}
