package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// README.md holds a copy of the command reference.
func TestReadmeListsTheCommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| command | does |\n|---|---|\n")
	for _, r := range References() {
		help := r.Help
		if r.Virtual != "" && r.Virtual != noSIGSTOP {
			help += "; not over processes"
		}
		fmt.Fprintf(&want, "| `%s` | %s |\n", strings.ReplaceAll(r.Syntax, "|", "\\|"), help)
	}
	if !strings.Contains(strings.ReplaceAll(string(readme), "\r\n", "\n"), want.String()) {
		t.Errorf("README.md needs this table of commands:\n%s", want.String())
	}
}
