package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// top is where the project's top level is, seen from here.
const top = "../.."

// arrows maps each package to the packages of the project that it may import. An
// import only runs downwards: the screen knows the cluster, the cluster knows no
// screen; a view knows panes, a pane knows no view. A package that is missing here
// has no place in the project.
var arrows = map[string][]string{
	".": {"ui/cli"},
	"ui/cli": {
		"cluster/engine", "cluster/engine/exact", "cluster/engine/processes", "cluster/machines", "ui", "ui/course", "ui/plain", "ui/record", "ui/source", "ui/keymap", "ui/pane", "ui/style", "ui/canvas",
		"cluster/scenario", "cluster/scenario/headless", "cluster/scenario/shrink", "cluster/scenario/hunt", "cluster/check", "cluster/export", "cluster", "cluster/trace/recording", "cluster/vtime",
	},
	"ui": {
		"ui/view", "ui/course", "ui/keymap", "ui/pane", "ui/canvas", "ui/style", "ui/present", "ui/record", "ui/source", "ui/queue", "ui/undo", "ui/terminal",
		"cluster/engine", "cluster/scenario", "cluster/scenario/headless", "cluster",
		"cluster/trace", "cluster/trace/compare", "cluster/trace/history", "cluster/trace/message", "cluster/trace/recording", "cluster/vtime", "faults",
	},
	"ui/course":   {"ui/pane", "ui/canvas", "ui/style", "cluster/scenario", "cluster/trace"},
	"ui/plain":    {"ui/queue", "ui/source", "ui/canvas", "cluster/engine", "cluster/scenario", "cluster", "cluster/trace", "cluster/vtime"},
	"ui/record":   {"ui/view", "ui/pane", "ui/canvas", "ui/style", "ui/source", "ui/terminal", "cluster/engine", "cluster/scenario", "cluster/scenario/headless", "cluster/trace", "cluster/trace/history", "cluster/vtime"},
	"ui/present":  {"cluster/scenario", "cluster/trace", "cluster/trace/history"},
	"ui/queue":    {"cluster/engine", "cluster/scenario", "cluster/trace"},
	"ui/source":   {"ui/canvas", "cluster/engine", "cluster", "cluster/trace", "cluster/trace/history"},
	"ui/view":     {"ui/keymap", "ui/pane", "ui/canvas", "ui/style", "cluster/check", "cluster/trace", "cluster/trace/compare", "cluster/trace/history", "cluster/trace/message", "cluster/trace/spacetime", "cluster/vtime", "faults"},
	"ui/keymap":   {"ui/pane", "ui/canvas"},
	"ui/pane":     {"ui/canvas", "ui/style", "cluster/check", "cluster/trace", "cluster/vtime", "faults"},
	"ui/canvas":   {"ui/style", "cluster/trace"},
	"ui/style":    {},
	"ui/terminal": {},
	"ui/undo":     {"cluster/trace"},
	"ui/uitest":   {"ui/canvas", "ui/style", "cluster/check", "cluster/trace", "cluster/trace/history"},

	"cluster/engine/exact/module":          {},
	"cluster/engine/exact/module/generate": {"cluster/engine/exact/module"},

	"cluster/engine/processes": {"cluster/engine", "cluster/machines", "cluster", "cluster/scenario", "cluster/scenario/headless", "cluster/trace", "cluster/trace/history"},
	"cluster/engine":           {"cluster/scenario", "cluster", "cluster/check", "cluster/trace/recording", "cluster/trace", "cluster/trace/history", "cluster/vtime"},
	"cluster/engine/exact": {
		"cluster/engine/exact/module", "cluster/engine/exact/wire", "cluster/engine", "cluster/scenario", "cluster",
		"cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/vtime",
	},
	"cluster/engine/exact/guest": {"cluster/engine/exact/wire", "cluster/engine", "cluster", "cluster/trace", "cluster/trace/recording"},
	"cluster/engine/exact/wire":  {"cluster/trace"},
	"cluster/engine/enginetest":  {"cluster/engine", "cluster/scenario", "cluster", "cluster/trace"},

	"cluster/scenario/headless": {
		"cluster/engine", "cluster/scenario", "cluster", "cluster/trace", "cluster/trace/history", "cluster/trace/recording",
		"cluster/check", "cluster/vtime", "counter",
	},
	"cluster/scenario/hunt": {"cluster/engine", "cluster/engine/exact", "cluster/scenario", "cluster/scenario/headless", "cluster", "cluster/trace"},
	"cluster/scenario/shrink": {
		"cluster/engine", "cluster/engine/exact", "cluster/scenario", "cluster/scenario/headless", "cluster", "cluster/trace",
	},
	"cluster/scenario":        {"cluster", "cluster/trace", "cluster/check", "cluster/vtime", "faults"},
	"cluster/machines":        {"cluster", "cluster/control", "cluster/trace", "faults", "faults/tcp"},
	"cluster/control":         {"cluster/trace", "counter"},
	"cluster":                 {"faults", "counter", "cluster/control", "cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/check", "cluster/vtime"},
	"cluster/check":           {"cluster/trace", "cluster/trace/history", "cluster/trace/recording", "counter"},
	"cluster/export":          {"cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/trace/spacetime", "cluster/check"},
	"cluster/trace":           {},
	"cluster/trace/compare":   {"cluster/trace", "cluster/trace/history", "cluster/trace/recording"},
	"cluster/trace/history":   {"cluster/trace"},
	"cluster/trace/message":   {"cluster/trace", "cluster/trace/history"},
	"cluster/trace/recording": {"cluster/trace", "cluster/trace/history"},
	"cluster/trace/spacetime": {"cluster/trace", "cluster/trace/history"},
	"cluster/trace/tracetest": {"cluster/trace"},
	"cluster/vtime":           {},
	"counter":                 {},
	"faults":                  {},
	"faults/tcp":              {"faults"},
	"faults/wiretest":         {},
}

