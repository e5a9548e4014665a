package scenario

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
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

// Soak is random faults under load, and then the question whether the cluster has survived
// them.
type Soak struct {
	For   time.Duration `json:"for"`   // virtual time
	Chaos []string      `json:"chaos"` // kinds of faults to inject, of ChaosKinds
}

// Validate returns an error if an option is out of range.
func (s Soak) Validate() error {
	if s.For < time.Second || s.For > soakForMax {
		return fmt.Errorf("--for %s: must be from 1s to %s", s.For, soakForMax)
	}
	if err := ValidateChaos(s.Chaos); err != nil {
		return fmt.Errorf("--chaos: %w", err)
	}
	return nil
}

// Perform injects faults into a cluster under load, heals them, and requires every check to be
// ok. It runs inside virtual time. Once interrupted reports true, it heals and checks at once.
// It returns the failures, and the number of injected faults by kind.
func (s Soak) Perform(c *cluster.Inside, seed int64, interrupted func() bool) ([]Failure, map[string]int) {
	running := &soak{c: c, nodes: c.Names(), until: c.Now() + s.For, interrupted: interrupted}
	injected := running.run(s.Chaos, seed)
	return running.failures, injected
}

// soak is a running soak.
type soak struct {
	c           *cluster.Inside
	until       time.Duration // virtual time at which the load ends
	interrupted func() bool   // reports whether it ends before that
	nodes       []string      // the members at the start
	failures    []Failure
}

// run runs the soak from the first fault to the verdicts. It returns the number of faults of each
// kind, also of those never injected.
func (s *soak) run(chaos []string, seed int64) map[string]int {
	var nemesis *Nemesis
	if len(chaos) > 0 {
		nemesis = StartNemesis(s.c, rand.New(rand.NewPCG(uint64(seed), 1)), chaos, NemesisEvery)
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
	s.failures = append(s.failures, VerdictFailures(Verdicts(&state), isNotOK)...)
	counts := map[string]int{}
	for _, kind := range chaos {
		counts[kind] = injected[kind]
	}
	return counts
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
	s.failures = append(s.failures, Failure{Text: text, Want: want, Got: got})
}
