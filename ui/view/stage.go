package view

import (
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// Stage shows the whole cluster at a glance, or one of its panes zoomed.
type Stage struct {
	Zoom      string // the zoomed pane, "" for none
	LogScroll int    // how many entries before the newest the log grid ends
}

// Name implements [View].
func (v *Stage) Name() string { return "stage" }

// Keys implements [View].
func (v *Stage) Keys() []keymap.Binding { return nil }

// Reset implements [View].
func (v *Stage) Reset() bool {
	if v.Zoom == "" {
		return false
	}
	v.Zoom = ""
	return true
}

// The panes of the stage that can be zoomed.
const (
	ZoomRing     = "ring"
	ZoomTable    = "table"
	ZoomLog      = "log"
	ZoomTimeline = "timeline"
	ZoomStory    = "story"
)

// Draw implements [View].
func (v *Stage) Draw(p *pane.Painter, l *pane.Layout) {
	if v.Zoom != "" {
		v.drawZoomed(p)
		return
	}
	p.Ring(l.Ring)
	p.Cards(l.Cards)
	p.Table(l.Table)
	p.Clients(l.Clients)
	p.LogGrid(l.Log, v.LogScroll)
	p.Timeline(l.Time)
	p.Story(l.Story)
}

// drawZoomed draws the zoomed pane on the whole screen below the header.
func (v *Stage) drawZoomed(p *pane.Painter) {
	body := canvas.Rect(1, 2, p.Width-2, p.Height-5)
	switch v.Zoom {
	case ZoomRing:
		p.Ring(body)
	case ZoomTable:
		p.Table(body)
	case ZoomLog:
		p.LogGrid(body, v.LogScroll)
	case ZoomTimeline:
		p.Timeline(canvas.Rect(body.X, body.Y, body.W, 2))
		p.Story(canvas.Rect(body.X, body.Y+3, body.W, body.H-3))
	case ZoomStory:
		p.Story(body)
	}
}
