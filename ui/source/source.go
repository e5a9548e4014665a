package source

import (
	"fmt"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// FirstElection is how much virtual time the first election gets before the cluster
// is shown without a leader.
const FirstElection = 10 * time.Second

// Source is what the screen shows: a live cluster with its history, or a recording.
type Source struct {
	Cluster *cluster.Cluster // nil for a recording
	History *history.History
	Watch   *watch            // nil for a recording
	Reader  *recording.Reader // nil for a cluster
	Recheck *check.Recheck    // judges a recording's events again; nil for a cluster
	// End is the last moment of a cluster the screen has left: later events in its
	// history only show how it was closed.
	End trace.Position
	// Start is the virtual time at which a branch began.
	Start time.Duration
}

// Live returns the source of a cluster. It gives the cluster a history if it has
// none, and runs the first election at full speed, so the first frame shows a
// leader.
func Live(c *cluster.Cluster) Source {
	s := Source{Cluster: c, History: c.History(), Watch: &watch{clock: c.Clock()}}
	c.Trace().Subscribe(s.Watch.see)
	if s.History == nil {
		s.History = history.New(history.DefaultBudget)
		c.Trace().AddSink(s.History)
	}
	c.AwaitLeader(FirstElection)
	return s
}

// Close closes the files of a recording.
func (s Source) Close() {
	s.Reader.Close()
	s.Recheck.Close()
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
	_, last := s.History.Span()
	if s.Cluster != nil {
		last.At = max(last.At, s.Cluster.Clock().Now())
	}
	return last
}

// CopyLatest copies the latest state into state.
func (s Source) CopyLatest(state *trace.State) {
	if s.Cluster == nil {
		s.History.StateAt(s.Now().Seq, state)
		return
	}
	s.Cluster.Trace().CopyTo(state)
	state.At = max(state.At, s.Cluster.Clock().Now())
}

// Err returns why the cluster has stopped by itself, nil if it has not.
func (s Source) Err() error {
	if s.Cluster == nil {
		return nil
	}
	return s.Cluster.Clock().Err()
}

// Run runs the cluster's clock at a speed, in virtual seconds per second; 0 pauses
// it.
func (s Source) Run(speed float64) {
	if s.Cluster != nil {
		s.Cluster.Clock().Run(speed)
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
		if s.Cluster.Clock().Advance(StepLength) != nil {
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
