//go:build !wasip1

package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// snapshotsKept is the number of snapshots that a node keeps on disk.
const snapshotsKept = 2

// boltStorage is a directory with a raft-boltdb file and snapshot files.
type boltStorage struct {
	path string
	// noSync turns fsync off, for temporary files: they need not survive a crash of the
	// real machine. Package faults simulates the power loss of a node.
	noSync bool
}

func (b boltStorage) open() (faults.DiskBackend, func() error, error) {
	fail := func(err error) (faults.DiskBackend, func() error, error) {
		return faults.DiskBackend{}, nil, fmt.Errorf("opening %s: %w", b.path, err)
	}
	// FileSnapshotStore would create its directory with access for all users.
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
		// Without a timeout, opening a file twice would block forever.
		BoltOptions: &bbolt.Options{Timeout: time.Second, NoFreelistSync: true, NoGrowSync: b.noSync},
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrBusy
	}
	if err != nil {
		return fail(err)
	}
	return faults.DiskBackend{Logs: store, Stable: store, Snapshots: snapshots, RewriteSnapshot: b.rewriteSnapshot}, store.Close, nil
}

// rewriteSnapshot changes the state file of a snapshot. FileSnapshotStore keeps the checksum in
// another file, which stays as it is.
func (b boltStorage) rewriteSnapshot(id string, change func([]byte) []byte) error {
	name := filepath.Join(b.path, "snapshots", id, "state.bin")
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, change(content), 0o600)
}

func (b boltStorage) wipe() error { return os.RemoveAll(b.path) }

func (b boltStorage) create() error { return os.MkdirAll(b.path, 0o700) }
