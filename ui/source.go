package ui

import (
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// firstElection is the virtual time within which a cluster is shown, with a
// leader or without.
const firstElection = 10 * time.Second

// source is where what is shown comes from: a living cluster and what is
// remembered of it, or a recording alone. Everything above it is the same for
// both, and for now and the past.
type source struct {
	cluster *cluster.Cluster // nil of a recording
	history *history.History
	watch   *watch            // nil of a recording
	reader  *recording.Reader // nil of a cluster
	recount *check.Recheck    // what a recording's events say of its verdicts, nil of a cluster
	// end is the last moment of a cluster that was left: what its history has
	// behind that is only how it was taken down.
	end trace.Position
	// began is when a branch began.
	began time.Duration
}

// watch sees every event of a cluster as it happens, on the cluster's goroutines.
type watch struct {
	clock    *vtime.Clock
	mattered atomic.Uint64 // the number of the latest event that matters
	stirred  atomic.Int64  // when something to slow down for happened last
	auto     atomic.Bool   // the clock is to slow down for it
}

func (w *watch) see(e trace.Event) {
	if trace.IsSignificant(&e) {
		w.mattered.Store(e.Seq)
	}
	if isStirring(&e) {
		w.brake(&e)
	}
}

// living shows a cluster, which is to be remembered from now on if it is not
// already, and has it elect its first leader as fast as it goes, so that there is
// something to see.
func living(c *cluster.Cluster) source {
	s := source{cluster: c, history: c.History(), watch: &watch{clock: c.Clock()}}
	c.Trace().Subscribe(s.watch.see)
	if s.history == nil {
		s.history = history.New(history.DefaultBudget)
		c.Trace().AddSink(s.history)
	}
	c.AwaitLeader(firstElection)
	return s
}

// close ends the reading of a recording.
func (s source) close() {
	s.reader.Close()
	s.recount.Close()
}

// first returns the first moment there is.
func (s source) first() trace.Position {
	first, _ := s.history.Span()
	if s.began > first.At {
		return trace.Position{Seq: s.history.SeqAt(s.began), At: s.began}
	}
	return first
}

// now returns the latest moment there is.
func (s source) now() trace.Position {
	if s.end.Seq > 0 {
		return s.end
	}
	_, last := s.history.Span()
	if s.cluster != nil {
		last.At = max(last.At, s.cluster.Clock().Now())
	}
	return last
}

// present makes state the latest there is.
func (s source) present(state *trace.State) {
	if s.cluster == nil {
		s.history.StateAt(s.now().Seq, state)
		return
	}
	s.cluster.Trace().CopyTo(state)
	state.At = max(state.At, s.cluster.Clock().Now())
}

// stopped says why the cluster has stopped by itself.
func (s source) stopped() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Clock().Err()
}

// run lets the cluster's time run at a speed; 0 has it stand still.
func (s source) run(speed float64) {
	if s.cluster != nil {
		s.cluster.Clock().Run(speed)
	}
}

const (
	// stepLength is how much virtual time passes at once while the world steps to
	// its next event: short enough that hardly ever two things happen in it.
	stepLength = time.Millisecond
	// stepWithin is for how much virtual time a step waits for something to happen.
	stepWithin = time.Minute
)

// step lets time pass until something that matters happens after the event of
// that number, and returns the number of what did; 0 if nothing has within
// stepWithin. It takes real time, and is not called where the screen would wait.
func (s source) step(after uint64) uint64 {
	for range stepWithin / stepLength {
		if s.watch.mattered.Load() > after {
			next, _ := s.history.Next(after)
			return next
		}
		if s.cluster.Clock().Advance(stepLength) != nil {
			break
		}
	}
	return 0
}
