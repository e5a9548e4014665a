package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// snapshotsKept is how many snapshots a node keeps.
const snapshotsKept = 2

// storage is where the disk of one node keeps its data between processes.
type storage interface {
	// open returns what raft stores into, and how to close it.
	open() (faults.DiskBackend, func() error, error)
	// wipe removes everything. The storage must not be open.
	wipe() error
	// create makes a place for the storage, empty after a wipe, by which a later
	// run of the program knows that the node exists.
	create() error
}

// boltStorage is a directory with a raft-boltdb file and snapshot files.
type boltStorage struct {
	path string
	// noSync leaves out fsync: nobody can look at temporary files after the
	// machine itself has crashed. Power loss of a node is the disk's business.
	noSync bool
}

func (b boltStorage) open() (faults.DiskBackend, func() error, error) {
	fail := func(err error) (faults.DiskBackend, func() error, error) {
		return faults.DiskBackend{}, nil, fmt.Errorf("opening %s: %w", b.path, err)
	}
	// FileSnapshotStore would make its directory readable for everybody.
	if err := os.MkdirAll(filepath.Join(b.path, "snapshots"), 0o700); err != nil {
		return fail(err)
	}
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(b.path, snapshotsKept, discardLogger)
	if err != nil {
		return fail(err)
	}
	store, err := raftboltdb.New(raftboltdb.Options{
		Path:   filepath.Join(b.path, "raft.db"),
		NoSync: b.noSync,
		// Without a timeout, opening a file twice waits for ever.
		BoltOptions: &bbolt.Options{Timeout: time.Second, NoFreelistSync: true, NoGrowSync: b.noSync},
	})
	if err != nil {
		return fail(err)
	}
	return faults.DiskBackend{Logs: store, Stable: store, Snapshots: snapshots}, store.Close, nil
}

func (b boltStorage) wipe() error { return os.RemoveAll(b.path) }

func (b boltStorage) create() error { return os.MkdirAll(b.path, 0o700) }

// memoryStorage keeps everything in raft's own stores in memory.
type memoryStorage struct{ backend faults.DiskBackend }

func newMemoryStorage() *memoryStorage {
	m := &memoryStorage{}
	_ = m.wipe()
	return m
}

func (m *memoryStorage) open() (faults.DiskBackend, func() error, error) {
	return m.backend, func() error { return nil }, nil
}

func (m *memoryStorage) create() error { return nil }

func (m *memoryStorage) wipe() error {
	store := raft.NewInmemStore()
	m.backend = faults.DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	return nil
}
