package faults

import "time"

// Slow makes every write take Latency longer than it does on the healthy disk. Reads are not slowed: what a node reads it
// wrote recently or read when it started, so an operating system serves it from memory.
type Slow struct {
	noFault
	Latency time.Duration
}

func (f Slow) String() string { return "slow " + f.Latency.String() }

func (f Slow) writeTime(fsync time.Duration) time.Duration { return fsync + max(f.Latency, 0) }
