package pane

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// HitBox is a rectangle of the picture that can be clicked. It stands for a node, a key, an
// event, a packet, a timer, or a stretch of time.
type HitBox struct {
	X, Y, W, H int
	Node       string
	Key        string
	Seq        uint64        // of an event
	Packet     uint64        // its ID
	Timer      int           // its row, from 1 on
	From, Cell time.Duration // the start of a stretch of time, and the time of one cell
}

// Painter is one frame being drawn, with what several panes need of its state.
type Painter struct {
	*Frame
	*canvas.Canvas
	Hits          []HitBox
	Leader        *trace.Node
	Lost          map[uint64]trace.Entry   // by index: acknowledged to a client, then lost
	Acked         map[trace.OpKey]trace.Op // recent operations that ended ok; see IndexAcked
	leaderProblem string
	voters        []string
}

// NewPainter returns a painter of a frame on a canvas of its own, of the frame's size.
func NewPainter(f *Frame) *Painter {
	if f.TimelineState == nil {
		f.TimelineState, f.TimelineEnd, f.Latest = f.State, f.Now, f.Now
	}
	p := &Painter{Frame: f, Canvas: canvas.New(max(f.Width, 0), max(f.Height, 0), f.Glyphs.Ellipsis)}
	p.Leader, p.leaderProblem, p.voters = f.State.LeaderNode(), f.State.LeaderProblem(), f.State.Voters()
	if len(f.State.Lost) > 0 {
		p.Lost = make(map[uint64]trace.Entry, len(f.State.Lost))
		for _, lost := range f.State.Lost {
			if lost.Index < 1<<62 { // a recording from elsewhere may claim anything
				p.Lost[lost.Index] = lost.Entry
			}
		}
	}
	return p
}

// Overlays draws what covers every view and every caption: an alarm, the status line, the footer,
// the inside of a message, a menu and the help.
func (p *Painter) Overlays(l *Layout, band canvas.Rectangle) {
	p.drawAlarm(l.status.Y)
	p.status(l.status)
	p.footer(l.hints)
	p.keycaps(l.status.Y, band)
	p.drawSheet()
	p.drawMenu()
	p.drawHelp()
}

// Fits reports whether the screen is large enough for a picture. If it is not, Fits draws
// how large it is and should be.
func (p *Painter) Fits() bool {
	if p.Width >= MinWidth && p.Height >= MinHeight {
		return true
	}
	text := fmt.Sprintf("have %dx%d, need %dx%d", p.Width, p.Height, MinWidth, MinHeight)
	lines := canvas.Wrap(text, p.W)
	for i, line := range lines {
		p.Put(max((p.W-len(line))/2, 0), max((p.H-len(lines)+1)/2, 0)+i, p.W, line, style.Warn)
	}
	return false
}

// HitNode makes a rectangle stand for a node.
func (p *Painter) HitNode(r canvas.Rectangle, id string) {
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H, Node: id})
}

// hitKey makes a rectangle stand for a key.
func (p *Painter) hitKey(r canvas.Rectangle, key string) {
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H, Key: key})
}

// HitPacket makes a rectangle stand for a packet.
func (p *Painter) HitPacket(r canvas.Rectangle, id uint64) {
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H, Packet: id})
}

// LooksInto reports whether a packet is looked into or, in the hand view, under the cursor.
func (p *Painter) LooksInto(id uint64) bool {
	if p.Sheet != nil {
		return p.Sheet.Packet == id
	}
	return id != 0 && p.Pointed == id
}
