package ui

import (
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
)

// view is one screenful below the header: what it shows, what its keys do, and
// where its cursor is.
type view interface {
	// name is what the view is called.
	name() string
	// keys are the keys that mean something in this view only.
	keys() []binding
	// draw paints the view into a layout, which it may change: captions stand over
	// the story.
	draw(p *painter, l *layout)
	// reset puts the cursor of the view back, and reports whether it was away: esc
	// does this.
	reset() bool
}

// screen is what views ask of the program that shows them.
type screen interface {
	state() *trace.State                  // the state shown
	nodes() []string                      // in the order in which they are drawn
	size() (width, height int)            // of the screen, in cells
	history() *history.History            // the past
	span() (first, latest trace.Position) // the moments that can be shown
	moment() trace.Position               // the moment shown
	inPast() bool                         // that is a moment of the past
	order(command, done string)           // sends a command; done is shown until its answer comes
	say(text string, bad bool)            // shows the result of a key
}

// views are all views, in the order in which tab goes through them.
type views struct {
	all     []view
	stage   *stageView
	log     *logView
	time    *timeView
	links   *linksView
	clients *clientsView
	node    *nodeView
}

// newViews returns all views. To add one, write a file like view_log.go and add it
// here.
func newViews(s screen) *views {
	v := &views{
		stage: &stageView{}, log: &logView{screen: s}, time: newTimeView(s),
		links: &linksView{screen: s}, clients: &clientsView{screen: s},
	}
	v.node = &nodeView{log: v.log}
	v.all = []view{v.stage, v.log, v.time, v.links, v.clients, v.node}
	return v
}

// paint draws a frame with a view, and returns the places that a click can hit,
// those on top last.
func paint(f *frame, v view) (*canvas.Canvas, []hit) {
	p := newPainter(f)
	if !p.fits() {
		return p.Canvas, nil
	}
	l := layoutFor(f.width, f.height, len(f.state.Nodes))
	band := p.band(&l)
	p.header(l.header)
	v.draw(p, &l)
	p.overlays(&l, band)
	return p.Canvas, p.hits
}

// keys are the keys of all views, each for its own view unless it says otherwise.
func (v *views) keys() []binding {
	var all []binding
	for _, view := range v.all {
		for _, b := range view.keys() {
			if len(b.in) == 0 {
				b.in = []string{view.name()}
			}
			all = append(all, b)
		}
	}
	return all
}
