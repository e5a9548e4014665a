package scenario

import (
	"maps"
	"math/rand/v2"
	"sync"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// Perform carries the script out on a cluster, inside virtual time, on a stage or,
// with nil, where nobody watches. It returns what did not hold.
func (s *Script) Perform(c *cluster.Inside, stage Presenter) []Failure {
	if stage == nil {
		stage = nowhere{}
	}
	return newExecution(c, s.Settings.Seed, stage).run(s)
}

// Session carries out single commands on a cluster, as they are typed. Several
// may be under way at once.
type Session struct {
	c     *cluster.Cluster
	stage Presenter

	mu      sync.Mutex // guards what commands leave behind for later ones
	rng     *rand.Rand
	names   map[string][]string
	nemesis *Nemesis
}

// NewSession begins a session, on a stage or, with nil, where nobody watches. What
// it draws by chance comes from the seed.
func NewSession(c *cluster.Cluster, seed int64, stage Presenter) *Session {
	if stage == nil {
		stage = nowhere{}
	}
	return &Session{c: c, stage: stage, rng: rand.New(rand.NewPCG(uint64(seed), 2)), names: map[string][]string{}}
}

// Parse reads a command for the cluster as it is now. It may be called from
// outside of virtual time. The error is an [*Error].
func (s *Session) Parse(text string) (*Line, error) {
	var nodes, names []string
	s.c.Trace().Read(func(st *trace.State) {
		nodes = where(st, func(*trace.Node) bool { return true })
	})
	s.mu.Lock()
	for name := range s.names {
		names = append(names, name)
	}
	s.mu.Unlock()
	return ParseLine(text, nodes, names)
}

// Run carries out a command. It returns the operation that
// a client's command ended with; of other commands its outcome is Pending.
func (s *Session) Run(c *cluster.Inside, l *Line) (trace.Op, error) {
	s.mu.Lock()
	x := &execution{c: c, stage: s.stage, rng: rand.New(rand.NewPCG(s.rng.Uint64(), 0)), names: maps.Clone(s.names), nemesis: s.nemesis}
	s.mu.Unlock()
	err := l.do(x)
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.names, x.names)
	s.nemesis = x.nemesis
	return x.lastOp(), err
}
