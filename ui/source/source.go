package source

import (
	"fmt"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Source is what the screen shows: a live cluster with its history, or a recording.
type Source struct {
	Engine  engine.Engine
	History *history.History
	Watch   *watch // nil for a recording
	// End is the last moment of a cluster the screen has left: later events in its
	// history only show how it was closed.
	End trace.Position
	// Start is the virtual time at which a branch began.
	Start time.Duration
}

// Live returns the source of a cluster, which must keep a history. It runs the first
// election at full speed, so the first frame of a new cluster shows a leader.
func Live(e engine.Engine) Source {
	s := watched(e)
	if e.Now() == 0 {
		engine.AwaitLeader(e, engine.FirstElection)
	}
	return s
}

// watched returns the source of a cluster as it is.
func watched(e engine.Engine) Source {
	s := Source{Engine: e, History: e.History(), Watch: &watch{clock: e}}
	e.Subscribe(s.Watch.see)
	return s
}

// IsLive reports whether a cluster runs that takes commands: it is neither a recording nor a
// cluster that the screen has left.
func (s Source) IsLive() bool { return s.Engine.Mode() != engine.RecordingMode && s.End.Seq == 0 }

// IsExact reports whether the run repeats from its seed.
func (s Source) IsExact() bool { return s.Engine.Mode() == engine.ExactMode }

// IsRealTime reports whether the cluster's nodes are processes: its clock neither stops nor has a
// speed.
func (s Source) IsRealTime() bool {
	return s.Engine != nil && s.Engine.Mode() == engine.ProcessesMode && s.IsLive()
}

// First returns the first moment that can be shown.
func (s Source) First() trace.Position {
	first, _ := s.History.Span()
	if s.Start > first.At {
		return trace.Position{Seq: s.History.SeqAt(s.Start), At: s.Start}
	}
	return first
}

// Now returns the latest moment.
func (s Source) Now() trace.Position {
	if s.End.Seq > 0 {
		return s.End
	}
	at := s.Engine.Now() // first, so that no event before it is missing
	_, last := s.History.Span()
	last.At = max(last.At, at)
	return last
}

// CopyLatest copies the latest state into state.
func (s Source) CopyLatest(state *trace.State) {
	if s.End.Seq > 0 {
		s.History.StateAt(s.End.Seq, state)
		return
	}
	s.Engine.CopyTo(state)
	state.At = max(state.At, s.Engine.Now())
}

// Err returns why the cluster has stopped by itself, nil if it has not.
func (s Source) Err() error {
	if !s.IsLive() {
		return nil
	}
	return s.Engine.Err()
}

// Run runs the cluster's clock at a speed, in virtual seconds per second; 0 pauses
// it.
func (s Source) Run(speed float64) {
	if s.IsLive() {
		s.Engine.Run(speed)
	}
}

const (
	// StepLength is the virtual time that passes at once while the cluster steps to
	// its next event: so short that two events rarely fall into it.
	StepLength = time.Millisecond
	// StepWithin is how much virtual time a step waits for an event.
	StepWithin = time.Minute
)

// StepToNext advances the clock until the next significant event after event after,
// and returns its number, or 0 if none happens within StepWithin. It takes real time,
// so the screen never calls it from Update.
func (s Source) StepToNext(after uint64) uint64 {
	for range StepWithin / StepLength {
		if s.Watch.significant.Load() > after {
			next, _ := s.History.Next(after)
			return next
		}
		if s.Engine.Advance(StepLength) != nil {
			break
		}
	}
	return 0
}

// HistoryMB is the default size of the history, and historyMBMax the largest, in
// megabytes.
const (
	HistoryMB    = history.DefaultBudget >> 20
	historyMBMax = 1 << 20
)

// CheckHistoryMB validates the flag --history, a size in megabytes.
func CheckHistoryMB(mb int64) error {
	if mb < 1 || mb > historyMBMax {
		return fmt.Errorf("--history %d: must be from 1 to %d megabytes", mb, historyMBMax)
	}
	return nil
}
