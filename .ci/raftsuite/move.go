package main

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// prefix begins the package-level names of the moved package.
const prefix = "faults_"

// source is a Go file with the edits to make in it.
type source struct {
	name  string
	text  []byte
	ast   *ast.File
	base  token.Pos
	edits []edit
}

// edit replaces the text between two offsets.
type edit struct {
	from, to int
	text     string
}

func (s *source) replace(from, to token.Pos, text string) {
	s.edits = append(s.edits, edit{int(from - s.base), int(to - s.base), text})
}

// edited returns the text with all edits made.
func (s *source) edited() []byte {
	slices.SortFunc(s.edits, func(a, b edit) int { return b.from - a.from })
	text := s.text
	for _, e := range s.edits {
		text = slices.Replace(text, e.from, e.to, []byte(e.text)...)
	}
	return text
}

// movePackage merges the package in the folder from, without its tests, into package raft
// in the folder raftDir: raft's tests are internal, so they cannot import a package that
// imports raft.
func movePackage(from, raftDir string) error {
	fset := token.NewFileSet()
	sources, err := parseFolder(fset, from)
	if err != nil {
		return err
	}
	lookup, err := exportData(from)
	if err != nil {
		return err
	}
	files := make([]*ast.File, len(sources))
	for i, s := range sources {
		files[i] = s.ast
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	pkg, err := conf.Check(from, fset, files, info)
	if err != nil {
		return err
	}
	for _, s := range sources {
		s.move(pkg, info)
		if err := os.WriteFile(filepath.Join(raftDir, prefix+s.name), s.edited(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// parseFolder parses the Go files of a folder that are not tests.
func parseFolder(fset *token.FileSet, dir string) ([]*source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var sources []*source
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		sources = append(sources, &source{name: filepath.Base(path), text: text, ast: f, base: f.FileStart})
	}
	return sources, nil
}

// exportData returns the type information of the package's imports.
func exportData(dir string) (importer.Lookup, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".")
	list.Dir, list.Stderr = dir, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing what %s imports: %w", dir, err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }, nil
}

// move edits a file of pkg to make it part of package raft.
func (s *source) move(pkg *types.Package, info *types.Info) {
	// Raft's go.mod asks for an older Go than these files need.
	s.replace(s.ast.Package, s.ast.Package, "//go:build go1.26\n\n")
	s.replace(s.ast.Name.Pos(), s.ast.Name.End(), "raft")
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if isRaft(n.X, info) {
				s.replace(n.X.Pos(), n.Sel.Pos(), "")
			}
		case *ast.Ident:
			if named(n, info, pkg) {
				s.replace(n.Pos(), n.Pos(), prefix)
			}
		case *ast.GenDecl:
			s.dropImport(n)
		}
		return true
	})
}

// dropImport removes the import of raft.
func (s *source) dropImport(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		if i, ok := spec.(*ast.ImportSpec); !ok || i.Path.Value != strconv.Quote(raftPath) {
			continue
		}
		if decl.Lparen.IsValid() {
			s.replace(spec.Pos(), spec.End(), "")
		} else {
			s.replace(decl.Pos(), decl.End(), "")
		}
	}
}

// hidden are the built-in functions that package raft shadows with its own functions. The
// adapter has replacements for them.
var hidden = map[types.Object]bool{types.Universe.Lookup("min"): true, types.Universe.Lookup("max"): true}

func isRaft(e ast.Expr, info *types.Info) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	p, ok := info.Uses[id].(*types.PkgName)
	return ok && p.Imported().Path() == raftPath
}

// named reports whether the identifier is a package-level name of pkg, a field named after
// an embedded type of pkg, or a hidden function.
func named(id *ast.Ident, info *types.Info, pkg *types.Package) bool {
	obj := info.Uses[id]
	if obj == nil {
		obj = info.Defs[id]
	}
	if field, ok := obj.(*types.Var); ok && field.Embedded() {
		t := field.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if n, ok := t.(*types.Named); ok {
			obj = n.Obj()
		}
	}
	return obj != nil && (obj.Parent() == pkg.Scope() || hidden[obj])
}
