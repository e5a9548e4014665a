package cluster

import (
	"io"
	"sync"
	"sync/atomic"

	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// machine is the state machine of a process: a counter that waits while its
// process is paused, with an event for everything that was applied.
type machine struct {
	counter *counter.FSM
	p       *process
	gate    gate

	applied atomic.Uint64 // the last entry applied or covered by a restored snapshot
	// The last entry its newest snapshot covers, and the one of a snapshot it is
	// taking of itself, by which that is told from one its leader sends.
	snapshotIndex, snapshotTaken atomic.Uint64
}

var (
	_ raft.FSM                = (*machine)(nil)
	_ raft.ConfigurationStore = (*machine)(nil)
)

func newMachine(p *process) *machine { return &machine{counter: counter.New(), p: p} }

// Apply applies a committed command. The result is a [counter.Result].
func (m *machine) Apply(log *raft.Log) any {
	defer m.p.c.bubble.Catch()
	m.gate.wait()
	if !m.p.isAlive() {
		return counter.Result{Err: raft.ErrRaftShutdown}
	}
	result := m.counter.Apply(log)
	m.moved(trace.KindApplied, log.Index, log.Term)
	m.p.observe()
	return result
}

// StoreConfiguration is told of committed changes of the members. The counter
// has no use for them, but without this method raft could not take a snapshot
// after one (hashicorp/raft fsm.go).
func (m *machine) StoreConfiguration(index uint64, _ raft.Configuration) {
	defer m.p.c.bubble.Catch()
	m.gate.wait()
	m.moved(trace.KindApplied, index, 0)
}

// moved makes the event for a counter that is at index now.
func (m *machine) moved(kind trace.Kind, index, term uint64) {
	m.applied.Store(index)
	m.p.emit(trace.Event{Kind: kind, Index: index, Term: term, Value: m.counter.Value()})
}

// Snapshot takes a snapshot, which raft then writes.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	defer m.p.c.bubble.Catch()
	m.gate.wait()
	m.snapshotTaken.Store(m.applied.Load())
	return m.counter.Snapshot()
}

// Restore replaces the counter by a snapshot, at a start or because the leader sent it.
func (m *machine) Restore(content io.ReadCloser) error {
	defer m.p.c.bubble.Catch()
	m.gate.wait()
	var meta raft.SnapshotMeta
	// Raft counts what is read of a snapshot, in a wrapper of its own.
	inner := content
	if wrapper, ok := content.(raft.ReadCloserWrapper); ok {
		inner = wrapper.WrappedReadCloser()
	}
	if snapshot, ok := inner.(*openSnapshot); ok {
		meta = *snapshot.meta
	}
	if err := m.counter.Restore(content); err != nil {
		return err
	}
	m.p.configDirty.Store(true)
	kind := trace.KindInstalled
	if m.p.raft.Load() == nil { // its own snapshot, at a start
		kind = trace.KindApplied
	}
	m.moved(kind, meta.Index, meta.Term)
	return nil
}

// gate lets everything pass until it is held.
type gate struct {
	mu   sync.Mutex
	held chan struct{} // closed on release, nil while open
}

func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = make(chan struct{})
	}
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
}

// wait waits until the gate is open.
func (g *gate) wait() {
	g.mu.Lock()
	held := g.held
	g.mu.Unlock()
	if held != nil {
		<-held
	}
}
