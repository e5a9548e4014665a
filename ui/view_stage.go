package ui

import "capsize/ui/canvas"

// stageView shows everything at a glance, or one of its panes in all the room.
type stageView struct {
	zoom      string // the pane that has all the room, "" for none
	logScroll int    // how many entries back from the newest the log grid ends
}

func (v *stageView) name() string    { return "stage" }
func (v *stageView) keys() []binding { return nil }

func (v *stageView) reset() bool {
	if v.zoom == "" {
		return false
	}
	v.zoom = ""
	return true
}

// The panes of the stage that can have all the room.
const (
	zoomRing  = "ring"
	zoomTable = "table"
	zoomLog   = "log"
	zoomTime  = "timeline"
	zoomStory = "story"
)

func (v *stageView) draw(p *painter, l *layout) {
	if v.zoom != "" {
		v.drawZoomed(p)
		return
	}
	p.ring(l.ring)
	p.cards(l.cards)
	p.table(l.table)
	p.clients(l.clients)
	p.logGrid(l.log, v.logScroll)
	p.timeline(l.time)
	p.story(l.story)
}

// drawZoomed draws one pane in all the room there is.
func (v *stageView) drawZoomed(p *painter) {
	body := canvas.Rect(1, 2, p.width-2, p.height-5)
	switch v.zoom {
	case zoomRing:
		p.ring(body)
	case zoomTable:
		p.table(body)
	case zoomLog:
		p.logGrid(body, v.logScroll)
	case zoomTime:
		p.timeline(canvas.Rect(body.X, body.Y, body.W, 2))
		p.story(canvas.Rect(body.X, body.Y+3, body.W, body.H-3))
	case zoomStory:
		p.story(body)
	}
}
