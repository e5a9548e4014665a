package pane

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// HitBox is a part of the picture that a click means something on: a node, or
// what a key would do, an event, or a stretch of time.
type HitBox struct {
	X, Y, W, H int
	Node       string
	Key        string
	Seq        uint64        // of an event
	From, Cell time.Duration // of a stretch of time: where it begins, and the time of a cell
}

// Painter is a frame being drawn, with what several panes need of its state.
type Painter struct {
	*Frame
	*canvas.Canvas
	Hits          []HitBox
	Leader        *trace.Node
	leaderProblem string
	voters        []string
	Lost          map[uint64]trace.Entry // by index: told to a client, and lost
	Acked         map[opKey]trace.Op     // of the latest, those whose client was told ok
}

// NewPainter returns a painter of a frame on a canvas of its own: exactly height
// lines, none wider than width.
func NewPainter(f *Frame) *Painter {
	if f.TimelineState == nil {
		f.TimelineState, f.TimelineEnd, f.Latest = f.State, f.Now, f.Now
	}
	p := &Painter{Frame: f, Canvas: canvas.New(max(f.Width, 0), max(f.Height, 0), f.Glyphs.Ellipsis)}
	p.Leader, p.leaderProblem, p.voters = f.State.LeaderNode(), f.State.LeaderProblem(), f.State.Voters()
	if len(f.State.Lost) > 0 {
		p.Lost = make(map[uint64]trace.Entry, len(f.State.Lost))
		for _, lost := range f.State.Lost {
			if lost.Index < 1<<62 { // a trace from elsewhere may say anything
				p.Lost[lost.Index] = lost.Entry
			}
		}
	}
	return p
}

// Overlays draws what lies over every view: the caption, an alarm, the last lines,
// a menu and the help.
func (p *Painter) Overlays(l *Layout, band canvas.Rectangle) {
	p.caption(l.Story, band)
	p.drawAlarm(l.status.Y)
	p.status(l.status)
	p.footer(l.hints)
	p.keycaps(l.status.Y, band)
	p.drawMenu()
	p.drawHelp()
}

// Fits reports whether the screen is large enough for a picture; if not, it says
// how much room is missing.
func (p *Painter) Fits() bool {
	if p.Width < MinWidth || p.Height < MinHeight {
		p.tooSmall()
		return false
	}
	return true
}

// tooSmall says how much room is missing.
func (p *Painter) tooSmall() {
	text := fmt.Sprintf("have %dx%d, need %dx%d", p.Width, p.Height, MinWidth, MinHeight)
	lines := canvas.Wrap(text, p.W)
	for i, line := range lines {
		p.Put(max((p.W-len(line))/2, 0), max((p.H-len(lines)+1)/2, 0)+i, p.W, line, style.Warn)
	}
}

// HitNode notes that a rectangle stands for a node.
func (p *Painter) HitNode(r canvas.Rectangle, id string) {
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H, Node: id})
}

// hitKey notes that a rectangle stands for a key.
func (p *Painter) hitKey(r canvas.Rectangle, key string) {
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H, Key: key})
}
