package module

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFirstLoadBuildsAndTheSecondDoesNot(t *testing.T) {
	l, builds := fakeLoader(t, "a")
	var progress bytes.Buffer
	l.progress = &progress
	mustLoad(t, l, "a")
	if *builds != 1 || progress.String() != "building the exact engine, once for this version of the source (up to a minute)...\n" {
		t.Fatalf("%d builds, progress %q", *builds, progress.String())
	}
	mustLoad(t, l, "a")
	if *builds != 1 || strings.Count(progress.String(), "\n") != 1 {
		t.Fatalf("%d builds, progress %q", *builds, progress.String())
	}
	info, err := os.Stat(l.cache)
	if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the cache is %v (%v), want it closed to others", info.Mode(), err)
	}
	if names := listed(t, l.cache); !slices.Equal(names, []string{"a.wasm.gz"}) {
		t.Errorf("the cache holds %q", names)
	}
}

func TestVersionIsTheHashOfTheCode(t *testing.T) {
	m, err := newModule([]byte(wasmHeader))
	if err != nil || m.Version != "93a44bbb96c7" {
		t.Errorf("version %q (%v)", m.Version, err)
	}
}

func TestDamagedEntryIsBuiltAgain(t *testing.T) {
	var notWasm bytes.Buffer
	z := gzip.NewWriter(&notWasm)
	if _, err := z.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	flip := func(at int) func([]byte) []byte {
		return func(entry []byte) []byte { entry[(at+len(entry))%len(entry)] ^= 0x10; return entry }
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":                func([]byte) []byte { return nil },
		"first byte only":      func(entry []byte) []byte { return entry[:1] },
		"cut in the middle":    func(entry []byte) []byte { return entry[:len(entry)/2] },
		"last byte missing":    func(entry []byte) []byte { return entry[:len(entry)-1] },
		"bit of the header":    flip(0),
		"bit of the code":      flip(20),
		"bit of the checksum":  flip(-6),
		"bit of the length":    flip(-1),
		"something at its end": func(entry []byte) []byte { return append(entry, "more"...) },
		"another file":         func([]byte) []byte { return notWasm.Bytes() },
	} {
		t.Run(name, func(t *testing.T) {
			l, builds := fakeLoader(t, "a")
			mustLoad(t, l, "a")
			entry, err := os.ReadFile(l.entry("a"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, l.entry("a"), string(damage(slices.Clone(entry))))
			mustLoad(t, l, "a")
			mustLoad(t, l, "a")
			if *builds != 2 {
				t.Errorf("%d builds, want the damaged module built once more", *builds)
			}
			if again, err := os.ReadFile(l.entry("a")); err != nil || !bytes.Equal(again, entry) {
				t.Errorf("the entry was not repaired (%v)", err)
			}
		})
	}
}

func TestTwoLoadsAtOnce(t *testing.T) {
	l, _ := fakeLoader(t, "a")
	var building, loading sync.WaitGroup
	building.Add(2)
	build := l.build
	var lock sync.Mutex
	l.build = func(ctx context.Context) ([]byte, error) {
		building.Done()
		building.Wait() // until the other one builds too
		lock.Lock()
		defer lock.Unlock()
		return build(ctx)
	}
	for range 2 {
		loading.Go(func() {
			if m, err := l.load(t.Context()); err != nil || string(m.Code) != wasmHeader+"code of a" {
				t.Errorf("loaded %q (%v)", m.Code, err)
			}
		})
	}
	loading.Wait()
	mustLoad(t, l, "a")
	if names := listed(t, l.cache); !slices.Equal(names, []string{"a.wasm.gz"}) {
		t.Errorf("the cache holds %q", names)
	}
}

func TestSourceEditedDuringTheBuildIsNotKept(t *testing.T) {
	l, builds := fakeLoader(t, "a")
	build := l.build
	l.build = func(ctx context.Context) ([]byte, error) {
		l.key = func() (string, error) { return "b", nil }
		return build(ctx)
	}
	edited := l
	edited.key = func() (string, error) { return l.key() }
	mustLoad(t, edited, "a")
	if _, err := os.Stat(l.cache); *builds != 1 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%d builds, cache: %v", *builds, err)
	}
}

