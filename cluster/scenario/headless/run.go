package headless

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// ErrInterrupted is the error of a run that its context has ended.
var ErrInterrupted = errors.New("interrupted")

// firstElection is the virtual time that a script waits for a leader before it
// starts without one.
const firstElection = 10 * time.Second

// RunRecorded runs a script as fast as virtual time allows and returns the events
// besides the result. Result.Events is the number of the last event that belongs
// to the run: what follows comes from closing the cluster. When ctx ends, so does
// the run. The error says why the run did not start or did not end by itself.
func RunRecorded(ctx context.Context, s *scenario.Script) (past *history.History, r Result, err error) {
	r, err = run(ctx, s, observers{past: &past, budget: history.DefaultBudget})
	return past, r, err
}

// observers receive what happens in a run. Each may be nil.
type observers struct {
	record *recording.Writer
	event  func(trace.Event)
	past   **history.History // set to the events, as far as budget bytes hold them
	budget int64
	clock  *atomic.Pointer[vtime.Clock] // set to the clock of the run
}

// run runs a script and reports to the observers.
func run(ctx context.Context, s *scenario.Script, o observers) (Result, error) {
	cfg := cluster.Config{Nodes: s.Nodes, Settings: s.Settings}
	return runCluster(ctx, s.Name, cfg, o, func(c *cluster.Inside) Result {
		return Result{Failures: s.PerformUnattended(c), asides: asides{expected: s.ExpectedViolations()}}
	})
}

// runCluster opens a cluster, runs f in it as fast as virtual time allows, and
// closes it. F returns the failures and the faults of the result, and runCluster
// adds the rest as it is when f returns.
func runCluster(ctx context.Context, name string, cfg cluster.Config, o observers, f func(*cluster.Inside) Result) (r Result, err error) {
	started := time.Now()
	cfg.Record, cfg.HistoryBudget = o.record, o.budget
	c, err := cluster.Open(cfg)
	if err != nil {
		return Result{}, err
	}
	defer func() {
		err = errors.Join(err, c.Close())
		if hang := c.Hang(); hang != "" {
			r.remarks = append(r.remarks, hang)
		}
	}()
	if o.event != nil {
		c.Trace().Subscribe(o.event)
	}
	if o.past != nil {
		*o.past = c.History()
	}
	if o.clock != nil {
		o.clock.Store(c.Clock())
	}
	c.AwaitLeader(firstElection)
	done := make(chan Result, 1)
	err = c.Go(func(c *cluster.Inside) {
		r := f(c)
		r.addState(c)
		done <- r
	})
	if err != nil {
		return Result{}, err
	}
	c.Clock().Run(vtime.Max)
	select {
	case r = <-done:
	case <-c.Clock().Done():
		return Result{}, c.Clock().Err()
	case <-ctx.Done():
		return Result{}, ErrInterrupted
	}
	r.Scenario, r.OK, r.Seed, r.Nodes = name, len(r.Failures) == 0, cfg.Settings.Seed, cfg.Nodes
	r.WallSeconds = time.Since(started).Seconds()
	r.Failures = append([]scenario.Failure{}, r.Failures...) // never null in JSON
	return r, nil
}
