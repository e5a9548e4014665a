package headless

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
	"capsize/counter"
)

// ErrInterrupted is the error of a run that its context has ended.
var ErrInterrupted = errors.New("interrupted")

// Run runs a script as fast as virtual time allows. When ctx ends, so does the run, with
// [ErrInterrupted]. The sink, which may be nil, receives what happens. Any other error says why the
// run did not start or did not end by itself.
func Run(ctx context.Context, open engine.Opener, s *scenario.Script, sink trace.Sink) (Result, error) {
	return run(ctx, open, s, observers{sink: sink})
}

// RunRecorded runs a script as fast as virtual time allows and returns the events
// besides the result. Result.Events is the number of the last event that belongs
// to the run: what follows comes from closing the cluster. When ctx ends, so does
// the run. The error says why the run did not start or did not end by itself.
func RunRecorded(ctx context.Context, open engine.Opener, s *scenario.Script) (past *history.History, r Result, err error) {
	r, err = run(ctx, open, s, observers{past: &past, budget: history.DefaultBudget})
	return past, r, err
}

// awaitLeader is [engine.AwaitLeader] for the first election, until ctx ends: in real time it takes
// long.
func awaitLeader(ctx context.Context, e engine.Engine) {
	const chunk = 100 * time.Millisecond
	for waited := time.Duration(0); waited < engine.FirstElection && ctx.Err() == nil; waited += chunk {
		if engine.AwaitLeader(e, chunk) {
			return
		}
	}
}

// observers receive what happens in a run. Each may be nil.
type observers struct {
	record *recording.Writer
	event  func(trace.Event)
	sink   trace.Sink
	past   **history.History // set to the events, as far as budget bytes hold them
	budget int64
	engine *atomic.Pointer[engine.Engine] // set to the engine of the run
	// judged is set for a soak that ends early when its context ends, and is judged all the same.
	judged bool
}

// run opens a cluster, performs a script in it as fast as virtual time allows, and closes it. It
// reports to the observers. When ctx ends, so does the run.
func run(ctx context.Context, open engine.Opener, s *scenario.Script, o observers) (r Result, err error) {
	if ctx.Err() != nil && !o.judged {
		return Result{}, ErrInterrupted // a cluster would only have to be closed again
	}
	started := time.Now()
	cfg := cluster.Config{Nodes: s.Nodes, Settings: s.Settings}
	cfg.Record, cfg.HistoryBudget, cfg.Sink = o.record, o.budget, o.sink
	e, err := open(cfg, engine.Options{Ends: true})
	if err != nil {
		return Result{}, err
	}
	defer func() {
		err = engine.JoinClose(err, e.Close())
		if remark := e.Remark(); remark != "" {
			r.remarks = append(r.remarks, remark)
		}
		if counter.Canary {
			r.remarks = append(r.remarks, "canary build: it has a bug on purpose")
		}
	}()
	if o.event != nil {
		e.Subscribe(o.event)
	}
	questions := collectQuestions(e, s)
	if o.past != nil {
		*o.past = e.History()
	}
	if o.engine != nil {
		o.engine.Store(&e)
	}
	awaitLeader(ctx, e)
	done := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Scenario: s}, func(a engine.Answer) { done <- a })
	e.Run(vtime.Max)
	interrupted := ctx.Done()
	for {
		select {
		case a := <-done:
			switch {
			case e.Err() != nil:
				return Result{}, e.Err()
			case a.End.Err != nil:
				return Result{}, a.End.Err
			}
			r = resultOf(e, s, a)
			r.Questions = *questions // all came before the answer
			r.Seed, r.Nodes, r.WallSeconds = cfg.Settings.Seed, cfg.Nodes, time.Since(started).Seconds()
			return r, nil
		case <-interrupted:
			if !o.judged {
				return Result{}, ErrInterrupted
			}
			e.Submit(engine.Order{EndSoak: true}, func(engine.Answer) {})
			interrupted = nil
		}
	}
}
