package view

import (
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// View is one screenful below the header: what it shows, what its keys do, and
// where its cursor is.
type View interface {
	// Name is what the view is called.
	Name() string
	// Keys are the keys that mean something in this view only.
	Keys() []keymap.Binding
	// Draw paints the view into a layout, which it may change: captions stand over
	// the story.
	Draw(p *pane.Painter, l *pane.Layout)
	// Reset puts the cursor of the view back, and reports whether it was away: esc
	// does this.
	Reset() bool
}

// Screen is what views ask of the program that shows them.
type Screen interface {
	State() *trace.State                  // the state shown
	Nodes() []string                      // in the order in which they are drawn
	Size() (width, height int)            // of the screen, in cells
	History() *history.History            // the past
	Span() (first, latest trace.Position) // the moments that can be shown
	Moment() trace.Position               // the moment shown
	InPast() bool                         // that is a moment of the past
	Submit(command, done string)          // sends a command; done is shown until its answer comes
	Toast(text string, bad bool)          // shows the result of a key
}

// Views are all views, in the order in which tab goes through them.
type Views struct {
	All     []View
	Stage   *Stage
	Log     *Log
	Time    *Time
	Links   *Links
	Clients *Clients
	Node    *Node
}

// New returns all views. To add one, write a file like view_log.go and add it
// here.
func New(s Screen) *Views {
	v := &Views{
		Stage: &Stage{}, Log: &Log{Screen: s}, Time: newTime(s),
		Links: &Links{Screen: s}, Clients: &Clients{Screen: s},
	}
	v.Node = &Node{log: v.Log}
	v.All = []View{v.Stage, v.Log, v.Time, v.Links, v.Clients, v.Node}
	return v
}

// Paint draws a frame with a view, and returns the places that a click can hit,
// those on top last.
func Paint(f *pane.Frame, v View) (*canvas.Canvas, []pane.HitBox) {
	p := pane.NewPainter(f)
	if !p.Fits() {
		return p.Canvas, nil
	}
	l := pane.LayoutFor(f.Width, f.Height, len(f.State.Nodes))
	band := p.Band(&l)
	p.Header(l.Header)
	v.Draw(p, &l)
	p.Overlays(&l, band)
	return p.Canvas, p.Hits
}

// Keys are the keys of all views, each for its own view unless it says otherwise.
func (v *Views) Keys() []keymap.Binding {
	var all []keymap.Binding
	for _, view := range v.All {
		for _, b := range view.Keys() {
			if len(b.In) == 0 {
				b.In = []string{view.Name()}
			}
			all = append(all, b)
		}
	}
	return all
}
