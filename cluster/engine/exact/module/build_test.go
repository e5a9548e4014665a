package module

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestCanaryHasAKeyOfItsOwn(t *testing.T) {
	root := checkout(t)
	before, err := sourceKey(root, "go1.26.8")
	if err != nil {
		t.Fatal(err)
	}
	args := buildArgs
	t.Cleanup(func() { buildArgs = args })
	buildArgs = append(slices.Clone(args[:len(args)-1]), "-tags=other")
	if args[len(args)-1] != "-tags="+tags {
		t.Fatalf("the last argument is %s, want the tags", args[len(args)-1])
	}
	if after, err := sourceKey(root, "go1.26.8"); err != nil || after == before {
		t.Errorf("a build with other tags has the same key (%v)", err)
	}
}

func TestKeyChangesWithWhatIsBuilt(t *testing.T) {
	root := checkout(t)
	key := func(goVersion string) string {
		t.Helper()
		k, err := sourceKey(root, goVersion)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	before := key("go1.26.8")
	if key("go1.26.9") == before {
		t.Error("another version of Go has the same key")
	}
	for name, matters := range map[string]bool{
		"go.mod": true, "go.sum": true,
		"cluster/engine/exact/guest/main.go":        true,
		"cluster/engine/exact/guest/new.go":         true,
		"cluster/scenario/scenarios/first.capsize":  true,
		"cluster/scenario/scenarios/second.capsize": true,
		"counter/fsm.go":                            true,
		"faults/link.go":                            true,
		"README.md":                                 false,
		"cluster/scenario/builtin_test.go":          false,
		"cluster/trace/testdata/a.go":               false,
		"cluster/trace/.#trace.go":                  false,
		"ui/run.go":                                 false,
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		content, readErr := os.ReadFile(name)
		write(t, name, string(content)+"\n// more\n")
		if changed := key("go1.26.8") != before; changed != matters {
			t.Errorf("%s changes the key: %t, want %t", name, changed, matters)
		}
		if readErr != nil {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, name, string(content))
	}
	if key("go1.26.8") != before {
		t.Error("the same source has another key")
	}
	// Content that moves to another file is another source.
	write(t, filepath.Join(root, "faults", "renamed.go"), "package faults\n")
	if err := os.Remove(filepath.Join(root, "faults", "link.go")); err != nil {
		t.Fatal(err)
	}
	if key("go1.26.8") == before {
		t.Error("a renamed file has the same key")
	}
}

// The go command names what it would compile and embed for any program below cluster,
// the guest among them; the key must cover all of it.
func TestKeyCoversTheWholeBuild(t *testing.T) {
	const root = "../../../.."
	const format = `{{if not .Standard}}{{$p := .ImportPath}}
		{{range .GoFiles}}{{$p}}/{{.}} {{end}} {{range .SFiles}}{{$p}}/{{.}} {{end}} {{range .EmbedFiles}}{{$p}}/{{.}} {{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-f", format, "./cluster/...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := sourceFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, f := range files {
		covered[f] = true
	}
	count := map[string]int{} // by suffix
	for _, f := range strings.Fields(string(out)) {
		inside, isOwn := strings.CutPrefix(f, "capsize/")
		if !isOwn {
			continue // go.sum has its checksum
		}
		if count[path.Ext(f)]++; !covered[inside] {
			t.Errorf("%s goes into the build and not into the key", inside)
		}
	}
	if count[".go"] < 100 || count[".capsize"] < 10 {
		t.Errorf("the go command names only %v files", count)
	}
}

func TestSourceIsFoundAboveADirectory(t *testing.T) {
	root := checkout(t)
	inside := filepath.Join(root, "cluster", "scenario", "scenarios")
	for _, dir := range []string{inside, root} {
		if got, found := topOf(dir); !found || got != root {
			t.Errorf("above %s: %q, %t", dir, got, found)
		}
	}
	// Another module, also one inside of a checkout, is passed over.
	write(t, filepath.Join(inside, "go.mod"), "module capsize/tools\n")
	if got, _ := topOf(inside); got != root {
		t.Errorf("found %q", got)
	}
	write(t, filepath.Join(root, "go.mod"), "module capsized\n")
	if got, found := topOf(inside); found && got == root {
		t.Error("took another module for a checkout")
	}
	write(t, filepath.Join(root, "go.mod"), "module capsize // the playground\r\n")
	if err := os.RemoveAll(filepath.Join(root, "cluster", "engine")); err != nil {
		t.Fatal(err)
	}
	if got, found := topOf(inside); found && got == root {
		t.Error("took a checkout without the guest")
	}
}

func TestBuildIsTheSameEverywhere(t *testing.T) {
	isolate(t)
	build := func() []byte {
		t.Helper()
		root := checkout(t)
		tools, err := findGo(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		code, err := tools.build(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	plain := build()
	if _, err := newModule(plain); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(t.TempDir(), "env")
	write(t, settings, "GOFLAGS=-tags=other -ldflags=-w\nGOWASM=satconv\nGOEXPERIMENT=fieldtrack\n")
	for name, value := range map[string]string{
		"GOENV": settings, "GOFLAGS": "-mod=vendor -tags=x -gcflags=-N", "GOOS": "plan9", "GOARCH": "386", "GOWASM": "signext",
		"CGO_ENABLED": "1", "GOEXPERIMENT": "boringcrypto", "GODEBUG": "http2client=0", "GOFIPS140": "latest", "GOWORK": "/none/go.work", "GO111MODULE": "off",
	} {
		t.Setenv(name, value)
	}
	if !bytes.Equal(build(), plain) {
		t.Error("the environment changes what is built")
	}
	if left := listed(t, os.TempDir()); len(left) != 0 {
		t.Errorf("left %q behind", left)
	}
}

func TestErrorOfTheCompilerIsOneLine(t *testing.T) {
	isolate(t)
	root := checkout(t)
	write(t, filepath.Join(root, "cluster", "engine", "exact", "guest", "broken.go"), "package main\n\nvar _ = b\nvar _ = c\n")
	_, err := loadFrom(t.Context(), root, nil)
	want := "cannot build the exact engine: " + filepath.FromSlash("cluster/engine/exact/guest/broken.go:3:9: undefined: b")
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestFirstMessage(t *testing.T) {
	for messages, want := range map[string]string{
		"": "",
		"go: downloading x v1\n# capsize/counter\n\n\tcounter/a.go:1:2: undefined: b\ncounter/a.go:2:2: c\n": "counter/a.go:1:2: undefined: b",
		"go: cannot find main module\n": "go: cannot find main module",
	} {
		if got := firstMessage(messages); got != want {
			t.Errorf("of %q: %q, want %q", messages, got, want)
		}
	}
}

func TestWithoutAHomeTheGoCommandSaysSo(t *testing.T) {
	isolate(t)
	root := checkout(t)
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData", "GOCACHE"} {
		t.Setenv(name, "")
	}
	_, err := loadFrom(t.Context(), root, nil)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "GOCACHE is not defined") {
		t.Errorf("error %v", err)
	}
}

func TestWithoutGo(t *testing.T) {
	isolate(t)
	root := checkout(t)
	t.Setenv("PATH", t.TempDir())
	if _, err := loadFrom(t.Context(), root, nil); err == nil || err.Error() != errNoGo.Error() {
		t.Errorf("error %v, want %v", err, errNoGo)
	}
	// What this program's Go built before is used.
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	l := loader{
		cache: filepath.Join(dir, "modules"),
		key:   func() (string, error) { return sourceKey(root, runtime.Version()) },
		build: func(context.Context) ([]byte, error) { return []byte(wasmHeader), nil },
	}
	if _, err := l.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, err := loadFrom(t.Context(), root, nil); err != nil || string(m.Code) != wasmHeader {
		t.Errorf("loaded %q (%v)", m.Code, err)
	}
}
