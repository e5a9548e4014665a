package scenario

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Session runs single commands on a cluster, as they are typed. Several can run at
// once.
type Session struct {
	*Prompt
	c         *cluster.Cluster
	presenter Presenter

	mu      sync.Mutex // guards what commands leave to later ones
	rng     *rand.Rand
	names   map[string][]string
	nemesis *Nemesis

	shared *shared
}

// NewSession returns a session whose random choices come from the seed. The
// presenter may be nil.
func NewSession(c *cluster.Cluster, seed int64, presenter Presenter) *Session {
	prompt := NewPrompt(c.Trace().Read)
	if c.OverProcesses() {
		prompt.OverProcesses()
	}
	prompt.LeaveOut(!c.OwnsNodes(), !c.BreaksLinks())
	return &Session{Prompt: prompt, c: c, presenter: presenter, rng: rand.New(rand.NewPCG(uint64(seed), 2)), names: map[string][]string{}, shared: &shared{}}
}

// Start starts a command, which appears in the trace, and returns when the command
// has ended or takes virtual time. It is called from outside virtual time. When the
// command ends, ended is called once, inside virtual time or not.
func (s *Session) Start(l *Line, ended func(End)) {
	var once sync.Once
	limit := time.Duration(0) // a paused clock stays paused
	if l.IsByHand() {
		limit = handMax
	}
	err := s.c.DoUntil(limit, l.Text, func(c *cluster.Inside) error {
		end := s.run(c, l)
		end.At = c.Now()
		c.Trace().Read(func(st *trace.State) { end.Seq = st.Seq })
		once.Do(func() { ended(end) })
		if IsTried(end.Err) {
			return nil // the story has it already
		}
		return end.Err
	})
	if errors.Is(err, vtime.ErrClosed) { // the cluster has shut down, as a rule before the command ran
		once.Do(func() { ended(End{Err: err}) })
	}
}

// run runs a command, and returns how it ended, but not when.
func (s *Session) run(c *cluster.Inside, l *Line) End {
	s.mu.Lock()
	r := newRun(c, 0, s.presenter)
	r.rng = rand.New(rand.NewPCG(s.rng.Uint64(), 0))
	r.names, r.nemesis, r.shared = maps.Clone(s.names), s.nemesis, s.shared
	s.mu.Unlock()
	r.shared.expect(l.expectedViolations)
	r.logged = r.shared.begin(c, l.Command, false)
	err := l.do(r)
	r.shared.end(c, r.logged, err)
	if err != nil {
		err = oneLineError{err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.define(r.names)
	s.nemesis = r.nemesis
	return End{Op: r.ownOp(), Refusal: r.refusal, Err: err}
}

// define adds names to the session. The caller holds s.mu.
func (s *Session) define(names map[string][]string) {
	maps.Copy(s.names, names)
	s.Define(slices.Collect(maps.Keys(names))...)
}

// Perform performs a script like [Script.Perform], with a limit for each step. Its commands
// and names become part of the session. If the script soaks, faults counts what was injected by kind.
// With and without a presenter the same happens, goroutine by goroutine, up to the first step or question that
// waits: so an exact run is the same on the screen.
func (s *Session) Perform(c *cluster.Inside, script *Script) (failures []Failure, faults map[string]int) {
	r := newRun(c, script.Settings.Seed, s.presenter)
	r.shared = s.shared
	r.shared.expect(script.scope.expectedViolations)
	failures = r.executeWithin(script)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.define(r.names)
	return failures, s.shared.takeFaults()
}

// Finish stops the load and the chaos of the session, and waits until its async commands
// have ended, for at most limit of virtual time. It is called from outside virtual time.
func (s *Session) Finish(limit time.Duration) {
	done := make(chan struct{})
	err := s.c.Go(func(c *cluster.Inside) {
		defer close(done)
		s.mu.Lock()
		nemesis := s.nemesis
		s.nemesis = nil
		s.mu.Unlock()
		if nemesis != nil {
			nemesis.Stop()
		}
		c.StopLoad()
		for deadline := c.Now() + limit; !s.shared.isIdle() && c.Now() < deadline && !c.Closed(); {
			c.Sleep(pollEvery)
		}
	})
	if err != nil {
		return // the cluster has shut down
	}
	select {
	case <-done:
	case <-s.c.Clock().Done():
	}
}

// Violations returns a failure for each check that is violated although no command of
// the session expects it. It is called from outside virtual time.
func (s *Session) Violations() []Failure {
	s.c.AwaitVerdicts()
	state := s.c.Trace().State()
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	return VerdictFailures(Verdicts(&state), func(c trace.Check) bool {
		return c.Verdict == trace.VerdictViolated && !slices.Contains(s.shared.expected, c.Name)
	})
}