// testHelpers are packages that only tests may import, from any package.
var testHelpers = []string{"cluster/engine/enginetest", "cluster/trace/tracetest", "faults/wiretest", "ui/uitest"}

// fences lists libraries that only some packages may import: nothing that is drawn
// or recorded depends on a raft type, and only the screen depends on a terminal
// library.
var fences = []struct {
	library string // with all import paths below it
	allowed []string
}{
	{"github.com/hashicorp/raft", []string{"cluster", "cluster/machines", "counter", "faults", "faults/tcp", "faults/wiretest"}},
	{"github.com/hashicorp/raft-boltdb", []string{"cluster", "faults"}},
	{"charm.land/bubbletea", []string{"ui", "ui/keymap"}},
	{"charm.land/bubbles", []string{"ui", "ui/keymap"}},
	{"charm.land/lipgloss", []string{"ui/style"}},
	{"github.com/spf13", []string{"ui/cli"}},
	{"github.com/tetratelabs/wazero", []string{"cluster/engine/exact"}},
}

// goFile is one Go file of the project.
type goFile struct {
	path    string // from the top level, with slashes
	lines   int
	imports []string
	// functions and structs map those it declares to their length in lines and
	// their number of fields.
	functions, structs map[string]int
	readsClock         bool // calls time.Now or time.Since
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// goFiles reads all Go files of the project, for whatever system.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var all []goFile
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != top && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(inside), string(text))
		all = append(all, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func parse(name, text string) (goFile, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return goFile{}, err
	}
	f := goFile{path: name, lines: strings.Count(text, "\n"), functions: map[string]int{}, structs: map[string]int{}}
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return f, fmt.Errorf("%s: %w", name, err)
		}
		f.imports = append(f.imports, imported)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			f.functions[n.Name.Name] = files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok {
				f.structs[n.Name.Name] = fieldCount(s)
			}
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since") {
				f.readsClock = true
			}
		}
		return true
	})
	return f, nil
}

// fieldCount returns how many fields a struct has; an embedded one counts once.
func fieldCount(s *ast.StructType) (count int) {
	for _, field := range s.Fields.List {
		count += max(len(field.Names), 1)
	}
	return count
}

// wrongImports returns the imports of a file that run against the arrows or cross a
// fence.
func wrongImports(f goFile) []string {
	var wrong []string
	pkg := path.Dir(f.path)
	allowed, known := arrows[pkg]
	if !known {
		wrong = append(wrong, fmt.Sprintf("%s: package %s has no place on the map", f.path, pkg))
	}
	// The tests of the command line test the whole program, so they may use any part.
	isEndToEnd := pkg == "ui/cli" && f.isTest()
	for _, imported := range f.imports {
		own, isOwn := strings.CutPrefix(imported, "capsize/")
		helpsTest := f.isTest() && slices.Contains(testHelpers, own)
		if isOwn && own != pkg && !isEndToEnd && !helpsTest && !slices.Contains(allowed, own) {
			wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", f.path, pkg, own))
		}
		for _, fence := range fences {
			if (imported == fence.library || strings.HasPrefix(imported, fence.library+"/")) && !slices.Contains(fence.allowed, pkg) {
				wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", f.path, pkg, imported))
			}
		}
	}
	return wrong
}

