package faults

import "time"

// Slow makes every write take Latency longer than on a healthy disk. It does not slow
// reads: a node reads what it wrote recently or read at startup, so an operating system
// serves those reads from memory.
type Slow struct {
	noFault
	Latency time.Duration
}

func (f Slow) String() string { return "slow " + f.Latency.String() }

func (f Slow) writeTime(fsync time.Duration) time.Duration { return fsync + max(f.Latency, 0) }
