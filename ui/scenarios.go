package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/ui/source"
)

// openedMsg reports that a scenario's cluster has started, or why it has not.
type openedMsg struct {
	source source.Source
	script *scenario.Script
	err    error
}

// scenariosMenu lists the built-in scenarios.
func (m *model) scenariosMenu() {
	o := m.open("scenarios", "enter: start on its own cluster    esc: cancel")
	for _, name := range scenario.Names() {
		data, _ := scenario.Builtin(name)
		script, err := scenario.Parse(name, data)
		if err != nil {
			continue // a test holds that every one parses
		}
		o.add("", name, script.Title, false, func() { m.menuCmd = m.openScenario(script) })
	}
}

// openScenario starts the cluster of a scenario.
func (m *model) openScenario(script *scenario.Script) tea.Cmd {
	return func() tea.Msg {
		s, err := m.pool.Start(m.options.Open, cluster.Config{Nodes: script.Nodes, Settings: script.Settings, HistoryBudget: m.historyBudget()})
		return openedMsg{source: s, script: script, err: err}
	}
}

// onOpened replaces what is shown by a scenario and its cluster.
func (m *model) onOpened(msg openedMsg) tea.Cmd {
	if msg.err != nil {
		m.setToast("", "cannot start the scenario: "+msg.err.Error(), true)
		return nil
	}
	m.stopLive()
	m.pool.Release(msg.source.Engine)
	m.paused = false
	m.showSource(msg.source, msg.script)
	m.setToast("play "+msg.script.Name, msg.script.Title+m.unrecorded(), false)
	return m.perform(msg.script)
}

// savedMsg reports where the session was saved, or why it was not.
type savedMsg struct {
	text string
	bad  bool
}

// save writes the session so far as a scenario, into a new file in the current directory.
func (m *model) save() tea.Cmd {
	if !m.IsLive() {
		m.rejectIfReadOnly()
		return nil
	}
	if m.branches[m.branch].parent != "" {
		m.setToast("", "cannot save a branch: a scenario starts with a new cluster", true)
		return nil
	}
	e := m.Engine
	return func() tea.Msg {
		saved := engine.Do(e, engine.Order{Save: true})
		if err := saved.End.Err; err != nil {
			return savedMsg{text: "cannot save: " + err.Error(), bad: true}
		}
		for i := 1; ; i++ {
			name := fmt.Sprintf("session-%d.capsize", i)
			file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				_, err = file.WriteString(saved.Text)
				err = errors.Join(err, file.Close())
			}
			if err != nil {
				return savedMsg{text: "cannot save: " + err.Error(), bad: true}
			}
			return savedMsg{text: "saved as " + name + ": capsize run " + name}
		}
	}
}
