package module

import (
	"cmp"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// keptModules is how many modules the cache holds, 2 to 4 MB each: enough to go to
	// and fro between a few versions of the source.
	keptModules = 4
	// keptMachineCode is for how many modules it holds machine code, 26 to 50 MB each,
	// which wazero makes anew in seconds.
	keptMachineCode = 2
	// temporaryMaxAge is when a half-written file is taken for one whose writer was killed.
	temporaryMaxAge = time.Hour
	temporaryPrefix = ".new-"
)

// cacheDir returns the directory of the user's cache that is the exact engine's.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "capsize", "exact"), nil
}

// readEntry reads a module from the cache. A damaged entry is an error: gzip ends in a
// checksum.
func readEntry(name string) (Module, error) {
	f, err := os.Open(name)
	if err != nil {
		return Module{}, err
	}
	defer func() { _ = f.Close() }()
	m, err := unpack(f)
	if err == nil {
		touch(name)
	}
	return m, err
}

// writeEntry adds a module to the cache and removes old ones.
func writeEntry(name string, code []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, temporaryPrefix+"*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	z := gzip.NewWriter(f)
	_, err = z.Write(code)
	if err = cmp.Or(err, z.Close(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	prune(dir, keptModules, time.Now())
	return nil
}

// touch marks a version as used, so that prune keeps it. In a cache that cannot be
// written nothing is pruned either.
func touch(name string) { _ = os.Chtimes(name, time.Time{}, time.Now()) }

// prune removes all but the versions used last from a directory of the cache, and temporary
// files that nobody writes any more. What cannot be removed stays until the next time.
func prune(dir string, kept int, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var versions []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil: // another process removed it
		case !strings.HasPrefix(e.Name(), temporaryPrefix):
			versions = append(versions, info)
		case now.Sub(info.ModTime()) > temporaryMaxAge:
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	slices.SortFunc(versions, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, old := range versions[min(kept, len(versions)):] {
		_ = os.RemoveAll(filepath.Join(dir, old.Name()))
	}
}
