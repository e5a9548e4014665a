package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// DefaultFlushEvery is how long an operating system's page cache keeps a write to itself (Linux: dirty_expire_centisecs).
const DefaultFlushEvery = 30 * time.Second

// DiskConfig says what a Disk is like. The zero value is a disk without latency.
type DiskConfig struct {
	// Seed fixes which bits Corrupt flips.
	Seed int64
	// FsyncLatency is how long every write takes that must reach the platter, also with no fault set.
	FsyncLatency time.Duration
	// FlushEvery is how often what a lying disk holds back reaches the platter, counted from when it began to lie.
	// Zero means DefaultFlushEvery.
	FlushEvery time.Duration
	// OnCrash is called when a failing or damaged disk kills the process that uses it, at most once per Open. It runs on
	// the goroutine that met the fault, with no lock held, and must not block. The process is detached by then.
	OnCrash func(reason error)
}

// A Backend is where a Disk keeps its data: raft-boltdb and FileSnapshotStore, or raft's memory stores. Whoever opens it
// closes it, after Detach. Its content belongs to the Disk: every record carries a checksum, so a Disk cannot be put over
// data that was written without one.
type DiskBackend struct {
	Logs      raft.LogStore
	Stable    raft.StableStore
	Snapshots raft.SnapshotStore
}

// A Disk is the disk of one machine. It outlives the processes that use it: after a kill, a crash or a power loss the next
// process opens the same Disk, over the same data. Give a machine whose disk is wiped a new Disk.
//
// A Disk starts no goroutine. It works on the real clock and in a testing/synctest bubble; in a bubble, Open and Set must
// be called from inside, because they make the channels that operations wait on.
type Disk struct {
	cfg DiskConfig

	// mu is held during file I/O, but never while an operation waits or sleeps: a goroutine that is blocked on a mutex
	// would keep a bubble's clock from moving.
	mu      sync.Mutex
	fault   DiskFault     // nil: ok
	stall   chan struct{} // closed when the stall is over; nil while the disk does not stall
	session *DiskSession  // the process that has it open, nil while there is none
	rng     *rand.Rand

	// The page cache of a lying disk: see disk_lie.go.
	undo       undoLog
	nextFlush  time.Time          // the next tick of the grid, while the disk lies
	pending    []*pendingSnapshot // finished, and not yet in the backend; oldest first
	backendIDs map[string]string  // what the backend calls a snapshot that was known under another ID before
}

// NewDisk returns a disk without a fault.
func NewDisk(cfg DiskConfig) *Disk {
	if cfg.FlushEvery <= 0 {
		cfg.FlushEvery = DefaultFlushEvery
	}
	return &Disk{cfg: cfg, rng: rand.New(rand.NewPCG(uint64(cfg.Seed), 0)), backendIDs: map[string]string{}}
}

// Open gives a new process its view of the disk, after it has verified every log entry, the keys raft uses and the
// snapshots. Damage is an error that wraps ErrDamaged and says what is damaged; so is a log entry that raft will need and
// that is not there, because raft panics on it. It is an error to open a disk that a process has open: Detach that one
// first.
func (d *Disk) Open(b DiskBackend) (*DiskSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return nil, errors.New("the disk is open already")
	}
	d.tick()
	if err := d.writeBack(b); err != nil {
		return nil, err
	}
	if _, ok := d.fault.(Corrupt); ok {
		if err := d.flipRecord(b); err != nil {
			return nil, err
		}
		d.fault = nil
	}
	o := &DiskSession{disk: d, backend: b, killed: make(chan struct{})}
	if err := d.verify(b); err != nil {
		return nil, err
	}
	d.session = o
	return o, nil
}

// SetFault makes f what is wrong with the disk, in place of what was. Setting the fault it has already changes nothing, so a
// lying disk's flushes keep their rhythm; nil is Clear.
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

// ClearFault makes the disk a healthy one. What waits for a stall to end goes on, and what a lie held back is flushed. Damage
// that is done stays. A program that ends should clear a lying disk before it detaches the last process: snapshots that
// are not flushed are in memory only.
func (d *Disk) ClearFault() { d.SetFault(nil) }

// Fault is what is wrong with the disk, nil if nothing is.
func (d *Disk) Fault() DiskFault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// behaviour is how the disk behaves. The caller holds mu.
func (d *Disk) behaviour() DiskFault {
	if d.fault == nil {
		return noFault{}
	}
	return d.fault
}

// verify reads everything back. The caller holds mu.
func (d *Disk) verify(b DiskBackend) error {
	newest, err := d.verifySnapshots(b)
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
	// Raft reads all entries behind its newest snapshot when it starts, and panics if there is none (api.go, NewRaft). Before
	// that a log may have gaps: an installed snapshot leaves one.
	for index := min(first, newest+1); index <= last && last > 0; index++ {
		var entry raft.Log
		err := readLog(b.Logs, index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			if index <= newest {
				continue
			}
			return fmt.Errorf("the log is %w: entry %d is missing", ErrDamaged, index)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logRange is the first and the last index of a log, zero if it is empty.
func logRange(logs raft.LogStore) (first, last uint64, err error) {
	if first, err = logs.FirstIndex(); err != nil {
		return 0, 0, fmt.Errorf("reading the first index of the log: %w", err)
	}
	if last, err = logs.LastIndex(); err != nil {
		return 0, 0, fmt.Errorf("reading the last index of the log: %w", err)
	}
	return first, last, nil
}
