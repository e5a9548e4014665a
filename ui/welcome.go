package ui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// firstKeys tell the story of Raft in a few acts.
func firstKeys() []firstKey {
	return []firstKey{
		{id: "i", text: "increment", command: "increment"},
		{id: "k", text: "kill the leader", command: "kill"},
		{id: "k", text: "restart it", command: "restart"},
		{id: "p", text: "cut it off", command: "isolate"},
		{id: "h", text: "heal it", command: "heal"},
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
		if strings.HasPrefix(command, k.command) {
			m.firstKeys[i].done = true
		}
	}
}

// welcomed says whether all of the first keys have been pressed.
func welcomed(keys []firstKey) bool {
	return !slices.ContainsFunc(keys, func(k firstKey) bool { return !k.done })
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
func (m *model) firstKeysNow() []firstKey {
	if welcomed(m.firstKeys) {
		return nil
	}
	now := slices.Clone(m.firstKeys)
	for i := range now {
		if j := slices.IndexFunc(m.keys, func(b binding) bool { return b.id == now[i].id && len(b.in) == 0 }); j >= 0 {
			now[i].id = m.keys[j].Help().Key
		}
	}
	return now
}
