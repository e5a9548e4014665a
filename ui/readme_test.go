package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestTheReadmeListsTheKeys keeps the README's table the same as the key map.
func TestTheReadmeListsTheKeys(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| key | does | |\n|---|---|---|\n")
	for _, g := range helpGroups(keyMap()) {
		for _, k := range g.keys {
			fmt.Fprintf(&want, "| `%s` | %s | %s |\n", k.key, k.text, g.title)
		}
	}
	if !strings.Contains(strings.ReplaceAll(string(readme), "\r\n", "\n"), want.String()) {
		t.Errorf("README.md must hold this table of keys:\n%s", want.String())
	}
}
