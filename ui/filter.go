package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
)

// filterMax is how long a filter may be, in characters.
const filterMax = 40

// openFilter has the user type what lines of the story have to hold.
func (m *model) openFilter() {
	m.filtering = true
	if m.zoom == "" {
		m.view = viewStage
	}
}

// pressInFilter takes a key while the filter is typed.
func (m *model) pressInFilter(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "esc":
		m.filter, m.filtering = "", false
	case "enter":
		m.filtering = false
	case "backspace":
		if typed := []rune(m.filter); len(typed) > 0 {
			m.filter = string(typed[:len(typed)-1])
		}
	default:
		if text := clean(msg.Text); text != "" && len([]rune(m.filter)) < filterMax {
			m.filter += text
		}
	}
}

// filtered returns the lines of the story that hold what is looked for.
func (f *frame) filtered() []trace.StoryLine {
	if f.filter == "" {
		return f.state.Story
	}
	var found []trace.StoryLine
	for _, line := range f.state.Story {
		if strings.Contains(strings.ToLower(line.Text), strings.ToLower(f.filter)) {
			found = append(found, line)
		}
	}
	return found
}

// filterLine says in the status line what is looked for.
func (p *painter) filterLine(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	at.write("/ ", inkAccent|bold)
	at.write(p.filter, inkText|bold)
	if p.filtering {
		at.write(" ", inkText|reverse)
	}
	found := len(p.filtered())
	at.skip(2)
	k := inkDim
	if found == 0 && p.filter != "" {
		k = inkWarn
	}
	at.write(thousands(found)+" of "+thousands(len(p.state.Story))+" lines of the story", k)
	at.skip(3)
	if p.filtering {
		at.write("enter keeps it, esc clears it", inkDim)
	} else {
		at.write("esc shows all again", inkDim)
	}
}
