package faults

import (
	"math/rand/v2"
	"time"
)

// Delay adds to the latency of a link: uniformly from Mean-Jitter to Mean+Jitter, and
// never less than 0. Packets stay in order, so one that draws a long delay holds up those
// behind it.
type Delay struct{ Mean, Jitter time.Duration }

// Name returns "delay".
func (Delay) Name() string { return "delay" }

// Meaning implements LinkFault.
func (Delay) Meaning() string { return "add latency, plus or minus the jitter; messages stay in order" }

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
