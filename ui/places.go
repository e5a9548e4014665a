package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
)

// places is where somebody is in the views: what is looked at, of which the
// cluster knows nothing.
type places struct {
	index     uint64              // the entry under the cursor in a log, 0 = the newest
	at        spot                // the cursor in the matrix of links
	marked    map[trace.Link]bool // links marked in it
	op        uint64              // Op.ID of the operation under the cursor, 0 = the newest
	reach     int                 // index into spans: how much time the clients view shows
	zoom      string              // the pane of the stage that has all the room, "" none
	filter    string              // what lines of the story have to hold
	filtering bool                // it is being typed
}

// leavePlace goes back from the innermost of what esc leaves, and reports
// whether there was something to leave.
func (m *model) leavePlace() bool {
	switch {
	case m.zoom != "":
		m.zoom = ""
	case len(m.marked) > 0:
		m.marked = nil
	case m.filter != "":
		m.filter = ""
	case m.index != 0 || m.op != 0:
		m.index, m.op = 0, 0
	default:
		return false
	}
	return true
}

// stride is how far a key goes: with shift, ten at once.
func stride(pressed string) int {
	by := 1
	name, far := strings.CutPrefix(pressed, "shift+")
	if far {
		by = 10
	}
	if name == "left" {
		return -by
	}
	return by
}

func moveInLog(m *model, pressed string) tea.Cmd {
	newest := newestIndex(&m.state)
	if m.index == 0 || m.index > newest {
		m.index = newest
	}
	by := stride(pressed)
	switch to := m.index + uint64(by); {
	case by < 0 && m.index <= uint64(-by):
		m.index = 1
	case to >= newest:
		m.newestEntry()
	default:
		m.index = to
	}
	return nil
}

// newestIndex returns the index of the newest entry in any log.
func newestIndex(s *trace.State) uint64 {
	var newest uint64
	for i := range s.Nodes {
		newest = max(newest, s.Nodes[i].LastIndex())
	}
	for _, lost := range s.Lost {
		newest = max(newest, lost.Index)
	}
	return newest
}

func (m *model) newestEntry() {
	m.index = 0
	m.say("", "the newest entry, and those to come", false)
}

func (m *model) newestOp() {
	m.op = 0
	m.say("", "the newest call, and those to come", false)
}

func (m *model) closer()  { m.setSpan(m.reach - 1) }
func (m *model) further() { m.setSpan(m.reach + 1) }

// setSpan chooses how much time the clients view shows.
func (m *model) setSpan(span int) {
	m.reach = min(max(span, 0), len(spans)-1)
	if m.reach == 0 {
		m.say("", fmt.Sprintf("as much time as the latest %d calls take", autoOps), false)
		return
	}
	m.say("", spans[m.reach].String()+" from left to right", false)
}

func moveInOps(m *model, pressed string) tea.Cmd {
	ops := operations(&m.state)
	if len(ops) == 0 {
		return nil
	}
	at := slices.IndexFunc(ops, func(op trace.Op) bool { return op.ID == m.op })
	if m.op == 0 || at < 0 {
		at = len(ops) - 1
	}
	if at += stride(pressed); at >= len(ops)-1 {
		m.newestOp()
		return nil
	}
	m.op = ops[max(at, 0)].ID
	return nil
}

// The panes of the stage that can have all the room.
const (
	zoomRing  = "ring"
	zoomTable = "table"
	zoomLog   = "log"
	zoomTime  = "timeline"
	zoomStory = "story"
)

// zoomMenu asks which pane of the stage is to have all the room, or gives it
// back to the others.
func (m *model) zoomMenu() {
	if m.zoom != "" {
		m.zoom = ""
		return
	}
	o := m.open("all the room for", menuNote)
	for _, z := range []struct{ key, pane, detail string }{
		{"r", zoomRing, "the nodes and what they say"},
		{"t", zoomTable, "the nodes in numbers"},
		{"l", zoomLog, "the ends of all logs"},
		{"i", zoomTime, "who led when"},
		{"s", zoomStory, "what happened and why"},
	} {
		o.add(z.key, z.pane, z.detail, false, func() { m.zoom, m.view = z.pane, viewStage })
	}
	// The key that asked leaves as well.
	o.add("z", "back", "all panes", false, func() {})
}

// zoomed draws one pane in all the room there is.
func (p *painter) zoomed() {
	body := rect{1, 2, p.width - 2, p.height - 5}
	switch p.zoom {
	case zoomRing:
		p.ring(body)
	case zoomTable:
		p.table(body)
	case zoomLog:
		p.logGrid(body)
	case zoomTime:
		p.timeline(rect{body.x, body.y, body.w, 2})
		p.story(rect{body.x, body.y + 3, body.w, body.h - 3})
	case zoomStory:
		p.story(body)
	}
}
