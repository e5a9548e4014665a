package ui

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// hit is a part of the picture that a click means something on: a node, or
// what a key would do, an event, or a stretch of time.
type hit struct {
	x, y, w, h int
	node       string
	key        string
	seq        uint64        // of an event
	from, cell time.Duration // of a stretch of time: where it begins, and the time of a cell
}

// painter is a frame being drawn, with what several panes need of its state.
type painter struct {
	*frame
	*canvas.Canvas
	hits     []hit
	leader   *trace.Node
	noLeader string
	voters   []string
	lost     map[uint64]trace.Entry // by index: told to a client, and lost
	told     map[call]trace.Op      // of the latest, those whose client was told ok
}

// newPainter returns a painter of a frame on a canvas of its own: exactly height
// lines, none wider than width.
func newPainter(f *frame) *painter {
	if f.line == nil {
		f.line, f.lineEnd, f.latest = f.state, f.now, f.now
	}
	p := &painter{frame: f, Canvas: canvas.New(max(f.width, 0), max(f.height, 0), f.glyphs.More)}
	p.leader, p.noLeader, p.voters = f.state.LeaderNode(), f.state.LeaderProblem(), f.state.Voters()
	if len(f.state.Lost) > 0 {
		p.lost = make(map[uint64]trace.Entry, len(f.state.Lost))
		for _, lost := range f.state.Lost {
			if lost.Index < 1<<62 { // a trace from elsewhere may say anything
				p.lost[lost.Index] = lost.Entry
			}
		}
	}
	return p
}

// overlays draws what lies over every view: the caption, an alarm, the last lines,
// a menu and the help.
func (p *painter) overlays(l *layout, band canvas.Rectangle) {
	p.caption(l.story, band)
	p.drawAlarm(l.status.Y)
	p.status(l.status)
	p.footer(l.hints)
	p.keycaps(l.status.Y, band)
	p.drawMenu()
	p.drawHelp()
}

// fits reports whether the screen is large enough for a picture; if not, it says
// how much room is missing.
func (p *painter) fits() bool {
	if p.width < minWidth || p.height < minHeight {
		p.tooSmall()
		return false
	}
	return true
}

// tooSmall says how much room is missing.
func (p *painter) tooSmall() {
	text := fmt.Sprintf("have %dx%d, need %dx%d", p.width, p.height, minWidth, minHeight)
	lines := canvas.Wrap(text, p.W)
	for i, line := range lines {
		p.Put(max((p.W-len(line))/2, 0), max((p.H-len(lines)+1)/2, 0)+i, p.W, line, style.Warn)
	}
}

// hitNode notes that a rectangle stands for a node.
func (p *painter) hitNode(r canvas.Rectangle, id string) {
	p.hits = append(p.hits, hit{x: r.X, y: r.Y, w: r.W, h: r.H, node: id})
}

// hitKey notes that a rectangle stands for a key.
func (p *painter) hitKey(r canvas.Rectangle, key string) {
	p.hits = append(p.hits, hit{x: r.X, y: r.Y, w: r.W, h: r.H, key: key})
}
