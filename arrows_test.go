package main

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

// arrows says which packages of the project each of them may import. An import
// only ever runs downwards: the screen knows the cluster, the cluster knows no
// screen. It may leave some out on its way down: the menus of the screen offer
// the faults as the plain values they are. A package that is missing here has no
// place in the project.
var arrows = map[string][]string{
	".":                       {"ui", "cluster/scenario", "cluster", "cluster/export", "cluster/trace/recording", "cluster/vtime"},
	"ui":                      {"cluster/scenario", "cluster", "cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/check", "cluster/vtime", "faults"},
	"cluster/scenario":        {"cluster", "cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/check", "cluster/vtime", "faults"},
	"cluster":                 {"faults", "counter", "cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/check", "cluster/vtime"},
	"cluster/check":           {"cluster/trace", "counter"},
	"cluster/export":          {"cluster/trace", "cluster/trace/history", "cluster/trace/recording", "cluster/check"},
	"cluster/trace":           {},
	"cluster/trace/history":   {"cluster/trace"},
	"cluster/trace/recording": {"cluster/trace", "cluster/trace/history"},
	"cluster/trace/tracetest": {"cluster/trace"},
	"cluster/vtime":           {},
	"counter":                 {},
	"faults":                  {},
}

// testHelpers are packages that only tests may import, whatever their own package
// may import.
var testHelpers = []string{"cluster/trace/tracetest"}

// fences say of some libraries which packages may import them: nothing that is
// drawn or recorded hangs on a type of raft's, and only the screen on a
// terminal library.
var fences = []struct {
	library string // and all import paths below it
	allowed []string
}{
	{"github.com/hashicorp/raft", []string{"cluster", "counter", "faults"}},
	{"github.com/hashicorp/raft-boltdb", []string{"cluster", "faults"}},
	{"charm.land", []string{"ui"}},
	{"github.com/spf13/cobra", []string{"."}},
}

// The lengths above which code is better split by subject.
const (
	fileLinesMax     = 450
	functionLinesMax = 60
)

// source is one Go file of the project.
type source struct {
	path    string // from the top, with slashes
	lines   int
	imports []string
	// functions are the lengths in lines of those it declares.
	functions map[string]int
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources reads all Go files of the project, whatever system they are for.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(name), string(text))
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func parse(name, text string) (source, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	s := source{path: name, lines: strings.Count(text, "\n"), functions: map[string]int{}}
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		s.imports = append(s.imports, imported)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			s.functions[f.Name.Name] = files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
		}
	}
	return s, nil
}

// wrongImports says which imports of a file run against the arrows or over a fence.
func wrongImports(s source) []string {
	var wrong []string
	pkg := path.Dir(s.path)
	allowed, known := arrows[pkg]
	if !known {
		wrong = append(wrong, fmt.Sprintf("%s: package %s has no place on the map", s.path, pkg))
	}
	// The tests at the top look at the whole, so they may look at any part.
	mayLookAtAll := pkg == "." && s.isTest()
	for _, imported := range s.imports {
		own, isOwn := strings.CutPrefix(imported, "capsize/")
		helpsTest := s.isTest() && slices.Contains(testHelpers, own)
		if isOwn && own != pkg && !mayLookAtAll && !helpsTest && !slices.Contains(allowed, own) {
			wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", s.path, pkg, own))
		}
		for _, f := range fences {
			if (imported == f.library || strings.HasPrefix(imported, f.library+"/")) && !slices.Contains(f.allowed, pkg) {
				wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", s.path, pkg, imported))
			}
		}
	}
	return wrong
}

func TestImportsOnlyRunDownwards(t *testing.T) {
	all := sources(t)
	for _, s := range all {
		for _, wrong := range wrongImports(s) {
			t.Error(wrong)
		}
	}
	if len(all) < 10 {
		t.Errorf("only %d files were looked at", len(all))
	}
}

// A rule that cannot fail holds nothing: each kind of wrong import is shown to it.
func TestWrongImportsAreSeen(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		wrong          bool
	}{
		{"main.go", "capsize/ui", false},
		{"main.go", "capsize/faults", true},
		{"main_test.go", "capsize/faults", false},
		{"main.go", "github.com/hashicorp/raft", true},
		{"ui/a.go", "capsize/cluster", false},
		{"ui/a.go", "capsize/counter", true},
		{"ui/a.go", "github.com/hashicorp/raft", true},
		{"ui/a_test.go", "github.com/hashicorp/raft", true},
		{"ui/a.go", "charm.land/lipgloss/v2", false},
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
		s, err := parse(c.file, fmt.Sprintf("package a\nimport %q\n", c.imported))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := wrongImports(s); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s imports %s: found %q, wanted wrong to be %t", c.file, c.imported, wrong, c.wrong)
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > fileLinesMax {
			t.Errorf("%s has %d lines, more than %d: split it by subject", s.path, s.lines, fileLinesMax)
		}
		for name, lines := range s.functions {
			// A test's table may be as long as it has cases.
			if lines > functionLinesMax && !s.isTest() {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, name, lines, functionLinesMax)
			}
		}
	}
}

func TestLengthsAreCounted(t *testing.T) {
	s, err := parse("a.go", "package a\n\nfunc f() {\n\tg()\n}\n\nfunc g() {}\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.lines != 7 || s.functions["f"] != 3 || s.functions["g"] != 1 {
		t.Errorf("found %d lines and functions of %v", s.lines, s.functions)
	}
}

// misplaced says whether a name has no place at the top of the project.
func misplaced(name string) bool {
	top := []string{"main.go", "ui", "cluster", "counter", "faults", "go.mod", "go.sum", "README.md", "LICENSE"}
	products := []string{"capsize", "capsize.exe"} // git ignores them
	switch {
	case strings.HasPrefix(name, "."), slices.Contains(top, name), slices.Contains(products, name):
		return false
	}
	// The commands that main.go has no room for.
	if strings.HasPrefix(name, "main_") && strings.HasSuffix(name, ".go") {
		return false
	}
	// The tests of the whole, and what go test leaves beside them.
	return !slices.ContainsFunc([]string{"_test.go", ".test", ".out"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

func TestTheTopLevelStaysSmall(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if misplaced(e.Name()) {
			t.Errorf("%s: it belongs inside one of the folders", e.Name())
		}
	}
	if !misplaced("internal") || !misplaced("helpers.go") || misplaced("README.md") {
		t.Error("the rule does not tell what belongs at the top from what does not")
	}
}
