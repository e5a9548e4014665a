package faults

import (
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// An DiskSession is what one process sees of a Disk. Its stores are for raft.
//
// Raft panics, on a goroutine of its own where nobody can recover, when it cannot store its term or read a committed
// entry. There an error ends the goroutine (runtime.Goexit), as the end of the process would, and raft's Shutdown still
// returns. Anywhere else an error is returned. NewRaft panics too, but on its caller's goroutine: recover from it there.
type DiskSession struct {
	disk    *Disk
	backend DiskBackend
	killed  chan struct{} // closed when the process is dead

	mu     sync.Mutex    // never held during I/O, may be taken while disk.mu is held
	resume chan struct{} // closed by Release; nil while the process runs
}

// Logs is the log store, to give to raft. It is monotonic if the backend's is (raft.MonotonicLogStore).
func (o *DiskSession) Logs() raft.LogStore { return diskLogs{o} }

// Stable is the store of raft's keys, to give to raft.
func (o *DiskSession) Stable() raft.StableStore { return diskKeys{o} }

// Snapshots is the snapshot store, to give to raft. A snapshot is kept in memory until its sink is closed, and is then
// written in one go: a process that dies while it writes one leaves nothing behind.
func (o *DiskSession) Snapshots() raft.SnapshotStore { return diskSnapshots{o} }

// Pause stops the process: from now on its operations wait, whatever the disk does, until Release or Detach.
func (o *DiskSession) Pause() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.resume == nil {
		o.resume = make(chan struct{})
	}
}

// Resume lets a stopped process go on. All operations that waited are carried out.
func (o *DiskSession) Resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.resume != nil {
		close(o.resume)
		o.resume = nil
	}
}

// Kill declares the process dead. A write that has begun is finished before Detach returns; any operation that waits or
// comes later returns ErrKilled at once and has no effect. Detach before raft's Shutdown, so that nothing a dead node's
// goroutines still do has an effect, and close the backend after it.
func (o *DiskSession) Kill() { o.kill() }

// kill reports whether the process was alive.
func (o *DiskSession) kill() bool {
	o.mu.Lock()
	alive := !o.isKilled()
	if alive {
		close(o.killed)
	}
	o.mu.Unlock()

	o.disk.mu.Lock() // waits for the write that has begun
	defer o.disk.mu.Unlock()
	if o.disk.session == o {
		o.disk.session = nil
	}
	return alive
}

// crash ends a process that cannot go on without what the disk failed to do. The caller holds no lock, and returns err
// to raft if crash returns, which it does not where raft would panic.
func (o *DiskSession) crash(err error) error {
	if o.kill() && o.disk.cfg.OnCrash != nil {
		o.disk.cfg.OnCrash(err)
	}
	if raftWouldPanic() {
		runtime.Goexit()
	}
	return err
}

// raftWouldPanic says whether the caller is one that panics on an error, on one of raft's own goroutines: setCurrentTerm
// or processLogs (raft.go). It looks at the stack because a store is not told who calls. To end every goroutine would not
// do: one that replicates leaves the decoder of its pipeline behind (replication.go, pipelineReplicate), and Shutdown
// waits for that.
func raftWouldPanic() bool {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panics := false
	for {
		frame, more := frames.Next()
		switch frame.Function {
		case raftPackage + ".(*Raft).setCurrentTerm", raftPackage + ".(*Raft).processLogs":
			panics = true
		case raftPackage + ".NewRaft":
			return false // its caller can recover
		}
		if !more {
			return panics
		}
	}
}

// raftPackage is the import path of raft, also where it is vendored or forked.
var raftPackage = reflect.TypeFor[raft.Raft]().PkgPath()

func (o *DiskSession) isKilled() bool {
	select {
	case <-o.killed:
		return true
	default:
		return false
	}
}

func (o *DiskSession) pauseGate() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.resume
}

// beginRead returns when the process may read. A read takes no lock of the disk, so that it never waits for the fsync of
// another goroutine.
func (o *DiskSession) beginRead() error {
	for {
		gate := o.pauseGate()
		if gate == nil {
			break
		}
		o.wait(gate, 0)
		if o.isKilled() {
			break
		}
	}
	if o.isKilled() {
		return ErrKilled
	}
	return nil
}

// beginWrite returns when the process may carry out a write: then disk.mu is held, and the caller unlocks it. If the write
// is refused, disk.mu is not held. Waiting and sleeping happen without it, and everything is looked at again afterwards.
func (o *DiskSession) beginWrite(w writeKind) error {
	d := o.disk
	d.mu.Lock()
	for paid := false; !o.isKilled(); {
		gate := o.pauseGate()
		if gate == nil {
			gate = d.stall
		}
		var latency time.Duration
		if gate == nil && !paid {
			latency = d.behaviour().writeTime(d.cfg.FsyncLatency)
			paid = true
		}
		if gate == nil && latency <= 0 {
			break
		}
		d.mu.Unlock()
		o.wait(gate, latency)
		d.mu.Lock()
	}
	err := d.behaviour().refuse(w)
	if o.isKilled() {
		err = ErrKilled
	}
	if err != nil {
		d.mu.Unlock()
		return err
	}
	d.tick()
	return nil
}

// wait waits for the gate to open or, without a gate, for the time to pass; or for the process to die.
func (o *DiskSession) wait(gate <-chan struct{}, latency time.Duration) {
	var over <-chan time.Time
	if gate == nil {
		timer := time.NewTimer(latency)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-gate:
	case <-over:
	case <-o.killed:
	}
}
