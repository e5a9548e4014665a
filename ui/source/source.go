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

// FirstElection is the virtual time within which a cluster is shown, with a
// leader or without.
const FirstElection = 10 * time.Second

// Source is where what is shown comes from: a living cluster and what is
// remembered of it, or a recording alone. Everything above it is the same for
// both, and for now and the past.
type Source struct {
	Cluster *cluster.Cluster // nil of a recording
	History *history.History
	Watch   *watch            // nil of a recording
	Reader  *recording.Reader // nil of a cluster
	Recheck *check.Recheck    // what a recording's events say of its verdicts, nil of a cluster
	// End is the last moment of a cluster that was left: what its history has
	// behind that is only how it was taken down.
	End trace.Position
	// Start is when a branch began.
	Start time.Duration
}

// Live shows a cluster, which is to be remembered from now on if it is not
// already, and has it elect its first leader as fast as it goes, so that there is
// something to see.
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

// Close ends the reading of a recording.
func (s Source) Close() {
	s.Reader.Close()
	s.Recheck.Close()
}

// First returns the first moment there is.
func (s Source) First() trace.Position {
	first, _ := s.History.Span()
	if s.Start > first.At {
		return trace.Position{Seq: s.History.SeqAt(s.Start), At: s.Start}
	}
	return first
}

// Now returns the latest moment there is.
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

// CopyLatest makes state the latest there is.
func (s Source) CopyLatest(state *trace.State) {
	if s.Cluster == nil {
		s.History.StateAt(s.Now().Seq, state)
		return
	}
	s.Cluster.Trace().CopyTo(state)
	state.At = max(state.At, s.Cluster.Clock().Now())
}

// Err says why the cluster has stopped by itself.
func (s Source) Err() error {
	if s.Cluster == nil {
		return nil
	}
	return s.Cluster.Clock().Err()
}

// Run lets the cluster's time run at a speed; 0 has it stand still.
func (s Source) Run(speed float64) {
	if s.Cluster != nil {
		s.Cluster.Clock().Run(speed)
	}
}

const (
	// StepLength is how much virtual time passes at once while the world steps to
	// its next event: short enough that hardly ever two things happen in it.
	StepLength = time.Millisecond
	// StepWithin is for how much virtual time a step waits for something to happen.
	StepWithin = time.Minute
)

// StepToNext lets time pass until something that matters happens after the event of
// that number, and returns the number of what did; 0 if nothing has within
// StepWithin. It takes real time, and is not called where the screen would wait.
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

// HistoryMB is how much memory the past takes unless it is told otherwise, and
// historyMBMax the most that it may be told; in megabytes.
const (
	HistoryMB    = history.DefaultBudget >> 20
	historyMBMax = 1 << 20
)

// CheckHistoryMB reports what is wrong with a size of the past, in megabytes.
func CheckHistoryMB(mb int64) error {
	if mb < 1 || mb > historyMBMax {
		return fmt.Errorf("--history %d: it must be from 1 to %d megabytes", mb, historyMBMax)
	}
	return nil
}
