package cluster

import (
	"bytes"
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

	applied atomic.Uint64                     // the last entry applied or covered by a restored snapshot
	newest  atomic.Pointer[raft.SnapshotMeta] // its newest snapshot, nil without one
	// The last entry of a snapshot it is taking of itself, by which that is told
	// from one its leader sends.
	snapshotTaken atomic.Uint64
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
	m.moved(trace.Event{Kind: trace.KindApplied, Index: log.Index, Term: log.Term})
	m.p.observe()
	return result
}

// StoreConfiguration is told of committed changes of the members. The counter
// has no use for them, but without this method raft could not take a snapshot
// after one (hashicorp/raft fsm.go).
func (m *machine) StoreConfiguration(index uint64, _ raft.Configuration) {
	defer m.p.c.bubble.Catch()
	m.gate.wait()
	m.moved(trace.Event{Kind: trace.KindApplied, Index: index})
}

// moved makes the event for a counter that is at its index now.
func (m *machine) moved(e trace.Event) {
	m.applied.Store(e.Index)
	e.Value = m.counter.Value()
	m.p.emit(e)
}

// keep notes a snapshot that is on the disk now. One that was finished after a
// newer one came from the leader does not take its place.
func (m *machine) keep(meta *raft.SnapshotMeta) {
	for {
		newest := m.newest.Load()
		if newest != nil && (meta.Term < newest.Term || meta.Term == newest.Term && meta.Index < newest.Index) {
			return
		}
		if m.newest.CompareAndSwap(newest, meta) {
			return
		}
	}
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
	var data bytes.Buffer
	seen := struct {
		io.Reader
		io.Closer
	}{io.TeeReader(content, &data), content}
	if err := m.counter.Restore(seen); err != nil {
		return err
	}
	m.p.configMayChange()
	e := trace.Event{Kind: trace.KindApplied, Index: meta.Index, Term: meta.Term}
	if m.p.raft.Load() != nil { // else it is its own snapshot, at a start
		e.Kind, e.Data, e.Servers = trace.KindInstalled, data.Bytes(), serversOf(meta.Configuration)
	}
	m.moved(e)
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
