package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/undo"
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

func TestTipsStayUntilDone(t *testing.T) {
	s := newStage(t, 3)
	s.options.ConfigDir = filepath.Join(t.TempDir(), "new")
	s.offerTips()
	lastButOne := func() string {
		s.toast, s.dirty = pane.Toast{}, true
		lines := strings.Split(s.plain(), "\n")
		return strings.TrimSpace(lines[len(lines)-2])
	}
	for _, step := range []struct{ key, want string }{
		{"", "try  i increment  k kill the leader  k restart it  p isolate it  h heal it"},
		{"p", "try  i increment  k kill the leader  k restart it  ✓ h heal it"},
		{"h", "try  i increment  k kill the leader  k restart it  ✓ ✓"},
		{"i", "try  ✓ k kill the leader  k restart it  ✓ ✓"},
		{"k", "try  ✓ ✓ k restart it  ✓ ✓"},
	} {
		if step.key != "" {
			s.press(step.key)
		}
		if got := lastButOne(); got != step.want {
			t.Errorf("after %q it says %q, not %q", step.key, got, step.want)
		}
	}
	s.rememberTips()
	if _, err := os.Stat(s.tipsPath()); err == nil {
		t.Error("it is remembered before all keys were pressed")
	}
	s.press("k")
	if got := lastButOne(); strings.Contains(got, "try") {
		t.Errorf("in the end it says %q", got)
	}
	s.rememberTips()
	if s.tips = nil; len(s.tipsNow()) > 0 {
		t.Error("it tells of keys from nowhere")
	}
	if s.offerTips(); len(s.tips) > 0 {
		t.Error("it tells them again")
	}
}

// TestEveryFaultKeyIsUndoneAndRedone sets many faults, then undoes and redoes them.
func TestEveryFaultKeyIsUndoneAndRedone(t *testing.T) {
	s := newStage(t, 5)
	typed := func(command string) []string {
		keys := []string{":"}
		for _, r := range command {
			keys = append(keys, map[rune]string{' ': "space"}[r])
			if r != ' ' {
				keys[len(keys)-1] = string(r)
			}
		}
		return append(keys, "enter")
	}
	steps := [][]string{
		{"2", "k"},
		{"3", "s"},
		{"4", "p"},
		{"P", "2"},
		{"5", "d", "s"},
		{"1", "w", "2", "d"},
		{"1", "w", "2", "l"},
		typed("apply n2,n3 slow 200ms"),
		{"4", "d", "p"},
		typed("duplicate n3 -> n5 40% after 300ms"),
		typed("clock n1 3"), typed("cut n1 <-> n2 only vote,prevote"),
		{"2", "k"},
		{"3", "s"},
		{"4", "K"},
		{"H"},
	}
	stood := []undo.Faults{s.faultsNow()}
	for _, keys := range steps {
		s.press(keys...)
		s.pass(100 * time.Millisecond)
		now := s.faultsNow()
		if reflect.DeepEqual(now, stood[len(stood)-1]) {
			t.Fatalf("%v breaks nothing", keys)
		}
		stood = append(stood, now)
	}
	for _, n := range s.state.Nodes {
		if n.ApplyFault != "" || n.DiskFault != "" || n.ClockFactor != 1 {
			t.Errorf("%s has faults once everything is healed: apply %q, disk %q, clock %g", n.ID, n.ApplyFault, n.DiskFault, n.ClockFactor)
		}
	}
	check := func(key string, want undo.Faults) {
		t.Helper()
		s.press(key)
		s.pass(100 * time.Millisecond)
		if got := s.faultsNow(); !reflect.DeepEqual(got, want) {
			t.Fatalf("after %s, found %+v\nwanted %+v\n%s", key, got, want, s.screen())
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		check("u", stood[i])
	}
	s.press("u")
	s.wants("no fault to undo")
	for i := range steps {
		check("U", stood[i+1])
	}
	s.press("U")
	s.wants("nothing to redo")
	check("u", stood[len(steps)-1])
	s.press("5", "k")
	s.press("U")
	s.wants("nothing to redo")
}

// TestHealEverythingSaysWhatIsStillDown holds that no fault is left, but a node is.
func TestHealEverythingSaysWhatIsStillDown(t *testing.T) {
	s := newStage(t, 5)
	down := func(command string) { s.submit(command, ""); s.press(); s.pass(time.Second) }
	s.press("H")
	if got := s.toast.Text; got != "all faults cleared" {
		t.Errorf("H says %q", got)
	}
	down("poweroff n3")
	s.press("H")
	s.wants("all faults cleared; n3 is still off: k restarts it")
	down("pause n2")
	s.press("H")
	s.wants("n3 is still off: k restarts it; n2 is still paused: s resumes it")
	down("kill n4")
	s.press("H")
	s.wants("n3 n4 are still down: k restarts them")
}