func TestLatestVersionsAreKept(t *testing.T) {
	l, builds := fakeLoader(t, "")
	use := func(source string) {
		l.key = func() (string, error) { return source, nil }
		l.build = func(context.Context) ([]byte, error) {
			*builds++
			return []byte(wasmHeader + "code of " + source), nil
		}
		mustLoad(t, l, source)
		// Uses follow one another more closely than the file system's clock may tell.
		for _, name := range listed(t, l.cache) {
			age(t, filepath.Join(l.cache, name), time.Minute)
		}
	}
	write(t, filepath.Join(l.cache, ".new-killed"), "half a mod")
	write(t, filepath.Join(l.cache, ".new-at-work"), "half a mod")
	age(t, filepath.Join(l.cache, ".new-killed"), 2*time.Hour)
	for i := range keptModules {
		use(strconv.Itoa(i))
	}
	use("0")
	if *builds != keptModules {
		t.Fatalf("%d builds", *builds)
	}
	use("new")
	want := []string{".new-at-work", "0.wasm.gz", "2.wasm.gz", "3.wasm.gz", "new.wasm.gz"}
	if names := listed(t, l.cache); !slices.Equal(names, want) {
		t.Errorf("the cache holds %q, want %q", names, want)
	}
}

// age makes a file older.
func age(t *testing.T, name string, by time.Duration) {
	t.Helper()
	info, err := os.Stat(name)
	if err == nil {
		err = os.Chtimes(name, time.Time{}, info.ModTime().Add(-by))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	l, builds := fakeLoader(t, "a")
	var progress bytes.Buffer
	l.progress = &progress
	write(t, filepath.Dir(l.cache), "a file in the place of the directory")
	mustLoad(t, l, "a")
	lines := strings.Split(progress.String(), "\n")
	if *builds != 1 || len(lines) != 3 || !strings.HasPrefix(lines[1], "cannot keep the exact engine, ") {
		t.Errorf("%d builds, progress %q", *builds, lines)
	}
	l.cache = ""
	mustLoad(t, l, "a")
}

func TestFailedBuildIsOneLine(t *testing.T) {
	l, _ := fakeLoader(t, "a")
	for _, c := range []struct {
		code []byte
		err  error
		want string
	}{
		{nil, errors.New("a.go:1:2: undefined: b"), "cannot build the exact engine: a.go:1:2: undefined: b"},
		{nil, errNoGo, errNoGo.Error()},
		{[]byte("text"), nil, "cannot build the exact engine: the result is not a WebAssembly module"},
	} {
		l.build = func(context.Context) ([]byte, error) { return c.code, c.err }
		if _, err := l.load(t.Context()); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.build = func(context.Context) ([]byte, error) { cancel(); return nil, errors.New("signal: killed") }
	if _, err := l.load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it canceled", err)
	}
	if _, err := os.Stat(l.cache); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a failed build left something in the cache (%v)", err)
	}
}

func TestEmbeddedModuleNeedsNothingElse(t *testing.T) {
	isolate(t)
	t.Setenv("PATH", "")
	saved := embedded
	defer func() { embedded = saved }()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(wasmHeader)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	embedded = packed.Bytes()
	if m, err := Load(t.Context(), nil); err != nil || string(m.Code) != wasmHeader {
		t.Errorf("loaded %q (%v)", m.Code, err)
	}
	embedded = embedded[:20]
	if _, err := Load(t.Context(), nil); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
}

func TestMachineCodeIsKeptPerModule(t *testing.T) {
	isolate(t)
	var dirs []string
	for i := range keptMachineCode + 1 {
		dir, err := Module{Version: strconv.Itoa(i)}.CompilationCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "wazero", "code"), "machine code")
		age(t, dir, time.Minute*time.Duration(keptMachineCode-i))
		dirs = append(dirs, dir)
	}
	if _, err := os.Stat(dirs[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the oldest is still there (%v)", err)
	}
	for _, dir := range dirs[1:] {
		if names := listed(t, dir); !slices.Equal(names, []string{"wazero"}) {
			t.Errorf("%s holds %q", dir, names)
		}
	}
}
