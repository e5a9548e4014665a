package trace

import "time"

// Position is a moment in a trace: just after the event of that number.
type Position struct {
	Seq uint64
	At  time.Duration
}
