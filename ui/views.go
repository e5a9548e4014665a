package ui

import tea "charm.land/bubbletea/v2"

// view is what the screen shows below its header.
type view int

// The views, in the order in which tab goes through them.
const (
	viewStage   view = iota // everything at a glance
	viewLog                 // every node's log
	viewTime                // who did what when
	viewLinks               // the network as a matrix
	viewClients             // what clients did and were told, and the checks
	viewNode                // all about one node
	viewCount   int  = iota
)

var viewNames = [viewCount]string{"stage", "log", "time", "links", "clients", "node"}

func (v view) String() string { return viewNames[v] }

// turn goes to the next view or, with shift, to the one before.
func turn(m *model, pressed string) tea.Cmd {
	by := 1
	if pressed == "shift+tab" {
		by = viewCount - 1
	}
	m.view, m.zoom = view((int(m.view)+by)%viewCount), ""
	m.say("", m.view.String()+" view", false)
	return nil
}

// whole draws a view that has the screen to itself.
func (p *painter) whole(l *layout) {
	body := rect{1, 2, p.width - 2, p.height - 5}
	l.story = rect{body.x, body.y + body.h - captionLines - 1, body.w, captionLines + 1}
	if p.state.Caption != "" || p.waiting {
		body.h -= l.story.h // a caption stands there
	}
	switch p.view {
	case viewLog:
		p.logView(body)
	case viewTime:
		p.timeView(body)
	case viewLinks:
		p.linksView(body)
	case viewClients:
		p.clientsView(body)
	case viewNode:
		p.nodeView(body)
	case viewStage:
	}
}
