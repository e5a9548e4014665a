package source

import (
	"sync/atomic"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

const (
	// AutoSlow is the speed to which the automatic speed slows down at a notable
	// event, in virtual seconds per second.
	AutoSlow = 0.1
	// AutoHold is how long it stays slow, in virtual time.
	AutoHold = 300 * time.Millisecond
)

// watch sees every event of a cluster as it happens, on the cluster's goroutines.
type watch struct {
	clock       engine.Clock
	significant atomic.Uint64 // number of the latest significant event
	NotableAt   atomic.Int64  // virtual time of the latest notable event, in nanoseconds
	Auto        atomic.Bool   // the clock slows down at notable events
}

func (w *watch) see(e trace.Event) {
	if trace.IsSignificant(&e) {
		w.significant.Store(e.Seq)
	}
	if IsNotable(&e) {
		w.slowDown(&e)
	}
}

// IsNotable reports whether the automatic speed slows down for an event: an election,
// a node that starts or stops, a truncated log, a violated check.
func IsNotable(e *trace.Event) bool {
	switch e.Kind {
	case trace.KindProcess, trace.KindRole, trace.KindVote, trace.KindTruncated, trace.KindInstalled:
		return true
	case trace.KindVerdict:
		return e.Verdict == trace.VerdictViolated
	default:
		return false
	}
}

// slowDown slows the clock at once, without waiting for the next frame: at full speed
// an election would be over by then.
func (w *watch) slowDown(e *trace.Event) {
	w.NotableAt.Store(int64(e.At))
	if w.Auto.Load() && w.clock.Speed() > AutoSlow {
		w.clock.Run(AutoSlow)
	}
}
