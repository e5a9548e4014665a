package faults

import (
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// DiskSession is a Disk as one process sees it. Its stores go to raft.
//
// When raft cannot store its term or read a committed entry, it panics on a goroutine of
// its own, where the program cannot recover. On such a goroutine, a failing operation ends
// the goroutine instead (runtime.Goexit), as the end of the process would, and raft's
// Shutdown still returns. Everywhere else it returns an error. NewRaft panics too, but on
// its caller's goroutine: recover from that panic there.
type DiskSession struct {
	disk    *Disk
	backend DiskBackend
	killed  chan struct{} // closed when the process dies

	mu     sync.Mutex    // never held during I/O; may be taken while disk.mu is held
	resume chan struct{} // closed by Resume; nil while the process runs
}

// Logs returns the log store for raft. It is monotonic if the backend's is
// (raft.MonotonicLogStore).
func (s *DiskSession) Logs() raft.LogStore { return diskLogs{s} }

// Stable returns the stable store for raft.
func (s *DiskSession) Stable() raft.StableStore { return diskKeys{s} }

// Snapshots returns the snapshot store for raft. A snapshot stays in memory until its sink
// is closed, and is then written in one go: a process that dies while writing one leaves
// nothing behind.
func (s *DiskSession) Snapshots() raft.SnapshotStore { return diskSnapshots{s} }

// Pause stops the process: its operations wait, whatever the disk does, until Resume or
// Kill.
func (s *DiskSession) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resume == nil {
		s.resume = make(chan struct{})
	}
}

// Resume continues a paused process. All operations that waited are carried out.
func (s *DiskSession) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resume != nil {
		close(s.resume)
		s.resume = nil
	}
}

// Kill ends the process. A write that has begun finishes before Kill returns; operations
// that wait or come later return ErrKilled at once and have no effect. Call it before
// raft's Shutdown, so that the goroutines of the dead node have no effect, and close the
// backend after Shutdown.
func (s *DiskSession) Kill() { s.kill() }

// kill ends the process and reports whether it was alive.
func (s *DiskSession) kill() bool {
	s.mu.Lock()
	alive := !s.isKilled()
	if alive {
		close(s.killed)
	}
	s.mu.Unlock()

	s.disk.mu.Lock() // waits for a write that has begun
	defer s.disk.mu.Unlock()
	if s.disk.session == s {
		s.disk.session = nil
	}
	return alive
}

// crash ends the process because of err, an operation it cannot do without. Where raft
// would panic on the error, crash ends the goroutine and does not return; otherwise it
// returns err, for raft. The caller holds no lock.
func (s *DiskSession) crash(err error) error {
	if s.kill() && s.disk.cfg.OnCrash != nil {
		s.disk.cfg.OnCrash(err)
	}
	if raftWouldPanic() {
		runtime.Goexit()
	}
	return err
}

// raftWouldPanic reports whether an error would make raft panic on one of its own
// goroutines: in setCurrentTerm or processLogs (raft.go). It inspects the stack, because a
// store does not know its caller. Ending any goroutine would be wrong: a replicating one
// would leave the decoder of its pipeline behind (replication.go, pipelineReplicate), for
// which Shutdown waits.
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
			return false // the caller of NewRaft can recover
		}
		if !more {
			return panics
		}
	}
}

// raftPackage is the import path of raft, even if it is vendored or forked.
var raftPackage = reflect.TypeFor[raft.Raft]().PkgPath()

func (s *DiskSession) isKilled() bool {
	select {
	case <-s.killed:
		return true
	default:
		return false
	}
}

func (s *DiskSession) pauseGate() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resume
}

// beginRead waits until the process may read. A read takes no lock of the disk, so it
// never waits for the fsync of another goroutine.
func (s *DiskSession) beginRead() error {
	for {
		gate := s.pauseGate()
		if gate == nil {
			break
		}
		s.wait(gate, 0)
		if s.isKilled() {
			break
		}
	}
	if s.isKilled() {
		return ErrKilled
	}
	return nil
}

// beginWrite waits until the process may write. On success it returns with disk.mu locked,
// and the caller unlocks it; on an error disk.mu is unlocked. beginWrite waits and sleeps
// without the lock, and checks every condition again afterwards.
func (s *DiskSession) beginWrite(w writeKind) error {
	d := s.disk
	d.mu.Lock()
	for paid := false; !s.isKilled(); {
		gate := s.pauseGate()
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
		s.wait(gate, latency)
		d.mu.Lock()
	}
	err := d.behaviour().refuse(w)
	if s.isKilled() {
		err = ErrKilled
	}
	if err != nil {
		d.mu.Unlock()
		return err
	}
	d.tick()
	return nil
}

// wait waits until the gate opens, or without a gate until the latency has passed, or until
// the process dies.
func (s *DiskSession) wait(gate <-chan struct{}, latency time.Duration) {
	var over <-chan time.Time
	if gate == nil {
		timer := time.NewTimer(latency)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-gate:
	case <-over:
	case <-s.killed:
	}
}
