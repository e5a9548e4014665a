package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"capsize/ui/keymap"
)

// TestReadmeListsTheKeys keeps the README's table the same as the key map.
func TestReadmeListsTheKeys(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| key | does | |\n|---|---|---|\n")
	for _, g := range keymap.HelpGroups(Keys()) {
		for _, k := range g.Keys {
			fmt.Fprintf(&want, "| `%s` | %s | %s |\n", k.Key, k.Text, g.Title)
		}
	}
	if !strings.Contains(strings.ReplaceAll(string(readme), "\r\n", "\n"), want.String()) {
		t.Errorf("README.md must hold this table of keys:\n%s", want.String())
	}
}

func TestHelpAndFooterFollowReboundKeys(t *testing.T) {
	s := newStage(t, 3)
	s.keys = keymap.Changes{"k": "i", "i": "ctrl+k"}.Keys(s.keyMap())
	s.press("i")
	if !strings.HasPrefix(s.command, "kill ") {
		t.Errorf("i stands for %q", s.command)
	}
	s.press("k")
	if !strings.Contains(s.toast.Text, "k does nothing here") {
		t.Errorf("k says %q", s.toast.Text)
	}
	for _, hint := range keymap.Hints(keymap.ForView(s.keys, "stage")) {
		if hint.Text == "kill" && hint.Key != "i" || hint.Text == "increment" && hint.Key != "ctrl+k" {
			t.Errorf("the footer says %+v", hint)
		}
	}
	for _, g := range keymap.HelpGroups(s.keys) {
		for _, k := range g.Keys {
			if k.Text == "kill or restart" && k.Key != "i" {
				t.Errorf("the help says %+v", k)
			}
		}
	}
	s.pressShownKey("ctrl+k")
	if s.command != "increment" {
		t.Errorf("a click on increment stands for %q", s.command)
	}
}
