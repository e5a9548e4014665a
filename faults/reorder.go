package faults

import (
	"math/rand/v2"
	"time"
)

// reorderWaitMax is how long a packet that Reorder picked waits to be overtaken. It is twice Raft's usual heartbeat
// interval, so that on an idle link a heartbeat mostly overtakes it.
const reorderWaitMax = 200 * time.Millisecond

// Reorder picks each packet with a probability of Percent, from 0 to 100. One that is picked steps aside until a later
// packet has overtaken it, or for 200 ms if none does.
type Reorder struct{ Percent float64 }

// Name returns "reorder".
func (Reorder) Name() string { return "reorder" }

// Meaning implements LinkFault.
func (Reorder) Meaning() string { return "let this share of the messages be overtaken by the next one" }

func (f Reorder) String() string { return "reorder " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Reorder) Apply(_ Packet, rng *rand.Rand) Effect {
	if !chance(rng, f.Percent) {
		return Effect{}
	}
	return Effect{Reordered: true, Delay: reorderWaitMax}
}