func TestImportsOnlyRunDownwards(t *testing.T) {
	all := goFiles(t)
	for _, f := range all {
		for _, wrong := range wrongImports(f) {
			t.Error(wrong)
		}
	}
	if len(all) < 200 {
		t.Errorf("read only %d files", len(all))
	}
}

// The map itself has no arrow that runs up: packages can be put in an order in which
// each imports only later ones.
func TestTheMapHasNoCycle(t *testing.T) {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(pkg string)
	visit = func(pkg string) {
		switch state[pkg] {
		case visiting:
			t.Fatalf("the map leads from %s back to it", pkg)
		case done:
			return
		}
		state[pkg] = visiting
		for _, below := range arrows[pkg] {
			visit(below)
		}
		state[pkg] = done
	}
	for pkg := range arrows {
		visit(pkg)
	}
}

// A rule that cannot fail holds nothing: the test shows it each kind of wrong import.
func TestWrongImportsAreFound(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		wrong          bool
	}{
		{"main.go", "capsize/ui/cli", false},
		{"main.go", "capsize/ui", true},
		{"main.go", "capsize/faults", true},
		{"main.go", "github.com/hashicorp/raft", true},
		{"ui/cli/a.go", "capsize/ui", false},
		{"ui/cli/a.go", "capsize/faults", true},
		{"ui/cli/a_test.go", "capsize/faults", false},
		{"ui/a.go", "capsize/ui/view", false},
		{"ui/a.go", "capsize/ui/cli", true},
		{"ui/a.go", "capsize/counter", true},
		{"ui/a.go", "github.com/hashicorp/raft", true},
		{"ui/a_test.go", "github.com/hashicorp/raft", true},
		{"ui/a.go", "charm.land/bubbletea/v2", false},
		{"ui/a.go", "charm.land/lipgloss/v2", true},
		{"ui/a.go", "github.com/spf13/pflag", true},
		{"ui/a.go", "capsize/ui/uitest", true},
		{"ui/a_test.go", "capsize/ui/uitest", false},
		{"ui/view/a.go", "capsize/ui/pane", false},
		{"ui/view/a.go", "capsize/ui", true},
		{"ui/view/a.go", "capsize/cluster", true},
		{"ui/pane/a.go", "capsize/cluster/trace", false},
		{"ui/pane/a.go", "capsize/ui/view", true},
		{"ui/pane/a.go", "capsize/cluster", true},
		{"ui/pane/a.go", "charm.land/bubbletea/v2", true},
		{"ui/canvas/a.go", "capsize/ui/pane", true},
		{"ui/style/a.go", "charm.land/lipgloss/v2", false},
		{"ui/record/a.go", "capsize/ui", true},
		{"cluster/a.go", "capsize/faults", false},
		{"cluster/a.go", "capsize/ui", true},
		{"cluster/a.go", "capsize/cluster/scenario", true},
		{"cluster/a.go", "charm.land/lipgloss/v2", true},
		{"cluster/scenario/a.go", "capsize/cluster", false},
		{"cluster/scenario/a.go", "capsize/ui", true},
		{"cluster/check/a.go", "capsize/counter", false},
		{"cluster/check/a.go", "capsize/cluster", true},
		{"cluster/trace/a.go", "capsize/cluster", true},
		{"cluster/trace/a.go", "github.com/hashicorp/raft", true},
		{"cluster/trace/a.go", "capsize/cluster/trace/history", true},
		{"cluster/trace/a_test.go", "capsize/cluster/trace/tracetest", false},
		{"cluster/trace/history/a.go", "capsize/cluster/trace", false},
		{"cluster/trace/history/a.go", "capsize/cluster/trace/tracetest", true},
		{"cluster/trace/history/a.go", "capsize/cluster/trace/recording", true},
		{"cluster/trace/recording/a.go", "capsize/cluster/trace/history", false},
		{"cluster/trace/recording/a.go", "capsize/cluster", true},
		{"cluster/vtime/a.go", "capsize/cluster/trace", true},
		{"counter/a.go", "github.com/hashicorp/raft", false},
		{"counter/a.go", "capsize/cluster/trace", true},
		{"faults/a.go", "github.com/hashicorp/raft-boltdb/v2", false},
		{"faults/a.go", "capsize/counter", true},
		{"faults/example_test.go", "capsize/faults", false}, // an example imports what it shows
		{"ui/colours/a.go", "image/color", true},            // a package that is not on the map
	} {
		f, err := parse(c.file, fmt.Sprintf("package a\nimport %q\n", c.imported))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := wrongImports(f); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s imports %s: found %q, want wrong to be %t", c.file, c.imported, wrong, c.wrong)
		}
	}
}
