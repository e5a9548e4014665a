package headless

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// The load of a soak: three clients that together do ten operations a second,
// two of which are reads.
const (
	soakClients = 3
	soakRate    = 10
)

// isSoakRead says whether the n-th operation of a soak is a read.
func isSoakRead(n int) bool { return n%soakRate == 4 || n%soakRate == 9 }

const (
	// soakSettle is the virtual time after the harm within which all must agree.
	soakSettle = 2 * time.Minute
	// soakPollEvery is how often it is looked whether they do.
	soakPollEvery = 100 * time.Millisecond
	// soakForMax is the longest soak, in virtual time.
	soakForMax = 10_000 * time.Hour
)

// SoakConfig says what soak to run.
type SoakConfig struct {
	For      time.Duration // virtual
	Nodes    int
	Seed     int64
	Chaos    []string // what kinds of harm are done; none of them leaves Raft's fault model
	Trace    string   // the file that the events are written to, "" for none
	Terminal io.Writer
}

// Validate says what is wrong with the configuration, and what is allowed.
func (cfg SoakConfig) Validate() error {
	if cfg.For < time.Second || cfg.For > soakForMax {
		return fmt.Errorf("--for %s: it must be from 1s to %s", cfg.For, soakForMax)
	}
	if cfg.Nodes < 1 || cfg.Nodes > cluster.NodesMax {
		return fmt.Errorf("--nodes %d: a cluster has 1 to %d nodes", cfg.Nodes, cluster.NodesMax)
	}
	if err := scenario.ValidateChaos(cfg.Chaos); err != nil {
		return fmt.Errorf("--chaos: %w", err)
	}
	return nil
}

// Soak has clients work on a cluster while chaos does harm, then heals all of it
// and asks the checks, each of which must say ok. When ctx ends it does that earlier,
// and the error is [ErrInterrupted], with a result. Any other error says why it
// could not be started or ended by itself.
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
			return fmt.Sprintf("soak: %s of %s, %.0f times as fast as real time", c.Now().Round(time.Second), cfg.For, c.Now().Seconds()/time.Since(started).Seconds())
		}
		return "soak: starting"
	})
	defer stop()
	settings := cluster.DefaultSettings()
	settings.Storage, settings.Seed = cluster.Memory, cfg.Seed
	r, err := runCluster(context.WithoutCancel(ctx), "soak", cluster.Config{Nodes: cfg.Nodes, Settings: settings}, o, func(c *cluster.Inside) Result {
		s := &soak{c: c, nodes: c.Names(), until: c.Now() + cfg.For, cut: func() bool { return ctx.Err() != nil }}
		return s.run(cfg)
	})
	if err == nil && ctx.Err() != nil {
		err = ErrInterrupted
	}
	return r, err
}

// soak is one under way.
type soak struct {
	c        *cluster.Inside
	until    time.Duration
	cut      func() bool // whether to end before that
	nodes    []string    // those it began with
	failures []scenario.Failure
}

// run is the soak from its beginning to its verdict.
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
	var faults map[string]int
	if nemesis != nil {
		faults = nemesis.Stop()
	}
	s.settle()
	// What a client reads now, the clients' history must explain.
	if op := s.c.Read(cluster.LevelLinearizable, cluster.RouteLeader); op.Outcome != trace.OK {
		s.fail("read linearizable", "an answer once all is whole", op.Why)
	}
	s.c.AwaitVerdicts()
	state := s.c.Trace().State()
	s.failures = append(s.failures, scenario.VerdictFailures(scenario.Verdicts(&state), func(c trace.Check) bool { return c.Verdict != trace.VerdictOK })...)
	counts := map[string]int{} // of all kinds, those without a fault too
	for _, kind := range cfg.Chaos {
		counts[kind] = faults[kind]
	}
	return Result{Failures: s.failures, Faults: counts}
}

// over says whether the load is to end.
func (s *soak) over() bool { return s.c.Now() >= s.until || s.c.Closed() || s.cut() }

// client is one of the clients. They take turns; each waits for its answer before
// it goes on.
func (s *soak) client(k int) {
	const every = soakClients * time.Second / soakRate
	due := s.c.Now() + every*time.Duration(k)/soakClients
	for n := k; ; n += soakClients {
		if wait := due - s.c.Now(); wait > 0 {
			s.c.Sleep(wait)
		}
		if s.over() {
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

// settle takes back all harm, starts what is down, removes what was added, and
// waits until all nodes hold the same. A node that is behind for long is restarted
// once: raft may have left it stuck (the scenario stuck-follower).
func (s *soak) settle() {
	if err := s.c.HealEverything(); err != nil {
		s.fail("heal", "everything to be whole again", err.Error())
	}
	instead := ""
	patience, restarted := s.c.Now()+soakSettle/2, map[string]bool{}
	for deadline := s.c.Now() + soakSettle; s.c.Now() < deadline; s.c.Sleep(soakPollEvery) {
		state := s.c.Trace().State()
		if instead = unsettled(&state, s.nodes); instead == "" {
			return
		}
		for i := range state.Nodes {
			// What is refused now, like the start of a node that is still being ended,
			// is asked for again.
			switch n := &state.Nodes[i]; {
			case n.Process == trace.Removed:
			case !slices.Contains(s.nodes, n.ID):
				_ = s.c.RemoveNode(n.ID) // a change of members that had no answer left it behind
			case n.Process == trace.Paused:
				_ = s.c.Resume(n.ID)
			case !n.Process.Running():
				_ = s.c.Restart(n.ID)
			case s.c.Now() > patience && n.Commit < state.Commit && !restarted[n.ID]:
				restarted[n.ID] = true
				_ = s.c.Kill(n.ID)
			}
		}
	}
	s.fail("wait converged", fmt.Sprintf("all nodes to hold the same within %s", soakSettle), instead)
}

// unsettled says which of the nodes are not up and do not hold the same, all of it
// committed, and which others there are; "" if there is none.
func unsettled(s *trace.State, nodes []string) string {
	var down []string
	for i := range s.Nodes {
		switch n := &s.Nodes[i]; {
		case n.Process == trace.Removed:
		case !slices.Contains(nodes, n.ID):
			down = append(down, n.ID+" is there still")
		case n.Process != trace.Up:
			down = append(down, fmt.Sprintf("%s is %s", n.ID, n.Process))
		}
	}
	if len(down) > 0 {
		return strings.Join(down, ", ")
	}
	return scenario.NotConverged(s)
}
