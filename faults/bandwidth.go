package faults

import (
	"math/rand/v2"
	"time"
)

// Bandwidth limits a link: a packet occupies it for its size over BytesPerSecond, and those behind it wait. 0 or less is
// no limit. Commands spell the rate as ParseRate reads it: "bandwidth 64KB".
type Bandwidth struct{ BytesPerSecond int64 }

// Name returns "bandwidth".
func (Bandwidth) Name() string { return "bandwidth" }

// Meaning implements LinkFault.
func (Bandwidth) Meaning() string { return "carry only this many bytes a second; the rest queues" }

func (f Bandwidth) String() string { return "bandwidth " + FormatRate(f.BytesPerSecond) }

// Apply implements LinkFault.
func (f Bandwidth) Apply(p Packet, _ *rand.Rand) Effect {
	if f.BytesPerSecond <= 0 {
		return Effect{}
	}
	seconds := float64(p.SizeBytes) / float64(f.BytesPerSecond)
	return Effect{Occupies: time.Duration(seconds * float64(time.Second))}
}
