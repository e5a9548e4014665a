package pane

import (
	"capsize/ui/canvas"
)

// The smallest screen that is drawn on, in cells.
const (
	MinWidth  = 60
	MinHeight = 18
)

const (
	// ringMinWidth and ringMinHeight are the smallest screen with room for the ring.
	ringMinWidth  = 104
	ringMinHeight = 28
	// fullNodesMax is the largest number of nodes that are drawn with every detail.
	fullNodesMax = 9
	// ringNodesMax is the largest number of nodes that are readable on a ring.
	ringNodesMax = 25
	// compactTableWidth is the width of a compact table.
	compactTableWidth = 56
	// cardWidth is the least width of a card. cardBig and cardSmall are its heights with
	// the value in big digits and without.
	cardWidth = 11
	cardBig   = 6
	cardSmall = 3
)

// Layout holds the rectangle of each pane. A pane with an empty rectangle is not drawn.
type Layout struct {
	Header, Ring, Cards, Table, Clients, Log, Time, Story, status, hints canvas.Rectangle
}

// LayoutFor divides the screen into panes. The result depends only on the size and the number
// of nodes, so no event ever makes a pane jump.
//
//	wide, up to 25 nodes      narrow, up to 9       narrow, more
//	┌──────────────────────┐  ┌────────────────┐  ┌────────────────┐
//	│ header               │  │ header         │  │ header         │
//	│            │ table   │  │ cards          │  │ table, in as   │
//	│    ring    │         │  │                │  │ many columns   │
//	│            │ clients │  │ clients        │  │ as fit         │
//	│ log                  │  │ log            │  │ clients        │
//	│ time                 │  │ time           │  │ log, time      │
//	│ story                │  │ story          │  │ story          │
//	│ status               │  │ status         │  │ status         │
//	│ hints                │  │ hints          │  │ hints          │
//	└──────────────────────┘  └────────────────┘  └────────────────┘
func LayoutFor(width, height, nodes int) Layout {
	nodes = max(nodes, 1)
	l := Layout{
		Header: canvas.Rect(1, 0, width-2, 1),
		status: canvas.Rect(1, height-2, width-2, 1),
		hints:  canvas.Rect(1, height-1, width-2, 1),
	}
	body := canvas.Rect(1, 1, width-2, height-3)
	if width >= ringMinWidth && height >= ringMinHeight && nodes <= ringNodesMax && l.wide(body, nodes) {
		return l
	}
	l.Ring, l.Table = canvas.Rectangle{}, canvas.Rectangle{}
	if nodes <= fullNodesMax {
		rows := cardRows(body.W, nodes)
		top := rows*cardBig + rows - 1
		if top+nodes+1+4 > body.H {
			top = rows * cardSmall
		}
		l.Cards = canvas.Rect(body.X, 0, body.W, top)
		l.narrow(body, &l.Cards, nodes)
		return l
	}
	columns := tableColumns(body.W)
	top := min((nodes+columns-1)/columns+1, max(body.H/2, 4))
	l.Table = canvas.Rect(body.X, 0, body.W, top)
	l.narrow(body, &l.Table, nodes)
	return l
}

// wide lays out a screen with a ring, and reports whether there is room for it.
func (l *Layout) wide(body canvas.Rectangle, nodes int) bool {
	story, times := min(max(body.H/9, 2), 12), 1
	if body.H >= 40 {
		times = 2
	}
	const gaps = 5
	rest := body.H - story - times - gaps
	log := min(nodes+1, rest-max(nodes+5, 13))
	if log < min(nodes+1, 6) {
		return false
	}
	top := rest - log
	tableW := min(max(body.W*55/100, 64), 92)
	ringW := body.W - tableW - 3
	if nodes > fullNodesMax && ringW < nodes*26/10+10 {
		return false
	}
	y := body.Y + 1
	l.Ring = canvas.Rect(body.X, y, ringW, top)
	l.Table = canvas.Rect(body.X+ringW+3, y, tableW, top-3)
	l.Clients = canvas.Rect(l.Table.X, y+top-2, tableW, 2)
	y += top + 1
	l.Log = canvas.Rect(body.X, y, body.W, log)
	y += log + 1
	l.Time = canvas.Rect(body.X, y, body.W, times)
	y += times + 1
	l.Story = canvas.Rect(body.X, y, body.W, story)
	return true
}

// narrow lays out a screen without a ring below its top pane. Rows go first to the panes that
// must be there, then to empty lines between panes. The story gets the rest.
func (l *Layout) narrow(body canvas.Rectangle, top *canvas.Rectangle, nodes int) {
	spare := body.H - top.H - 1 - 1 // one line each of timeline and story
	log := nodes + 1
	if log > spare-1 {
		// Not all logs fit anyway, so leave some room to the other panes.
		log = max(min(spare-1, 6), spare-6, 2)
	}
	spare -= log
	take := func(want bool) int {
		if want && spare > 0 {
			spare--
			return 1
		}
		return 0
	}
	story := 1 + take(true)
	clients := take(true)
	gapHeader, gapLog, gapClients, gapStory := take(true), take(true), take(clients > 0), take(true)
	gapTime := take(true)
	take(body.H > 24) // above the status line
	story += spare

	y := body.Y + gapHeader
	top.Y = y
	y += top.H + gapClients
	l.Clients = canvas.Rect(body.X, y, body.W, clients)
	y += clients + gapLog
	l.Log = canvas.Rect(body.X, y, body.W, log)
	y += log + gapTime
	l.Time = canvas.Rect(body.X, y, body.W, 1)
	y += 1 + gapStory
	l.Story = canvas.Rect(body.X, y, body.W, story)
}

// cardRows returns the number of rows of cards.
func cardRows(w, nodes int) int {
	perRow := max(w/cardWidth, 1)
	return (nodes + perRow - 1) / perRow
}

// tableColumns returns the number of compact tables side by side.
func tableColumns(w int) int { return max(w/compactTableWidth, 1) }

// Body returns the room of a view that has the whole screen. If there is a caption, the body
// ends above it. The story of the layout becomes the caption's place.
func (p *Painter) Body(l *Layout) canvas.Rectangle {
	body := canvas.Rect(1, 2, p.Width-2, p.Height-5)
	l.Story = canvas.Rect(body.X, body.Y+body.H-CaptionLines-1, body.W, CaptionLines+1)
	if p.State.Caption != "" || p.StepWaiting {
		body.H -= l.Story.H
	}
	return body
}
