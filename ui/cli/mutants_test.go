package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutation whose old text is gone from the source breaks nothing and proves nothing.
func TestMutationsApply(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, ".ci", "mutants", "mutants.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Name, File, Why string
		Old, New        []string
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Errorf("got %d mutations, want 20 or more", len(all))
	}
	for _, m := range all {
		source, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(m.File)))
		if err != nil {
			t.Error(err)
			continue
		}
		old := strings.Join(m.Old, "\n")
		// With git's autocrlf a checkout on Windows has other line ends.
		found := strings.Count(strings.ReplaceAll(string(source), "\r\n", "\n"), old)
		if found != 1 || m.Why == "" || old == strings.Join(m.New, "\n") {
			t.Errorf("%s: its old text occurs %d times in %s, want once: update .ci/mutants/mutants.json", m.Name, found, m.File)
		}
	}
}
