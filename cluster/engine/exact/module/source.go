package module

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// guestPackage is the program that is built, from the top of the checkout.
const guestPackage = "cluster/engine/exact/guest"

// sourceFolders hold all packages of the project that go into the guest.
var sourceFolders = []string{"cluster", "counter", "faults"}

// sourceSuffixes are those of the files in them that go into the guest: what is
// compiled, and what is embedded.
var sourceSuffixes = []string{".go", ".capsize"}

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+capsize[ \t]*(//.*)?\r?$`)

// findSource returns the top directory of the checkout that this program was built from
// or, if that is gone, of the one around the working directory.
func findSource() (string, error) {
	// With -trimpath the compiler notes no absolute path.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if root, found := topOf(filepath.Dir(file)); found {
			return root, nil
		}
	}
	if dir, err := os.Getwd(); err == nil {
		if root, found := topOf(dir); found {
			return root, nil
		}
	}
	return "", errors.New("exact runs need capsize's source to build their engine: run capsize inside a checkout, or use a release build")
}

// topOf returns the closest directory at or above dir that is the top of a checkout with
// the guest program.
func topOf(dir string) (root string, found bool) {
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleLine.Match(mod) {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(guestPackage)))
			if err == nil && info.IsDir() {
				return dir, true
			}
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", false
		}
		dir = above
	}
}

// sourceKey returns the hash of everything that a build depends on: the version of Go,
// its arguments, and names and contents of the source files.
func sourceKey(root, goVersion string) (string, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q %q %q\n", goVersion, buildArgs, buildEnv)
	add := func(name string) error {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(hash, "%q %d\n", name, len(content))
		_, _ = hash.Write(content)
		return nil
	}
	files, err := sourceFiles(root)
	if err != nil {
		return "", err
	}
	for _, name := range files {
		if err := add(name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

// sourceFiles returns the names, from root and with slashes, of the files that go into
// the guest. It may return more than those, never fewer.
func sourceFiles(root string) ([]string, error) {
	files := []string{"go.mod", "go.sum"}
	for _, folder := range sourceFolders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			// The go command ignores these names too.
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")):
				return filepath.SkipDir
			case d.IsDir() || !isSource(d.Name()):
				return nil
			}
			inside, err := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(inside))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func isSource(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	for _, suffix := range sourceSuffixes {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
