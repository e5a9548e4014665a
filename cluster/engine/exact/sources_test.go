package exact

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// forbidden are the functions through which chance, or the machine, could reach a run: a package,
// and its functions, or all but some. All of a guest's chance comes from the seed of its host, but
// natively, too, a run must draw nothing that is not from its own seed.
var forbidden = map[string]func(name string) bool{
	"math/rand":    func(string) bool { return true },
	"crypto/rand":  func(string) bool { return true },
	"hash/maphash": func(string) bool { return true },
	"math/rand/v2": func(name string) bool {
		switch name {
		case "New", "NewPCG", "NewChaCha8", "Rand", "PCG", "ChaCha8":
			return false
		}
		return true
	},
	"os": func(name string) bool {
		switch name {
		case "Getenv", "LookupEnv", "Environ", "ExpandEnv", "Hostname", "Getpid", "Getppid", "Args":
			return true
		}
		return false
	},
	"runtime": func(name string) bool {
		switch name {
		case "NumCPU", "GOMAXPROCS", "NumGoroutine", "ReadMemStats", "Version", "GOARCH", "GOOS":
			return true
		}
		return false
	},
}

// reader is the file of the guest's packages that it never runs: it reads recordings.
const reader = "recording/reader.go"

// guestFiles returns the project's files that the guest is built from.
func guestFiles(t *testing.T) (files []string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{$dir := .Dir}}{{$path := .ImportPath}}{{range .GoFiles}}{{$path}} {{$dir}} {{.}}{{"\n"}}{{end}}{{end}}`, "./guest")
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[0], "capsize/") {
			files = append(files, filepath.Join(fields[1], fields[2]))
		}
	}
	return files
}

// chances returns the uses of forbidden functions in a file.
func chances(t *testing.T, name string, text any) (found []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]func(string) bool{}
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		local := filepath.Base(strings.TrimSuffix(path, "/v2"))
		if i.Name != nil {
			local = i.Name.Name
		}
		if is, known := forbidden[path]; known {
			imports[local] = is
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] != nil && imports[x.Name](s.Sel.Name) {
				found = append(found, files.Position(s.Pos()).String()+": "+x.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestGuestDrawsOnlyFromItsSeed(t *testing.T) {
	files := guestFiles(t)
	if len(files) < 100 {
		t.Fatalf("the guest has only %d files", len(files))
	}
	for _, name := range files {
		if strings.HasSuffix(filepath.ToSlash(name), reader) {
			continue
		}
		for _, use := range chances(t, name, nil) {
			t.Errorf("%s: a run must not depend on it", use)
		}
	}
	for _, planted := range []string{
		`import "math/rand/v2"; var x = rand.IntN(6)`, `import "os"; var x = os.Getenv("X")`, `import r "crypto/rand"; var x = r.Reader`,
		`import "runtime"; var x = runtime.NumCPU()`,
	} {
		if len(chances(t, "planted.go", "package p\n"+planted)) != 1 {
			t.Errorf("not found: %s", planted)
		}
	}
}
