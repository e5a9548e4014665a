//go:build !wasip1

package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"capsize/cluster/trace"
)

// dataDir is the directory with the nodes' files, one subdirectory for each node, and a lock.
type dataDir struct {
	path      string
	temporary bool
	lock      *bbolt.DB
}

// openDataDir opens or creates the directory and locks it. An empty path means a new temporary
// directory. It returns ErrBusy if another process holds the lock.
func openDataDir(path string) (*dataDir, error) {
	d := &dataDir{path: path, temporary: path == ""}
	var err error
	if d.temporary {
		d.path, err = os.MkdirTemp("", "capsize-")
	} else {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	// An empty Bolt database serves as the lock. Bolt locks the files it opens on every
	// system, and the lock is released when the process ends, even after a crash. The
	// shortest timeout makes Bolt try once.
	d.lock, err = bbolt.Open(filepath.Join(d.path, "lock"), 0o600, &bbolt.Options{Timeout: 1})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", d.path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("locking %s: %w", d.path, err)
	}
	return d, nil
}

// names returns the names of the nodes in the directory, n2 before n10.
func (d *dataDir) names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && IsName(e.Name()) && !slices.Contains(reservedNames, e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, trace.CompareNames)
	return names, nil
}

// storage returns the place of a node's files.
func (d *dataDir) storage(node string) storage {
	return boltStorage{path: d.nodePath(node), noSync: d.temporary}
}

// nodePath returns the directory of a node's files.
func (d *dataDir) nodePath(node string) string { return filepath.Join(d.path, node) }

// close unlocks the directory, and removes it if it is temporary.
func (d *dataDir) close() error {
	err := d.lock.Close()
	if d.temporary {
		err = errors.Join(err, os.RemoveAll(d.path))
	}
	return err
}
