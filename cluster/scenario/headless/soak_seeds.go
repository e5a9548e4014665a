package headless

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace/history"
)

// SeedsConfig describes a soak with many seeds.
type SeedsConfig struct {
	SoakConfig        // its seed and its trace are not used
	Seeds      Seeds  // to run
	Jobs       int    // how many run at once
	Version    string // of the exact engine, or of the program
	Found      Found  // keeps the failing runs
	// Each receives each result as soon as it is there, one at a time. It may be nil.
	Each func(Result) error
}

// JobsMax is the largest number of runs at once.
const JobsMax = 1024

// Validate returns an error if an option is out of range, or if no failing run could be kept.
func (cfg SeedsConfig) Validate() error {
	if err := cfg.SoakConfig.Validate(); err != nil {
		return err
	}
	if cfg.Jobs < 1 || cfg.Jobs > JobsMax {
		return fmt.Errorf("--jobs %d: must be from 1 to %d", cfg.Jobs, JobsMax)
	}
	if err := cfg.Found.Check(); err != nil {
		return fmt.Errorf("--found %w", err)
	}
	return nil
}

// share returns what the results of all seeds have in common.
func (cfg SeedsConfig) share() Share {
	return Share{
		Seeds: cfg.Seeds.Range(), Shard: cfg.Seeds.ShardText(), Version: cfg.Version,
		Script: strings.Join(append(cfg.setup(), cfg.Command()), "; "),
	}
}

// SoakSeeds runs a soak for each seed of a shard. A run that ends by itself in the middle, as by a
// panic, counts as failed. When ctx ends, the runs that have not ended are dropped, and the error is
// [ErrInterrupted]; the summary says how far it came. Any other error says why a run did not start,
// or what could not be written.
func SoakSeeds(ctx context.Context, cfg SeedsConfig) (*Summary, error) {
	m := &manySeeds{cfg: cfg, share: cfg.share(), running: make([]atomic.Pointer[engine.Engine], cfg.Jobs), started: time.Now()}
	m.summary.Share, m.summary.Of = m.share, cfg.Seeds.Count()
	if err := cfg.Validate(); err != nil {
		return &m.summary, err
	}
	ctx, m.cancel = context.WithCancelCause(ctx)
	defer m.cancel(nil)
	next, stop := iter.Pull(cfg.Seeds.All())
	defer stop()
	m.next = next
	hide := ShowProgress(cfg.Terminal, m.progress)
	var jobs sync.WaitGroup
	for k := range int(min(int64(cfg.Jobs), m.summary.Of)) {
		jobs.Go(func() { m.work(ctx, k) })
	}
	jobs.Wait()
	hide()
	m.summary.Wall = time.Since(m.started)
	switch cause := context.Cause(ctx); {
	case cause == nil || m.summary.Done == m.summary.Of && errors.Is(cause, context.Canceled):
		return &m.summary, nil
	case errors.Is(cause, context.Canceled):
		return &m.summary, ErrInterrupted
	default:
		return &m.summary, cause
	}
}

// manySeeds is a running soak with many seeds.
type manySeeds struct {
	cfg     SeedsConfig
	share   Share
	started time.Time
	cancel  context.CancelCauseFunc
	running []atomic.Pointer[engine.Engine] // by job

	mu      sync.Mutex // guards what follows
	next    func() (seed int64, more bool)
	summary Summary
}

// work runs one seed after the other.
func (m *manySeeds) work(ctx context.Context, job int) {
	for ctx.Err() == nil {
		m.mu.Lock()
		seed, more := m.next()
		m.mu.Unlock()
		if !more {
			return
		}
		r, err := m.one(ctx, job, seed)
		switch {
		case errors.Is(err, ErrInterrupted):
			return
		case err == nil:
			err = m.add(r)
		}
		if err != nil {
			m.cancel(err)
		}
	}
}

// add adds a result, and passes it on.
func (m *manySeeds) add(r Result) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.summary.add(&r)
	if m.cfg.Each == nil {
		return nil
	}
	return m.cfg.Each(r)
}

// pastBytes bounds the events of a native run in memory. A soak of ten minutes takes a tenth of it;
// of a longer one, the oldest events go first.
const pastBytes = 64 << 20

// one runs a seed, and keeps the run if it fails.
func (m *manySeeds) one(ctx context.Context, job int, seed int64) (Result, error) {
	script, err := m.cfg.Script("soak", seed, "")
	if err != nil {
		return Result{}, err
	}
	var past *history.History
	o := observers{engine: &m.running[job]}
	if m.cfg.Exact == "" && m.cfg.Found.Dir != "" {
		o.past, o.budget = &past, pastBytes // it does not repeat
	}
	opened := false
	open := func(cfg cluster.Config, options engine.Options) (engine.Engine, error) {
		e, err := m.cfg.Open(cfg, options)
		opened = err == nil
		return e, err
	}
	r, err := run(ctx, open, script, o)
	m.running[job].Store(nil)
	switch {
	case err == nil:
	case !opened || ctx.Err() != nil:
		return r, err
	default: // the run has ended by itself, which is a finding too
		r = m.died(seed, err)
	}
	share := m.share
	r.Share = &share
	if r.OK {
		return r, nil
	}
	found := Finding{Name: fmt.Sprint(seed), Script: script, Result: r}
	if m.cfg.Exact != "" && r.Fingerprint != "" {
		found.Trace = RecordAgain(ctx, m.cfg.Open, m.cfg.Exact, script, r.Fingerprint)
	} else if past != nil {
		found.Trace = RecordHistory(past, r)
	}
	name, err := m.cfg.Found.Keep(found)
	r.addFound(name)
	if name != "" && errors.Is(err, ErrInterrupted) {
		err = nil // the finding is there, without its trace
	}
	return r, err
}

// died is the result of a run that has ended by itself.
func (m *manySeeds) died(seed int64, err error) Result {
	mode := engine.NativeMode
	if m.cfg.Exact != "" {
		mode = engine.ExactMode
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	return Result{
		Scenario: "soak", Identity: Identity{Mode: mode, Seed: seed}, Nodes: m.cfg.Nodes,
		Checks: map[string]string{}, Faults: map[string]int{},
		Failures: []scenario.Failure{{Text: "soak", Want: "the run to end", Got: text}},
	}
}

// progress describes in one line how far the runs are.
func (m *manySeeds) progress() string {
	var under float64 // virtual seconds of the runs under way
	for i := range m.running {
		if e := m.running[i].Load(); e != nil {
			under += (*e).Now().Seconds()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.summary
	elapsed := time.Since(m.started).Seconds()
	virtual := s.VirtualSeconds + under
	text := fmt.Sprintf("%d of %d seeds, %d failed, %.0fx real time", s.Done, s.Of, len(s.Failed), virtual/elapsed)
	if left := float64(s.Of)*m.cfg.For.Seconds() - virtual; virtual > 0 {
		text += fmt.Sprintf(", %s left", time.Duration(max(left, 0)*elapsed/virtual*float64(time.Second)).Round(time.Second))
	}
	if len(s.Faults) > 0 {
		text += "; " + describeFaults(s.Faults)
	}
	return text
}
