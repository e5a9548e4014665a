package cluster

import (
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// storage holds the data of one node's disk. It outlives processes.
type storage interface {
	// open returns the stores for raft, and a function that closes them.
	open() (faults.DiskBackend, func() error, error)
	// wipe deletes everything. The storage must not be open.
	wipe() error
	// create makes an empty place for the data, which tells a later run of the program that
	// the node exists.
	create() error
}

// memoryStorage is raft's own in-memory stores.
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
