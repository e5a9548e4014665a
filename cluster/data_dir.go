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

// ErrBusy is returned when another capsize uses the directory.
var ErrBusy = errors.New("another capsize is using it: quit that one or choose another directory")

// dataDir holds the files of all nodes, one directory for each, and a lock.
type dataDir struct {
	path      string
	temporary bool
	lock      *bbolt.DB
}

// openDataDir opens or makes the directory and locks it as a whole. An empty
// path is a new temporary directory.
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
	// Bolt locks the files it opens, on every system, and lets go of the lock
	// when the process ends, however it ends: an empty database is a lock. The
	// shortest timeout is one try.
	d.lock, err = bbolt.Open(filepath.Join(d.path, "lock"), 0o600, &bbolt.Options{Timeout: 1})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", d.path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("locking %s: %w", d.path, err)
	}
	return d, nil
}

// names returns the nodes whose files are there, n2 before n10.
func (d *dataDir) names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && validName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, trace.CompareNames)
	return names, nil
}

// close unlocks the directory, and removes a temporary one.
func (d *dataDir) close() error {
	err := d.lock.Close()
	if d.temporary {
		err = errors.Join(err, os.RemoveAll(d.path))
	}
	return err
}
