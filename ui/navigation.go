package ui

import (
	"slices"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// view returns the view shown.
func (m *model) view() view { return m.views.all[m.current] }

// keysHere returns the keys that mean something in the view shown.
func (m *model) keysHere() []binding { return here(m.keys, m.view().name()) }

// turnTo shows a view.
func (m *model) turnTo(v view) { m.current = slices.Index(m.views.all, v) }

// nextView shows the next view or, with shift, the one before.
func (m *model) nextView(pressed string) {
	by := 1
	if pressed == "shift+tab" {
		by = len(m.views.all) - 1
	}
	m.current, m.views.stage.zoom = (m.current+by)%len(m.views.all), ""
	m.say("", m.view().name()+" view", false)
}

// leaveInnermost undoes the innermost of what esc undoes, and reports whether there
// was something to undo: the cursor of the view shown, a zoomed pane, the filter of
// the story, the cursors of the other views.
func (m *model) leaveInnermost() bool {
	if m.view().reset() || m.views.stage.reset() {
		return true
	}
	if m.filter.text != "" {
		m.filter.text = ""
		return true
	}
	return slices.ContainsFunc(m.views.all, view.reset)
}

func (m *model) zoomIn()  { m.zoomTime(-1) }
func (m *model) zoomOut() { m.zoomTime(1) }

// zoomTime turns to the time view, and has its columns stand for less time or more.
func (m *model) zoomTime(by int) {
	m.turnTo(m.views.time)
	m.views.time.zoomBy(by)
}

// viewScreen is the model as views know it.
type viewScreen struct{ m *model }

func (s viewScreen) state() *trace.State                  { return &s.m.state }
func (s viewScreen) nodes() []string                      { return s.m.nodes() }
func (s viewScreen) size() (width, height int)            { return s.m.width, s.m.height }
func (s viewScreen) history() *history.History            { return s.m.history }
func (s viewScreen) span() (first, latest trace.Position) { return s.m.first(), s.m.now() }
func (s viewScreen) moment() trace.Position               { return s.m.moment() }
func (s viewScreen) inPast() bool                         { return s.m.travel.past }
func (s viewScreen) order(command, done string)           { s.m.order(command, done) }
func (s viewScreen) say(text string, bad bool)            { s.m.say("", text, bad) }
