package ui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// Tips tell the story of Raft in a few acts.
func onboardingTips() []pane.Tip {
	return []pane.Tip{
		{Id: "i", Text: "increment", Command: "increment"},
		{Id: "k", Text: "kill the leader", Command: "kill"},
		{Id: "k", Text: "restart it", Command: "restart"},
		{Id: "p", Text: "cut it off", Command: "isolate"},
		{Id: "h", Text: "heal it", Command: "heal"},
	}
}

// tipsPath is the file that says that somebody has pressed the first keys, ""
// if there is no place for it.
func (m *model) tipsPath() string {
	dir := m.options.ConfigDir
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "welcomed")
}

// offerTips begins to tell of the first keys, unless that was done before.
func (m *model) offerTips() {
	path := m.tipsPath()
	if path == "" {
		return
	}
	if _, err := os.Stat(path); err != nil {
		m.tips = onboardingTips()
	}
}

// markTip notes that a command was given that one of the first keys stands for.
func (m *model) markTip(command string) {
	for i, k := range m.tips {
		if strings.HasPrefix(command, k.Command) {
			m.tips[i].Done = true
		}
	}
}

// allDone says whether all of the first keys have been pressed.
func allDone(keys []pane.Tip) bool {
	return !slices.ContainsFunc(keys, func(k pane.Tip) bool { return !k.Done })
}

// rememberTips remembers that somebody has pressed the first keys.
func (m *model) rememberTips() {
	if path := m.tipsPath(); path != "" && len(m.tips) > 0 && allDone(m.tips) && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		// What cannot be remembered is said again, which does no harm.
		_ = os.WriteFile(path, nil, 0o600)
	}
}

// tipsNow returns what is told of the first keys, with the keys as they are
// bound; nothing once all have been pressed.
func (m *model) tipsNow() []pane.Tip {
	if allDone(m.tips) {
		return nil
	}
	now := slices.Clone(m.tips)
	for i := range now {
		if j := slices.IndexFunc(m.keys, func(b keymap.Binding) bool { return b.ID == now[i].Id && len(b.In) == 0 }); j >= 0 {
			now[i].Id = m.keys[j].Help().Key
		}
	}
	return now
}
