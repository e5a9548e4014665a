package ui

import (
	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace/history"
)

// openedMsg says that a scenario's cluster has started, or why not.
type openedMsg struct {
	source source
	script *scenario.Script
	err    error
}

// scenariosMenu offers the built-in scenarios.
func (m *model) scenariosMenu() {
	o := m.open("scenarios", "enter: start it with a cluster of its own    esc: leave")
	for _, name := range scenario.Names() {
		data, _ := scenario.Builtin(name)
		script, err := scenario.Parse(name, data)
		if err != nil {
			continue // a test holds that there is none
		}
		o.add("", name, script.Title, false, func() { m.chosen = m.openScenario(script) })
	}
}

// openScenario starts the cluster of a scenario.
func (m *model) openScenario(script *scenario.Script) tea.Cmd {
	return func() tea.Msg {
		s, err := m.fleet.start(cluster.Config{Nodes: script.Nodes, Settings: script.Settings, HistoryBudget: history.DefaultBudget})
		return openedMsg{source: s, script: script, err: err}
	}
}

// opened puts a scenario and its cluster in the place of what was shown.
func (m *model) opened(msg openedMsg) tea.Cmd {
	if msg.err != nil {
		m.say("", "cannot start it: "+msg.err.Error(), true)
		return nil
	}
	m.leaveLiving()
	m.fleet.launch(msg.source.cluster)
	m.paused = false
	m.attach(msg.source, msg.script)
	m.say("play "+msg.script.Name, msg.script.Title+m.unrecorded(), false)
	return m.perform(msg.script)
}
