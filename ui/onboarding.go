package ui

import (
	"os"
	"path/filepath"
	"slices"

	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// onboardingTips are the first keys to press: they tell the story of Raft in five acts.
func onboardingTips() []pane.Tip {
	return []pane.Tip{
		{Key: "i", Text: "increment", Command: "increment"},
		{Key: "k", Text: "kill the leader", Command: "kill"},
		{Key: "k", Text: "restart it", Command: "restart"},
		{Key: "p", Text: "isolate it", Command: "isolate"},
		{Key: "h", Text: "heal it", Command: "heal"},
	}
}

// tipsPath returns the file that marks the tips as done, "" without a configuration
// directory.
func (m *model) tipsPath() string {
	dir := m.options.ConfigDir
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "welcomed")
}

// offerTips shows the tips, unless they were done in an earlier run.
func (m *model) offerTips() {
	path := m.tipsPath()
	if path == "" {
		return
	}
	if _, err := os.Stat(path); err != nil {
		m.tips = onboardingTips()
	}
}

// markTip marks the tips whose command was submitted.
func (m *model) markTip(verb string) {
	for i, k := range m.tips {
		if k.Command == verb {
			m.tips[i].Done = true
		}
	}
}

// allDone reports whether all tips are done.
func allDone(keys []pane.Tip) bool {
	return !slices.ContainsFunc(keys, func(k pane.Tip) bool { return !k.Done })
}

// rememberTips records on disk that the tips are done.
func (m *model) rememberTips() {
	if path := m.tipsPath(); path != "" && len(m.tips) > 0 && allDone(m.tips) && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		// If this fails, the tips come back next time, which does no harm.
		_ = os.WriteFile(path, nil, 0o600)
	}
}

// tipsNow returns the tips to show, with the keys as they are bound, none once all are
// done.
func (m *model) tipsNow() []pane.Tip {
	if allDone(m.tips) {
		return nil
	}
	now := slices.Clone(m.tips)
	for i := range now {
		if j := slices.IndexFunc(m.keys, func(b keymap.Binding) bool { return b.ID == now[i].Key && len(b.In) == 0 }); j >= 0 {
			now[i].Key = m.keys[j].Help().Key
		}
	}
	return now
}
