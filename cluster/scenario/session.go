package scenario

import (
	"errors"
	"maps"
	"math/rand/v2"
	"sync"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Session runs single commands on a cluster, as they are typed. Several can run at
// once.
type Session struct {
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
	return &Session{c: c, presenter: presenter, rng: rand.New(rand.NewPCG(uint64(seed), 2)), names: map[string][]string{}, shared: &shared{}}
}

// Parse parses a command for the cluster as it is now. It can be called from
// anywhere. The error is an [*Error].
func (s *Session) Parse(text string) (*Line, error) {
	s.mu.Lock()
	var names []string
	for name := range s.names {
		names = append(names, name)
	}
	s.mu.Unlock()
	return ParseLine(text, s.nodes(), names)
}

// nodes returns the members of the cluster as it is now.
func (s *Session) nodes() (names []string) {
	s.c.Trace().Read(func(st *trace.State) { names = memberNames(st) })
	return names
}

// Start starts a command, which appears in the trace, and returns when the command
// has ended or takes virtual time. It is called from outside virtual time. When the
// command ends, ended is called once, inside virtual time or not, with the client
// operation it ended with: that of any other command is pending.
func (s *Session) Start(l *Line, ended func(trace.Op, error)) {
	var once sync.Once
	err := s.c.Do(l.Text, func(c *cluster.Inside) error {
		op, err := s.run(c, l)
		once.Do(func() { ended(op, err) })
		if errors.As(err, &triedError{}) {
			return nil // the story has it already
		}
		return err
	})
	if errors.Is(err, vtime.ErrClosed) { // the cluster has shut down, as a rule before the command ran
		once.Do(func() { ended(trace.Op{}, err) })
	}
}

// Do is Start for a caller that waits for the end of the command.
func (s *Session) Do(l *Line) (trace.Op, error) {
	type outcome struct {
		op  trace.Op
		err error
	}
	done := make(chan outcome, 1)
	s.Start(l, func(op trace.Op, err error) { done <- outcome{op, err} })
	select {
	case o := <-done:
		return o.op, o.err
	case <-s.c.Clock().Done():
		return trace.Op{}, vtime.ErrClosed
	}
}

// run runs a command.
func (s *Session) run(c *cluster.Inside, l *Line) (trace.Op, error) {
	s.mu.Lock()
	r := newRun(c, 0, s.presenter)
	r.rng = rand.New(rand.NewPCG(s.rng.Uint64(), 0))
	r.names, r.nemesis, r.shared = maps.Clone(s.names), s.nemesis, s.shared
	s.mu.Unlock()
	err := l.do(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.names, r.names)
	s.nemesis = r.nemesis
	return r.ownOp(), err
}
