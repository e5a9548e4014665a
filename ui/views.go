package ui

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

// nextView and previousView go through the views.
func (m *model) nextView()     { m.turn(1) }
func (m *model) previousView() { m.turn(-1) }

func (m *model) turn(by int) {
	m.view = view((int(m.view) + by + viewCount) % viewCount)
	m.say("", m.view.String()+" view", false)
}

// whole draws a view that has the screen to itself.
func (p *painter) whole() {
	body := rect{1, 2, p.width - 2, p.height - 5}
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
