package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"
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

// The shortest and the longest soak, in virtual time.
const (
	soakLeast = time.Second
	soakMost  = 10_000 * time.Hour
)

// Soak is random faults under load, and then the question whether the cluster has survived
// them. It is the command `soak` of the language.
type Soak struct {
	For   time.Duration // virtual time
	Chaos []string      // kinds of faults to inject, of ChaosKinds; none for load without faults
}

// Validate returns an error if an option is out of range.
func (s Soak) Validate() error {
	if s.For < soakLeast || s.For > soakMost {
		return fmt.Errorf("--for %s: must be from %s to %s", s.For, soakLeast, soakMost)
	}
	if err := ValidateChaos(s.Chaos); err != nil {
		return fmt.Errorf("--chaos: %w", err)
	}
	return nil
}

// Command returns the soak as a line of the language.
func (s Soak) Command() string {
	return strings.Join(append([]string{"soak", shortDuration(s.For)}, s.Chaos...), " ")
}

// shortDuration returns a duration without zeros at its end: 10m, not 10m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// soakCommands put a cluster under load and faults.
func soakCommands() []declaration {
	return []declaration{{
		name: "soak", syntax: "soak D [network] [nodes] [disk] [membership]",
		help: "load and random faults of these kinds for D, then heal: the nodes must converge", parse: parseSoak,
	}}
}

func parseSoak(p *lineParser) (action, error) {
	one := Soak{}
	var err error
	if one.For, err = p.durationFrom("a duration", soakLeast, soakMost); err != nil {
		return nil, err
	}
	for p.hasMore() {
		kind, err := p.choice("a kind of fault", nemesisKinds...)
		if err != nil {
			return nil, err
		}
		one.Chaos = append(one.Chaos, kind)
	}
	return func(r *run) error {
		s := &soak{c: r.c, nodes: r.c.Names(), until: r.c.Now() + one.For, interrupted: r.shared.endSoak.Load}
		r.shared.injected(s.run(one.Chaos, r.rng))
		if len(s.failures) > 0 {
			return soakError(s.failures)
		}
		return nil
	}, nil
}

// soakError is what a soak found wrong after healing.
type soakError []Failure

func (e soakError) Error() string {
	texts := make([]string, len(e))
	for i := range e {
		texts[i] = e[i].Error()
	}
	return strings.Join(texts, "; ")
}

// EndSoak makes the soaks of the session heal and end at once, those that come later too.
func (s *Session) EndSoak() { s.shared.endSoak.Store(true) }

// soak is a running soak.
type soak struct {
	c           *cluster.Inside
	until       time.Duration // virtual time at which the load ends
	interrupted func() bool   // reports whether it ends before that
	nodes       []string      // the members at the start
	failures    []Failure
}

// run runs the soak from the first fault until the cluster answers again. It returns the number of
// faults of each kind, also of those never injected.
func (s *soak) run(chaos []string, rng *rand.Rand) map[string]int {
	var nemesis *Nemesis
	if len(chaos) > 0 {
		nemesis = StartNemesis(s.c, rng, chaos, NemesisEvery)
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
