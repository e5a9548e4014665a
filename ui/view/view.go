package view

import (
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// View is what fills the screen below the header.
type View interface {
	// Name returns the view's name, one word.
	Name() string
	// Keys returns the bindings of this view. In it they come before those of ui.
	Keys() []keymap.Binding
	Drawer
	// Reset moves the cursor back to where it was at first, and reports whether it
	// was elsewhere. The key esc calls it.
	Reset() bool
}

// Drawer draws what fills the screen below the header.
type Drawer interface {
	// Draw draws it. The layout is the stage's, and may be changed.
	Draw(p *pane.Painter, l *pane.Layout)
}

// Screen is what the program offers to views.
type Screen interface {
	State() *trace.State                  // the state shown, valid until the next frame
	Nodes() []string                      // the members' names, in the order drawn
	Size() (width, height int)            // of the screen, in cells
	History() *history.History            // the past
	Span() (first, latest trace.Position) // the first and the last moment that can be shown
	Moment() trace.Position               // the moment shown
	InPast() bool                         // whether that is a past one
	Submit(command, done string)          // queues a command; done is shown until it has a result
	Toast(text string, bad bool)          // shows a short message; bad makes it an error
}

// Views holds one of each view. All lists them in the order of the key tab.
type Views struct {
	All     []View
	Stage   *Stage
	Log     *Log
	Time    *Time
	Links   *Links
	Clients *Clients
	Node    *Node
	Hand    *Hand
}

// New returns the views of a screen, with their cursors where they are at first.
func New(s Screen) *Views {
	v := &Views{
		Stage: &Stage{}, Log: &Log{Screen: s}, Time: newTime(s),
		Links: &Links{Screen: s}, Clients: &Clients{Screen: s}, Hand: &Hand{Screen: s},
	}
	v.Node = &Node{log: v.Log}
	v.All = []View{v.Stage, v.Log, v.Time, v.Links, v.Clients, v.Node, v.Hand}
	return v
}

// ForAudience returns the view that shows a state where nobody chooses one, as in a recording of
// the screen: the hand view while links are held, else the stage.
func ForAudience(s *trace.State) Drawer {
	if s.HoldsAny() {
		return &Hand{unattended: true}
	}
	return &Stage{}
}

// Paint draws a frame with a view or a comparison, and returns the canvas and what the mouse
// can hit on it, the topmost last.
func Paint(f *pane.Frame, v Drawer) (*canvas.Canvas, []pane.HitBox) {
	p := pane.NewPainter(f)
	if !p.Fits() {
		return p.Canvas, nil
	}
	l := pane.LayoutFor(f.Width, f.Height, len(f.State.Nodes))
	band := p.Band(&l)
	p.Header(l.Header)
	v.Draw(p, &l)
	p.Caption(&l, band)
	drawQuestion(p, band)
	p.Overlays(&l, band)
	return p.Canvas, p.Hits
}

// Keys returns the bindings of all views. A binding that names no views is restricted to
// its own.
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
