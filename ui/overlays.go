package ui

import (
	tea "charm.land/bubbletea/v2"

	"capsize/ui/canvas"
	"capsize/ui/keymap"
)

// help is the overlay that lists the keys.
type help struct {
	on   bool
	from int // the first group shown
}

// handleHelpKey scrolls the help, or closes it.
func (m *model) handleHelpKey(pressed string) {
	switch pressed {
	case "down":
		m.help.from = min(m.help.from+1, len(keymap.HelpGroups(m.keysHere()))-1)
	case "up":
		m.help.from = max(m.help.from-1, 0)
	default:
		m.help.on, m.help.from = false, 0
	}
}

// filterMax is the length limit of a filter, in characters.
const filterMax = 40

// storyFilter is the text that lines of the story must contain.
type storyFilter struct {
	text   string
	typing bool
}

// openFilter opens the line for typing a filter.
func (m *model) openFilter() {
	m.filter.typing = true
	if m.views.Stage.Zoom == "" {
		m.showView(m.views.Stage)
	}
}

// handleFilterKey handles a key while the filter is typed.
func (m *model) handleFilterKey(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "esc":
		m.filter = storyFilter{}
	case "enter":
		m.filter.typing = false
	case "backspace":
		if typed := []rune(m.filter.text); len(typed) > 0 {
			m.filter.text = string(typed[:len(typed)-1])
		}
	default:
		if text := canvas.Sanitize(msg.Text); text != "" && len([]rune(m.filter.text)) < filterMax {
			m.filter.text += text
		}
	}
}
