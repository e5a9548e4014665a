package faults

import "math/rand/v2"

// Refuse rejects every packet, and the caller gets ErrRefused at once. A refused reply
// fails its RPC too, as when a connection is reset after the request got through.
type Refuse struct{}

// Name returns "refuse".
func (Refuse) Name() string { return "refuse" }

// Meaning implements LinkFault.
func (Refuse) Meaning() string { return "reject every message; the caller gets an error at once" }

func (Refuse) String() string { return "refuse" }

// Apply implements LinkFault.
func (Refuse) Apply(Packet, *rand.Rand) Effect { return Effect{Lost: "refused", Refused: true} }
