package shrink

import (
	"context"
	"errors"
	"slices"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
)

// Exact returns a runner whose runs repeat, on exact engines that open starts. A run in which the
// engine ends by itself has failed, with "run" as the command.
func Exact(open engine.Opener) Runner {
	return func(ctx context.Context, t Trial) (Outcome, error) {
		s, err := scenario.Parse("", []byte(t.Text))
		if err != nil {
			return Outcome{}, err
		}
		run, stop := context.WithCancel(ctx)
		defer stop()
		opened := false
		w := &watch{trial: t, stop: stop}
		r, err := headless.Run(run, func(cfg cluster.Config, options engine.Options) (engine.Engine, error) {
			e, err := open(cfg, options)
			opened = err == nil
			return e, err
		}, s, w)
		switch {
		case ctx.Err() != nil:
			return Outcome{}, headless.ErrInterrupted
		case w.stopped:
		case err == nil:
			w.out.Failures = r.Failures
			w.out.At = max(w.out.At, time.Duration(r.VirtualSeconds*float64(time.Second)))
		case opened:
			w.out.Failures = []scenario.Failure{{Text: "run", Want: "the run to end", Got: err.Error()}}
		default:
			return Outcome{}, err
		}
		if t.Goal.Check == "" {
			w.out.Fails = slices.ContainsFunc(w.out.Failures, func(f scenario.Failure) bool { return goalOf(f) == t.Goal })
		}
		return w.out, nil
	}
}

// watch follows a run, and stops it as soon as its goal is reached.
type watch struct {
	trial   Trial
	stop    context.CancelFunc
	stopped bool
	out     Outcome
}

// Start implements [trace.Sink].
func (w *watch) Start(*trace.State) {}

// recorded are the kinds of events that say what happened to the cluster.
var recorded = []trace.Kind{trace.KindCommand, trace.KindLinkFault, trace.KindProcess, trace.KindDiskFault, trace.KindRole, trace.KindInvoked}

// Add implements [trace.Sink].
func (w *watch) Add(e *trace.Event, _ *trace.State) {
	if w.isOver(e.At) {
		return
	}
	if w.trial.Record && slices.Contains(recorded, e.Kind) {
		w.out.Events = append(w.out.Events, *e)
	}
	switch {
	case e.Kind == trace.KindCommand:
		w.out.Begun++
		w.out.BegunAt = e.At
	case e.Kind == trace.KindVerdict && e.Verdict == trace.VerdictViolated && !slices.Contains(w.out.Violated, e.Check):
		w.out.Violated = append(w.out.Violated, e.Check)
		if w.trial.Goal.Check == e.Check {
			w.out.Fails, w.stopped = true, true
			w.stop()
		}
	}
}

// AddPacket implements [trace.Sink].
func (w *watch) AddPacket(p *trace.Packet, s *trace.State) {
	if w.isOver(s.At) || !w.trial.Record || p.Kind != "timeout-now" || p.Reply || p.Status != trace.Sent {
		return
	}
	packet := *p
	w.out.Events = append(w.out.Events, trace.Event{Seq: s.Seq, At: s.At, Kind: trace.KindPacket, Packet: &packet})
}

// isOver reports whether the run has reached its goal, or its time is over.
func (w *watch) isOver(at time.Duration) bool {
	if w.stopped {
		return true
	}
	if w.trial.Until > 0 && at > w.trial.Until {
		w.stopped = true
		w.stop()
		return true
	}
	w.out.At = at
	return false
}

var _ trace.Sink = (*watch)(nil)

// isInterrupted reports whether an error says that a run was interrupted.
func isInterrupted(err error) bool {
	return errors.Is(err, headless.ErrInterrupted) || errors.Is(err, context.Canceled)
}
