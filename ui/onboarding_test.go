package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capsize/ui/pane"
)

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
