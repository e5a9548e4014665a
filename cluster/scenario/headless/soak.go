package headless

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// The load of a soak: three clients that together carry out ten operations a
// second, two of which are reads.
const (
	soakClients = 3
	soakRate    = 10
)

// isSoakRead reports whether the n-th operation of a soak is a read.
func isSoakRead(n int) bool { return n%soakRate == 4 || n%soakRate == 9 }

// soakForMax is the longest soak, in virtual time.
const soakForMax = 10_000 * time.Hour

// SoakConfig describes a soak.
type SoakConfig struct {
	For      time.Duration // virtual time
	Nodes    int
	Seed     int64
	Chaos    []string  // kinds of faults to inject, of scenario.ChaosKinds
	Trace    string    // the file to write the events to, "" for none
	Terminal io.Writer // shows the progress; may be nil
}

// Validate returns an error if an option is out of range.
func (cfg SoakConfig) Validate() error {
	if cfg.For < time.Second || cfg.For > soakForMax {
		return fmt.Errorf("--for %s: must be from 1s to %s", cfg.For, soakForMax)
	}
	if cfg.Nodes < 1 || cfg.Nodes > cluster.NodesMax {
		return fmt.Errorf("--nodes %d: must be from 1 to %d", cfg.Nodes, cluster.NodesMax)
	}
	if err := scenario.ValidateChaos(cfg.Chaos); err != nil {
		return fmt.Errorf("--chaos: %w", err)
	}
	return nil
}

// Soak injects random faults into a cluster under load, heals them, and requires
// every check to be ok. When ctx ends it heals and checks at once, and returns the
// result with [ErrInterrupted]. Any other error says why the soak did not start or
// did not end by itself.
func Soak(ctx context.Context, cfg SoakConfig) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	var clock atomic.Pointer[vtime.Clock]
	o := observers{clock: &clock}
	if cfg.Trace != "" {
		var err error
		if o.record, err = recording.Create(cfg.Trace, cfg.Seed); err != nil {
			return Result{}, scenario.FileError(cfg.Trace, err)
		}
		defer func() { _ = o.record.Close() }() // closed already, unless there is another error
	}
	started := time.Now()
	stop := showProgress(cfg.Terminal, func() string {
		if c := clock.Load(); c != nil {
			return fmt.Sprintf("soak: %s of %s, %.0fx real time", c.Now().Round(time.Second), cfg.For, c.Now().Seconds()/time.Since(started).Seconds())
		}
		return "soak: starting"
	})
	defer stop()
	settings := cluster.DefaultSettings()
	settings.Storage, settings.Seed = cluster.Memory, cfg.Seed
	r, err := runCluster(context.WithoutCancel(ctx), "soak", cluster.Config{Nodes: cfg.Nodes, Settings: settings}, o, func(c *cluster.Inside) Result {
		s := &soak{c: c, nodes: c.Names(), until: c.Now() + cfg.For, interrupted: func() bool { return ctx.Err() != nil }}
		return s.run(cfg)
	})
	if err == nil && ctx.Err() != nil {
		r.OK, r.Interrupted = false, true
		err = ErrInterrupted
	}
	return r, err
}

// soak is a running soak.
type soak struct {
	c           *cluster.Inside
	until       time.Duration // virtual time at which the load ends
	interrupted func() bool   // reports whether it ends before that
	nodes       []string      // the members at the start
	failures    []scenario.Failure
}

// run runs the soak from the first fault to the verdicts.
func (s *soak) run(cfg SoakConfig) Result {
	var nemesis *scenario.Nemesis
	if len(cfg.Chaos) > 0 {
		rng := rand.New(rand.NewPCG(uint64(cfg.Seed), 1))
		nemesis = scenario.StartNemesis(s.c, rng, cfg.Chaos, scenario.NemesisEvery)
	}
	var clients sync.WaitGroup
	for k := range soakClients {
		clients.Add(1)
		s.c.Go(func() {
			defer clients.Done()
			s.client(k)
		})
	}
	clients.Wait()
	var injected map[string]int
	if nemesis != nil {
		injected = nemesis.Stop()
	}
	s.settle()
	// The history of the clients must explain what one of them reads now.
	if op := s.c.Read(cluster.LevelLinearizable, cluster.RouteLeader); op.Outcome != trace.OK {
		s.fail("read linearizable", "a reply after healing", op.Why)
	}
	s.c.AwaitVerdicts()
	state := s.c.Trace().State()
	isNotOK := func(c trace.Check) bool { return c.Verdict != trace.VerdictOK }
	s.failures = append(s.failures, scenario.VerdictFailures(scenario.Verdicts(&state), isNotOK)...)
	counts := map[string]int{} // also of the kinds that were never injected
	for _, kind := range cfg.Chaos {
		counts[kind] = injected[kind]
	}
	return Result{Failures: s.failures, Faults: counts}
}

// isOver reports whether the load must end.
func (s *soak) isOver() bool { return s.c.Now() >= s.until || s.c.Closed() || s.interrupted() }

// client is client k of the load. The clients take turns, and each waits for the
// outcome of its operation.
func (s *soak) client(k int) {
	const every = soakClients * time.Second / soakRate
	due := s.c.Now() + every*time.Duration(k)/soakClients
	for n := k; ; n += soakClients {
		if wait := due - s.c.Now(); wait > 0 {
			s.c.Sleep(wait)
		}
		if s.isOver() {
			return
		}
		if isSoakRead(n) {
			s.c.Read(cluster.LevelLinearizable, cluster.RouteLeader)
		} else {
			s.c.Add(1, cluster.RouteLeader)
		}
		due = max(due+every, s.c.Now())
	}
}

func (s *soak) fail(text, want, got string) {
	s.failures = append(s.failures, scenario.Failure{Text: text, Want: want, Got: got})
}
