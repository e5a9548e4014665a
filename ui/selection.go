package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// nodeSelection is the nodes that keys act on.
type nodeSelection struct {
	cursor   string
	selected map[string]bool // none: keys act on the node under the cursor
	follow   bool            // the cursor follows the leader
}

// clampCursor moves the cursor off a node that no longer exists.
func (m *model) clampCursor() {
	nodes := m.nodes()
	if len(nodes) > 0 && !slices.Contains(nodes, m.cursor) {
		m.cursor, m.follow = nodes[0], m.follow || m.cursor == ""
	}
	for id := range m.selected {
		if !slices.Contains(nodes, id) {
			delete(m.selected, id)
		}
	}
}

// nodes returns the nodes in drawing order.
func (m *model) nodes() []string {
	var ids []string
	for i := range m.state.Nodes {
		if n := &m.state.Nodes[i]; n.Process != trace.Removed {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// targets returns the nodes that keys act on.
func (m *model) targets() []string {
	if len(m.selected) == 0 {
		return []string{m.cursor}
	}
	return slices.DeleteFunc(m.nodes(), func(id string) bool { return !m.selected[id] })
}

func (m *model) selectNumber(pressed string) {
	if nodes := m.nodes(); int(pressed[0]-'1') < len(nodes) {
		m.selectNode(nodes[pressed[0]-'1'], false)
	} else {
		m.setToast("", fmt.Sprintf("no node number %s: there are %d nodes", pressed, len(nodes)), true)
	}
}

func (m *model) selectArrow(pressed string) {
	nodes := m.nodes()
	if len(nodes) == 0 {
		return
	}
	key, more := strings.CutPrefix(pressed, "shift+")
	step := 1
	if key == "up" || key == "left" {
		step = len(nodes) - 1
	}
	if more && len(m.selected) == 0 {
		m.selected[m.cursor] = true
	}
	m.selectNode(nodes[(slices.Index(nodes, m.cursor)+step)%len(nodes)], more)
}

// selectNode moves the cursor to a node; with more, it adds the node to the selection.
func (m *model) selectNode(id string, more bool) {
	m.cursor, m.follow = id, false
	if more {
		m.selected[id] = true
		return
	}
	clear(m.selected)
}

func (m *model) clearSelection() {
	if m.resetInnermost() {
		return
	}
	clear(m.selected)
	m.follow, m.views.Stage.LogScroll = true, 0
}
