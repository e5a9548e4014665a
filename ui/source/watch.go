package source

import (
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

const (
	// AutoSlow is how fast time runs where something happens, if the speed is left
	// to what happens.
	AutoSlow = 0.1
	// AutoHold is for how long in virtual time it runs so.
	AutoHold = 300 * time.Millisecond
)

// watch sees every event of a cluster as it happens, on the cluster's goroutines.
type watch struct {
	clock       *vtime.Clock
	significant atomic.Uint64 // the number of the latest event that matters
	NotableAt   atomic.Int64  // when something to slow down for happened last
	Auto        atomic.Bool   // the clock is to slow down for it
}

func (w *watch) see(e trace.Event) {
	if trace.IsSignificant(&e) {
		w.significant.Store(e.Seq)
	}
	if IsNotable(&e) {
		w.slowDown(&e)
	}
}

// IsNotable says whether an event is one to slow down for: an election, a life
// that begins or ends, a log that is cut off, a broken promise.
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

// slowDown slows the clock down at once, on the cluster's goroutines: at full speed
// an election is over before the next frame.
func (w *watch) slowDown(e *trace.Event) {
	w.NotableAt.Store(int64(e.At))
	if w.Auto.Load() && w.clock.Speed() > AutoSlow {
		w.clock.Run(AutoSlow)
	}
}
