package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
	"capsize/ui/pane"
)

// click selects the node, or presses the key, drawn under the pointer.
func (m *model) click(msg tea.MouseClickMsg) tea.Cmd {
	if m.help.on {
		m.help.on = false
		return nil
	}
	// What is drawn last lies on top.
	for _, h := range slices.Backward(m.lastFrame.hits) {
		if msg.X < h.X || msg.X >= h.X+h.W || msg.Y < h.Y || msg.Y >= h.Y+h.H {
			continue
		}
		switch {
		case m.coursed():
			return m.handleCourseKey(h.Key)
		case m.comparison != nil && m.menu == nil:
			m.handleCompareKey(h.Key)
		case m.hand.look.open && h.Key != "" && m.menu == nil:
			m.handleLookKey(h.Key)
		case h.Packet != 0 && m.menu == nil:
			m.lookInto(h.Packet)
		case h.Timer != 0 && m.menu == nil:
			m.views.Hand.FocusTimer(h.Timer - 1)
		case h.Seq != 0 && m.menu == nil:
			m.travel.stepped = false
			m.setPlaying(false)
			m.showEvent(h.Seq)
		case h.Cell > 0 && m.menu == nil:
			m.dragging = true
			m.scrub(h, msg.X)
		case h.Node != "" && m.menu == nil:
			m.selectNode(h.Node, msg.Mod.Contains(tea.ModCtrl) || msg.Mod.Contains(tea.ModAlt) || msg.Mod.Contains(tea.ModShift))
		case h.Key != "" && m.menu == nil && m.handleQuestionKey(h.Key):
		case h.Key != "" && m.menu != nil:
			return m.handleMenuKey(h.Key)
		case h.Key != "":
			return m.pressShownKey(h.Key)
		}
		return nil
	}
	m.menu = nil
	return nil
}

// pressShownKey presses the key that the help shows under that name.
func (m *model) pressShownKey(shown string) tea.Cmd {
	for _, b := range m.keysHere() {
		if b.Help().Key == shown && slices.Contains(b.Keys(), shown) {
			if b.NeedsLive && m.rejectIfReadOnly() {
				return nil
			}
			return b.Do(shown)
		}
	}
	return nil
}

// drag moves along the stretch of time on which the drag began.
func (m *model) drag(x int) {
	for _, h := range slices.Backward(m.lastFrame.hits) {
		if m.dragging && h.Cell > 0 {
			m.scrub(h, x)
			return
		}
	}
}

// scrub shows the moment under a column of a stretch of time.
func (m *model) scrub(h pane.HitBox, x int) {
	cells := min(max(x, h.X-1), h.X+h.W) - h.X
	// A column shows what has happened by its end.
	at := h.From + time.Duration(cells+1)*h.Cell - 1
	m.setPlaying(false)
	m.travel.stepped = false
	m.showTime(at)
	if m.travel.past {
		m.setToast("", "in the past: space plays, end returns to now", false)
	} else {
		m.setToast("", "now", false)
	}
}

// wheel scrolls the log, a comparison, or a list of the hand view.
func (m *model) wheel(msg tea.MouseWheelMsg) {
	if m.comparison != nil {
		m.comparison.Scroll(m.frame(), map[tea.MouseButton]string{tea.MouseWheelUp: "up", tea.MouseWheelDown: "down"}[msg.Button])
		return
	}
	if m.view() == m.views.Hand {
		m.views.Hand.Scroll(map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button])
		return
	}
	switch msg.Button {
	case tea.MouseWheelUp:
		m.views.Stage.LogScroll += 3
	case tea.MouseWheelDown:
		m.views.Stage.LogScroll = max(m.views.Stage.LogScroll-3, 0)
	default:
	}
}

func linkOf(from, to string) trace.Link { return trace.Link{From: from, To: to} }
