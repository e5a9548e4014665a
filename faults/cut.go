package faults

import "math/rand/v2"

// Cut is a black hole: every packet is lost, and callers wait until their deadlines.
type Cut struct{}

// Name returns "cut".
func (Cut) Name() string { return "cut" }

// Meaning implements LinkFault.
func (Cut) Meaning() string { return "drop every message silently" }

func (Cut) String() string { return "cut" }

// Apply implements LinkFault.
func (Cut) Apply(Packet, *rand.Rand) Effect { return Effect{Lost: "cut"} }
