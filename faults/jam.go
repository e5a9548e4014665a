package faults

import "math/rand/v2"

// Jam holds every packet. Once it is cleared they all arrive at once and in order, stale
// ones too: a request is delivered even if its caller has long given up.
type Jam struct{}

// Name returns "jam".
func (Jam) Name() string { return "jam" }

// Meaning implements LinkFault.
func (Jam) Meaning() string { return "hold every message, then release them all at once and in order" }

func (Jam) String() string { return "jam" }

// Apply implements LinkFault.
func (Jam) Apply(Packet, *rand.Rand) Effect { return Effect{Held: true} }
