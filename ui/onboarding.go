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
func firstKeys() []pane.Tip {
	return []pane.Tip{
		{Id: "i", Text: "increment", Command: "increment"},
		{Id: "k", Text: "kill the leader", Command: "kill"},
		{Id: "k", Text: "restart it", Command: "restart"},
		{Id: "p", Text: "cut it off", Command: "isolate"},
		{Id: "h", Text: "heal it", Command: "heal"},
	}
}

// welcomedPath is the file that says that somebody has pressed the first keys, ""
// if there is no place for it.
func (m *model) welcomedPath() string {
	dir := m.options.ConfigDir
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "welcomed")
}

// welcome begins to tell of the first keys, unless that was done before.
func (m *model) welcome() {
	path := m.welcomedPath()
	if path == "" {
		return
	}
	if _, err := os.Stat(path); err != nil {
		m.firstKeys = firstKeys()
	}
}

// pressedFirst notes that a command was given that one of the first keys stands for.
func (m *model) pressedFirst(command string) {
	for i, k := range m.firstKeys {
		if strings.HasPrefix(command, k.Command) {
			m.firstKeys[i].Done = true
		}
	}
}

// welcomed says whether all of the first keys have been pressed.
func welcomed(keys []pane.Tip) bool {
	return !slices.ContainsFunc(keys, func(k pane.Tip) bool { return !k.Done })
}

// rememberWelcome remembers that somebody has pressed the first keys.
func (m *model) rememberWelcome() {
	if path := m.welcomedPath(); path != "" && len(m.firstKeys) > 0 && welcomed(m.firstKeys) && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		// What cannot be remembered is said again, which does no harm.
		_ = os.WriteFile(path, nil, 0o600)
	}
}

// firstKeysNow returns what is told of the first keys, with the keys as they are
// bound; nothing once all have been pressed.
func (m *model) firstKeysNow() []pane.Tip {
	if welcomed(m.firstKeys) {
		return nil
	}
	now := slices.Clone(m.firstKeys)
	for i := range now {
		if j := slices.IndexFunc(m.keys, func(b keymap.Binding) bool { return b.Id == now[i].Id && len(b.In) == 0 }); j >= 0 {
			now[i].Id = m.keys[j].Help().Key
		}
	}
	return now
}
