package faults

import (
	"math/rand/v2"
	"time"
)

// reorderWaitMax is how long a reordered packet waits for a later one to overtake it. It
// is twice Raft's usual heartbeat interval, so on an idle link the next heartbeat mostly
// does.
const reorderWaitMax = 200 * time.Millisecond

// Reorder picks each packet with a probability of Percent, from 0 to 100. A picked packet
// steps aside until a later one has overtaken it, or for 200 ms if none does.
type Reorder struct{ Percent float64 }

// Name returns "reorder".
func (Reorder) Name() string { return "reorder" }

// Meaning implements LinkFault.
func (Reorder) Meaning() string { return "let the next message overtake this percentage of messages" }

func (f Reorder) String() string { return "reorder " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Reorder) Apply(_ Packet, rng *rand.Rand) Effect {
	if !chance(rng, f.Percent) {
		return Effect{}
	}
	return Effect{Reordered: true, Delay: reorderWaitMax}
}
