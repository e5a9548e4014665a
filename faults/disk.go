package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// DefaultFlushEvery is how long an operating system's page cache holds a write back
// (Linux: dirty_expire_centisecs).
const DefaultFlushEvery = 30 * time.Second

// DiskConfig describes a Disk. The zero value is a disk without latency.
type DiskConfig struct {
	// Seed decides which bits Corrupt flips.
	Seed int64
	// FsyncLatency is how long a synced write takes, even with no fault set.
	FsyncLatency time.Duration
	// FlushEvery is how often a lying disk flushes the writes it holds back, counted from
	// when it began to lie. Zero means DefaultFlushEvery.
	FlushEvery time.Duration
	// OnCrash is called when a failing or damaged disk crashes the process that uses it, at
	// most once per Open, after the session is killed. It runs on the goroutine that met
	// the fault, with no lock held, and must not block.
	OnCrash func(reason error)
}

// DiskBackend is where a Disk keeps its data: raft-boltdb and FileSnapshotStore, or raft's
// in-memory stores. The caller opens it, and closes it after [DiskSession.Kill]. Its
// content belongs to the Disk: every record carries a checksum, so a Disk cannot use data
// that was written without one.
type DiskBackend struct {
	Logs      raft.LogStore
	Stable    raft.StableStore
	Snapshots raft.SnapshotStore

	// RewriteSnapshot changes the content of a stored snapshot, but not its checksum.
	// CorruptSnapshot uses it. Leave it nil for a store without checksums: the Disk then
	// reports the damage itself.
	RewriteSnapshot func(id string, change func([]byte) []byte) error
}

// Disk is the disk of one machine. It outlives the processes that use it: after a kill, a
// crash or a power loss, the next process opens the same Disk, over the same data. A
// machine whose disk is wiped gets a new Disk.
//
// A Disk starts no goroutine. In a testing/synctest bubble, call Open and SetFault from
// inside, because they make the channels that operations wait on.
type Disk struct {
	cfg DiskConfig

	// mu is held during file I/O, but never while an operation waits or sleeps: a
	// goroutine blocked on a mutex would stop a bubble's clock.
	mu      sync.Mutex
	fault   DiskFault     // nil: healthy
	stall   chan struct{} // closed when the stall ends; nil while the disk does not stall
	session *DiskSession  // of the process that has the disk open, or nil
	rng     *rand.Rand

	// The page cache of a lying disk: see disk_lie.go.
	undo       undoLog
	nextFlush  time.Time          // while the disk lies
	pending    []*pendingSnapshot // finished, but not in the backend yet; oldest first
	backendIDs map[string]string  // from a pending snapshot's ID to its ID in the backend
	damaged    map[string]bool    // by ID: damaged snapshots in a backend without checksums
}

// NewDisk returns a healthy disk.
func NewDisk(cfg DiskConfig) *Disk {
	if cfg.FlushEvery <= 0 {
		cfg.FlushEvery = DefaultFlushEvery
	}
	return &Disk{cfg: cfg, rng: rand.New(rand.NewPCG(uint64(cfg.Seed), 0)), backendIDs: map[string]string{}, damaged: map[string]bool{}}
}

// Open verifies every log entry, the keys raft uses and the snapshots, and then gives a
// new process its session. If a record is damaged, or a log entry that raft needs is
// missing (raft would panic), the error wraps ErrDamaged and names the record. Raft skips
// a damaged snapshot if it can start from an older one, and so does Open. A disk can
// have one session at a time: Kill the last one first.
func (d *Disk) Open(b DiskBackend) (*DiskSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return nil, errors.New("the disk is already open: kill its session first")
	}
	d.tick()
	if err := d.writeBack(b); err != nil {
		return nil, err
	}
	if damage := d.behaviour().damage(); damage != nil {
		done, err := damage(d, b)
		if err != nil {
			return nil, err
		}
		if done {
			d.fault = nil
		}
	}
	s := &DiskSession{disk: d, backend: b, killed: make(chan struct{})}
	if err := d.verify(b); err != nil {
		return nil, err
	}
	d.session = s
	return s, nil
}

// SetFault sets the disk's fault and replaces the one it has. Setting the same fault again
// changes nothing, so a lying disk keeps its flush schedule. Nil clears the fault.
func (d *Disk) SetFault(f DiskFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f == d.fault {
		return
	}
	if d.behaviour().lies() {
		d.flush()
	}
	if d.stall != nil {
		close(d.stall)
		d.stall = nil
	}
	d.fault = f
	if d.behaviour().stalls() {
		d.stall = make(chan struct{})
	}
	if d.behaviour().lies() {
		d.nextFlush = time.Now().Add(d.cfg.FlushEvery)
	}
	d.tick()
}

// ClearFault makes the disk healthy. Stalled writes continue, and a lying disk flushes what
// it held back; damage stays. Before a program exits, it should clear a lying disk and only
// then kill the last session, because snapshots that are not flushed are only in memory.
func (d *Disk) ClearFault() { d.SetFault(nil) }

// Fault returns the disk's fault, or nil if it is healthy.
func (d *Disk) Fault() DiskFault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// behaviour returns how the disk behaves. The caller holds mu.
func (d *Disk) behaviour() DiskFault {
	if d.fault == nil {
		return noFault{}
	}
	return d.fault
}

// verify reads everything back and returns the first damage. The caller holds mu.
func (d *Disk) verify(b DiskBackend) error {
	newest, damaged, err := d.verifySnapshots(b)
	if err != nil {
		return err
	}
	for _, key := range raftKeys {
		if _, err := readKey(b.Stable, []byte(key)); err != nil && err.Error() != notFound {
			return err
		}
	}
	first, last, err := logRange(b.Logs)
	if err != nil {
		return err
	}
	// When raft starts, it reads every entry after its newest snapshot and panics if one is
	// missing (api.go, NewRaft). Up to that snapshot a log may have gaps: installing a
	// snapshot leaves one.
	for index := min(first, newest+1); index <= last && last > 0; index++ {
		var entry raft.Log
		err := readLog(b.Logs, index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			if index <= newest {
				continue
			}
			if damaged != nil {
				return fmt.Errorf("%w, and the log no longer has entry %d, which an older snapshot needs", damaged, index)
			}
			return fmt.Errorf("the log is %w: entry %d is missing", ErrDamaged, index)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logRange returns the first and the last index of a log, zero if it is empty.
func logRange(logs raft.LogStore) (first, last uint64, err error) {
	if first, err = logs.FirstIndex(); err != nil {
		return 0, 0, fmt.Errorf("reading the first index of the log: %w", err)
	}
	if last, err = logs.LastIndex(); err != nil {
		return 0, 0, fmt.Errorf("reading the last index of the log: %w", err)
	}
	return first, last, nil
}
