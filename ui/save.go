package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// savedMsg says where the session was saved, or why not.
type savedMsg struct {
	text string
	bad  bool
}

// orderedWith returns what was ordered so far, and a command that is ordered now.
func (m *model) orderedWith(command string) (ordered []scenario.RecordedCommand) {
	now := m.cluster.Clock().Now()
	m.cluster.Trace().Read(func(s *trace.State) { ordered = scenario.Order(slices.Clip(m.ordered), now, command, s) })
	return ordered
}

// save writes the session so far as a scenario, into a new file of the present
// directory.
func (m *model) save() tea.Cmd {
	if m.cluster == nil {
		m.refuses()
		return nil
	}
	if m.branches[m.branch].parent != "" {
		m.say("", "a branch is not saved: a scenario begins with a new cluster", true)
		return nil
	}
	text := scenario.Save(m.cluster.Settings(), m.nodesFirst, m.orderedWith(""), m.state.Checks)
	return func() tea.Msg {
		for i := 1; ; i++ {
			name := fmt.Sprintf("session-%d.capsize", i)
			file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				_, err = file.WriteString(text)
				err = errors.Join(err, file.Close())
			}
			if err != nil {
				return savedMsg{text: "not saved: " + err.Error(), bad: true}
			}
			return savedMsg{text: "saved as " + name + ": capsize run " + name}
		}
	}
}
