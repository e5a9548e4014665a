package cli

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The sizes above which code is better split by subject.
const (
	fileLinesMax     = 400
	testLinesMax     = 450
	functionLinesMax = 60
	fieldsMax        = 15
	folderFilesMax   = 30 // of a folder of ui
)

// longStructs have more fields than fieldsMax, each for a reason.
var longStructs = map[string]string{
	"cluster/trace.Event":  "one line of a recording: its fields are the file format",
	"cluster/trace.Packet": "one packet in a recording: its fields are the file format",
	"cluster/trace.Op":     "one client operation in a recording: its fields are the file format",
	"cluster/trace.Node":   "the state of one node, folded from events: each field is one fact",
	"cluster/trace.State":  "the state of the cluster, folded from events: each field is one fact",
}

func TestFilesFunctionsAndStructsAreShort(t *testing.T) {
	found := map[string]bool{}
	for _, f := range goFiles(t) {
		most := fileLinesMax
		if f.isTest() {
			most = testLinesMax
		}
		if f.lines > most {
			t.Errorf("%s has %d lines, more than %d: split it by subject", f.path, f.lines, most)
		}
		for name, lines := range f.functions {
			// A test's table may be as long as it has cases.
			if lines > functionLinesMax && !f.isTest() {
				t.Errorf("%s: %s has %d lines, more than %d", f.path, name, lines, functionLinesMax)
			}
		}
		for name, fields := range f.structs {
			full := path.Dir(f.path) + "." + name
			if fields <= fieldsMax || f.isTest() {
				continue
			}
			if found[full] = true; longStructs[full] == "" {
				t.Errorf("%s: %s has %d fields, more than %d: group them", f.path, name, fields, fieldsMax)
			}
		}
	}
	for name := range longStructs {
		if !found[name] {
			t.Errorf("%s is no long struct any more: take it off the list", name)
		}
	}
}

func TestLengthsAreCounted(t *testing.T) {
	f, err := parse("a.go", "package a\n\nfunc f() {\n\tg()\n}\n\nfunc g() {}\n\ntype s struct {\n\ta, b int\n\tg\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	if f.lines != 12 || f.functions["f"] != 3 || f.functions["g"] != 1 || f.structs["s"] != 3 {
		t.Errorf("counted %d lines, functions %v, structs %v", f.lines, f.functions, f.structs)
	}
}

// A room with too many files has more than one subject.
func TestFoldersOfTheScreenAreSmall(t *testing.T) {
	files := map[string]int{}
	for _, f := range goFiles(t) {
		if dir := path.Dir(f.path); dir == "ui" || strings.HasPrefix(dir, "ui/") {
			files[dir]++
		}
	}
	for dir, count := range files {
		if count > folderFilesMax {
			t.Errorf("%s has %d files, more than %d", dir, count, folderFilesMax)
		}
	}
	if len(files) < 10 {
		t.Errorf("found only the folders %v", files)
	}
}

// What is drawn or folded from events depends on them alone, never on the time of day.
func TestDrawingAndFoldingReadNoClock(t *testing.T) {
	pure := []string{"ui/style", "ui/canvas", "ui/pane", "ui/view", "ui/undo", "cluster/trace", "cluster/trace/history", "cluster/trace/message"}
	for _, f := range goFiles(t) {
		if f.readsClock && !f.isTest() && slices.Contains(pure, path.Dir(f.path)) {
			t.Errorf("%s reads the wall clock", f.path)
		}
	}
	f, err := parse("a.go", "package a\n\nimport \"time\"\n\nvar now = time.Now()\n")
	if err != nil || !f.readsClock {
		t.Errorf("the rule finds no call of time.Now: %v", err)
	}
}

// misplaced reports whether a name has no place at the top level of the project.
func misplaced(name string) bool {
	allowed := []string{"main.go", "ui", "cluster", "counter", "faults", "go.mod", "go.sum", "README.md", "LICENSE"}
	products := []string{"capsize", "capsize.exe"} // git ignores them
	return !strings.HasPrefix(name, ".") && !slices.Contains(allowed, name) && !slices.Contains(products, name)
}

func TestTheTopLevelIsWhatWasAskedFor(t *testing.T) {
	entries, err := os.ReadDir(filepath.FromSlash(top))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if misplaced(e.Name()) {
			t.Errorf("%s belongs inside one of the folders", e.Name())
		}
	}
	for _, name := range []string{"internal", "helpers.go", "main_test.go", "main_run.go"} {
		if !misplaced(name) {
			t.Errorf("the rule allows %s at the top level", name)
		}
	}
	if misplaced("README.md") {
		t.Error("the rule forbids README.md")
	}
}
