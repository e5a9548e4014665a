package machines

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDeletedOrReplacedProgramStartsFromTheFileThatRuns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "capsize")
	write := func() {
		t.Helper()
		if err := os.WriteFile(name, []byte("program"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	file, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	p := program{name, file}
	if got := p.path(); got != name {
		t.Errorf("it starts %s", got)
	}
	if err := os.Rename(name, name+".old"); err != nil { // so that the new file is another one
		t.Fatal(err)
	}
	if got := p.path(); got != running {
		t.Errorf("deleted, it starts %s", got)
	}
	write()
	if got := p.path(); got != running {
		t.Errorf("replaced, it starts %s", got)
	}
	if got := (program{name: name}).path(); got != name {
		t.Errorf("where the running file has no name of its own, it starts %s", got)
	}
}
