package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestTheReadmeListsTheCommands keeps the README's table the same as the tables
// of commands.
func TestTheReadmeListsTheCommands(t *testing.T) {
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
		t.Errorf("README.md must hold this table of commands:\n%s", want.String())
	}
}
