package faults

import "math/rand/v2"

// Refuse turns every packet away, and its caller gets ErrRefused at once. That goes for a reply too, as when a
// connection is reset after the request went through.
type Refuse struct{}

// Name returns "refuse".
func (Refuse) Name() string { return "refuse" }

// Meaning implements LinkFault.
func (Refuse) Meaning() string { return "turn every message away, with an error to the caller at once" }

func (Refuse) String() string { return "refuse" }

// Apply implements LinkFault.
func (Refuse) Apply(Packet, *rand.Rand) Effect { return Effect{Lost: "refused", Refused: true} }
