package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/keymap"
	"capsize/ui/view"
)

// view returns the view shown.
func (m *model) view() view.View { return m.views.All[m.current] }

// keysHere returns the keys that mean something in the view shown.
func (m *model) keysHere() []keymap.Binding { return keymap.ForView(m.keys, m.view().Name()) }

// offered returns the keys of the view shown that the cluster can answer.
func (m *model) offered() []keymap.Binding {
	return slices.DeleteFunc(slices.Clone(m.keysHere()), func(b keymap.Binding) bool { return !m.can(b.Needs) })
}

// can reports whether the cluster has what a binding needs: it knows a command, or its time is
// virtual.
func (m *model) can(what string) bool {
	switch what {
	case "":
		return true
	case keymap.VirtualTime:
		return !m.IsRealTime()
	}
	return m.Engine.Prompt().Knows(what)
}

// showView shows a view.
func (m *model) showView(v view.View) { m.current = slices.Index(m.views.All, v) }

// nextView shows the next view or, with shift, the one before.
func (m *model) nextView(pressed string) {
	by := 1
	if pressed == "shift+tab" {
		by = len(m.views.All) - 1
	}
	m.current, m.views.Stage.Zoom = (m.current+by)%len(m.views.All), ""
	if m.view() == m.views.Hand && !m.can("hold") {
		m.current = (m.current + by) % len(m.views.All) // nothing ever waits there
	}
	m.setToast("", m.view().Name()+" view", false)
}

// resetInnermost resets the first of these that is not at rest, and reports whether
// there was one: the view's cursor, a zoomed pane, the filter, the other views'
// cursors. The key esc does this.
func (m *model) resetInnermost() bool {
	if m.view().Reset() || m.views.Stage.Reset() {
		return true
	}
	if m.filter.text != "" {
		m.filter.text = ""
		return true
	}
	return slices.ContainsFunc(m.views.All, view.View.Reset)
}

func (m *model) zoomIn()  { m.zoomTime(-1) }
func (m *model) zoomOut() { m.zoomTime(1) }

// zoomTime turns to the time view, and changes its scale.
func (m *model) zoomTime(by int) {
	m.showView(m.views.Time)
	m.views.Time.ZoomBy(by)
}

// viewScreen is the part of the model that views use.
type viewScreen struct{ m *model }

func (s viewScreen) State() *trace.State                  { return &s.m.state }
func (s viewScreen) Nodes() []string                      { return s.m.nodes() }
func (s viewScreen) Size() (width, height int)            { return s.m.width, s.m.height }
func (s viewScreen) History() *history.History            { return s.m.History }
func (s viewScreen) Span() (first, latest trace.Position) { return s.m.First(), s.m.Now() }
func (s viewScreen) Moment() trace.Position               { return s.m.moment() }
func (s viewScreen) InPast() bool                         { return s.m.travel.past }
func (s viewScreen) Submit(command, done string)          { s.m.submit(command, done) }
func (s viewScreen) Toast(text string, bad bool)          { s.m.setToast("", text, bad) }

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
