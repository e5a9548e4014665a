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

// fsm is the state machine of a process: a counter that waits while its
// process is paused, with an event for everything that was applied.
type fsm struct {
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
	_ raft.FSM                = (*fsm)(nil)
	_ raft.ConfigurationStore = (*fsm)(nil)
)

func newFSM(p *process) *fsm { return &fsm{counter: counter.New(), p: p} }

// Apply applies a committed command. The result is a [counter.Result].
func (f *fsm) Apply(log *raft.Log) any {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	if !f.p.isAlive() {
		return counter.Result{Err: raft.ErrRaftShutdown}
	}
	result := f.counter.Apply(log)
	f.emitValue(trace.Event{Kind: trace.KindApplied, Index: log.Index, Term: log.Term})
	f.p.observe()
	return result
}

// StoreConfiguration is told of committed changes of the members. The counter
// has no use for them, but without this method raft could not take a snapshot
// after one (hashicorp/raft fsm.go).
func (f *fsm) StoreConfiguration(index uint64, _ raft.Configuration) {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	f.emitValue(trace.Event{Kind: trace.KindApplied, Index: index})
}

// emitValue makes the event for a counter that is at its index now.
func (f *fsm) emitValue(e trace.Event) {
	f.applied.Store(e.Index)
	e.Value = f.counter.Value()
	f.p.emit(e)
}

// setNewestSnapshot notes a snapshot that is on the disk now. One that was finished after a
// newer one came from the leader does not take its place.
func (f *fsm) setNewestSnapshot(meta *raft.SnapshotMeta) {
	for {
		newest := f.newest.Load()
		if newest != nil && (meta.Term < newest.Term || meta.Term == newest.Term && meta.Index < newest.Index) {
			return
		}
		if f.newest.CompareAndSwap(newest, meta) {
			return
		}
	}
}

// Snapshot takes a snapshot, which raft then writes.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	f.snapshotTaken.Store(f.applied.Load())
	return f.counter.Snapshot()
}

// Restore replaces the counter by a snapshot, at a start or because the leader sent it.
func (f *fsm) Restore(content io.ReadCloser) error {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
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
	if err := f.counter.Restore(seen); err != nil {
		return err
	}
	f.p.configMayChange()
	e := trace.Event{Kind: trace.KindApplied, Index: meta.Index, Term: meta.Term}
	if f.p.raft.Load() != nil { // else it is its own snapshot, at a start
		e.Kind, e.Data, e.Servers = trace.KindInstalled, data.Bytes(), serversOf(meta.Configuration)
	}
	f.emitValue(e)
	return nil
}

// gate lets everything pass until it is held.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed on release, nil while open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// wait waits until the gate is open.
func (g *gate) wait() {
	g.mu.Lock()
	held := g.opened
	g.mu.Unlock()
	if held != nil {
		<-held
	}
}
