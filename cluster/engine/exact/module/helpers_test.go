package module

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// isolate gives the test an empty cache of the user and an empty directory of temporary
// files. The go command keeps its own cache, which is found through the user's.
func isolate(t *testing.T) {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		t.Setenv(names[i], strings.TrimSpace(value))
	}
	dir := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, filepath.Join(dir, "home"))
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, tmp)
	}
}

// write writes a file and the directories above it.
func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const guestSource = `//go:build wasip1

package main

func main() {}

//go:wasmexport answer
func answer() int32 { return 42 }
`

// checkout writes a small checkout of capsize and returns its top directory.
func checkout(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                             "// comment\nmodule capsize\n\ngo 1.26.0\n",
		"go.sum":                             "",
		"README.md":                          "text",
		"cluster/engine/exact/guest/main.go": guestSource,
		"cluster/scenario/scenarios/first.capsize": "title First\n",
		"cluster/scenario/builtin_test.go":         "package scenario\n",
		"cluster/trace/testdata/a.go":              "package a\n",
		"cluster/trace/.#trace.go":                 "package trace\n",
		"counter/fsm.go":                           "package counter\n",
		"faults/link.go":                           "package faults\n",
		"ui/run.go":                                "package ui\n",
	} {
		write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	return root
}

// fakeLoader is a loader over a source that is a string. builds counts its builds.
func fakeLoader(t *testing.T, source string) (l loader, builds *int) {
	t.Helper()
	builds = new(int)
	return loader{
		cache: filepath.Join(t.TempDir(), "cache", "modules"),
		key:   func() (string, error) { return source, nil },
		build: func(context.Context) ([]byte, error) {
			*builds++
			return []byte(wasmHeader + "code of " + source), nil
		},
	}, builds
}

// mustLoad loads and checks that the module is the one of the source.
func mustLoad(t *testing.T, l loader, source string) {
	t.Helper()
	m, err := l.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := wasmHeader + "code of " + source; string(m.Code) != want {
		t.Fatalf("loaded %q, want %q", m.Code, want)
	}
}

// listed returns the names of the files in a directory.
func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
