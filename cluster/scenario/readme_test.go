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
		fmt.Fprintf(&want, "| `%s` | %s |\n", strings.ReplaceAll(r.Syntax, "|", "\\|"), r.Help)
	}
	if !strings.Contains(strings.ReplaceAll(string(readme), "\r\n", "\n"), want.String()) {
		t.Errorf("README.md needs this table of commands:\n%s", want.String())
	}
}
