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

// fsm is the state machine of a process: a counter that waits while the process is paused and
// emits an event for everything that it applies.
type fsm struct {
	counter *counter.FSM
	p       *process
	gate    gate

	applied atomic.Uint64                     // the last entry applied or covered by a restored snapshot
	newest  atomic.Pointer[raft.SnapshotMeta] // the newest snapshot on disk, nil without one
	// snapshotTaken is the last entry covered by the snapshot that the process takes of its
	// own counter. It tells such a snapshot from one that the leader sends.
	snapshotTaken atomic.Uint64
}

var (
	_ raft.FSM                = (*fsm)(nil)
	_ raft.ConfigurationStore = (*fsm)(nil)
)

func newFSM(p *process) *fsm { return &fsm{counter: counter.New(), p: p} }

// Apply applies a committed command and returns a [counter.Result].
func (f *fsm) Apply(log *raft.Log) any {
	defer f.p.c.bubble.Catch()
	f.p.node.delayApply(f.p.dead)
	f.gate.wait()
	if !f.p.isAlive() {
		return counter.Result{Err: raft.ErrRaftShutdown}
	}
	result := f.counter.Apply(log)
	f.emitValue(trace.Event{Kind: trace.KindApplied, Index: log.Index, Term: log.Term})
	f.p.observe()
	return result
}

// StoreConfiguration receives committed configurations. The counter does not need them, but
// without this method raft could not take a snapshot right after one (hashicorp/raft fsm.go).
func (f *fsm) StoreConfiguration(index uint64, _ raft.Configuration) {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	f.emitValue(trace.Event{Kind: trace.KindApplied, Index: index})
}

// emitValue emits e with the counter's value, which includes all entries up to e.Index.
func (f *fsm) emitValue(e trace.Event) {
	f.applied.Store(e.Index)
	e.Value = f.counter.Value()
	f.p.emit(e)
}

// setNewestSnapshot records a snapshot that is on disk, unless a newer one is recorded. The
// process's own snapshot can finish after a newer one has come from the leader.
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

// Snapshot captures the counter, which raft then writes to disk.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	f.snapshotTaken.Store(f.applied.Load())
	return f.counter.Snapshot()
}

// Restore replaces the counter with a snapshot: its own when it starts, or one that the leader
// has sent.
func (f *fsm) Restore(content io.ReadCloser) error {
	defer f.p.c.bubble.Catch()
	f.gate.wait()
	var meta raft.SnapshotMeta
	// Raft wraps the snapshot to count the bytes read.
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
	if f.p.raft.Load() != nil { // otherwise the process is starting from its own snapshot
		e.Kind, e.Data, e.Servers = trace.KindInstalled, data.Bytes(), serversOf(meta.Configuration)
		e.Reason = f.p.installReason(&meta)
	}
	f.emitValue(e)
	return nil
}

// gate blocks goroutines while it is closed. The zero value is open.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when the gate opens, nil while it is open
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

// wait blocks until the gate is open.
func (g *gate) wait() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
}
