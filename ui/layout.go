package ui

// The smallest screen on which there is something to see.
const (
	minWidth  = 60
	minHeight = 18
)

const (
	// stageWidth and stageHeight are from where on there is room for the ring.
	stageWidth  = 104
	stageHeight = 28
	// fullNodes is up to how many nodes everything is drawn in full.
	fullNodes = 9
	// ringNodes is up to how many nodes a ring can be read.
	ringNodes = 25
	// compactWidth is what a row of the compact table needs.
	compactWidth = 56
	// cardWidth is what a node's card needs, and cardBig and cardSmall are its
	// heights with a value in big digits and without.
	cardWidth = 11
	cardBig   = 6
	cardSmall = 3
)

// rect is a part of the screen, in cells.
type rect struct{ x, y, w, h int }

func (r rect) empty() bool { return r.w <= 0 || r.h <= 0 }

// layout says where each pane is. An empty rectangle is a pane not drawn.
type layout struct {
	header, ring, cards, table, clients, log, time, story, status, hints rect
}

// layoutFor cuts the screen into panes. It depends on nothing but the size and
// the number of nodes, so nothing ever jumps because of what happens.
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
func layoutFor(width, height, nodes int) layout {
	nodes = max(nodes, 1)
	l := layout{
		header: rect{1, 0, width - 2, 1},
		status: rect{1, height - 2, width - 2, 1},
		hints:  rect{1, height - 1, width - 2, 1},
	}
	body := rect{1, 1, width - 2, height - 3}
	if width >= stageWidth && height >= stageHeight && nodes <= ringNodes && l.stage(body, nodes) {
		return l
	}
	l.ring, l.table = rect{}, rect{}
	if nodes <= fullNodes {
		rows := cardRows(body.w, nodes)
		top := rows*cardBig + rows - 1
		if top+nodes+1+4 > body.h {
			top = rows * cardSmall
		}
		l.cards = rect{body.x, 0, body.w, top}
		l.stack(body, &l.cards, nodes)
		return l
	}
	columns := tableColumns(body.w)
	top := min((nodes+columns-1)/columns+1, max(body.h/2, 4))
	l.table = rect{body.x, 0, body.w, top}
	l.stack(body, &l.table, nodes)
	return l
}

// stage lays out a wide screen, and says whether it is large enough.
func (l *layout) stage(body rect, nodes int) bool {
	story, times := min(max(body.h/9, 2), 12), 1
	if body.h >= 40 {
		times = 2
	}
	const gaps = 5
	rest := body.h - story - times - gaps
	log := min(nodes+1, rest-max(nodes+5, 13))
	if log < min(nodes+1, 6) {
		return false
	}
	top := rest - log
	tableW := min(max(body.w*55/100, 64), 92)
	ringW := body.w - tableW - 3
	if nodes > fullNodes && ringW < nodes*26/10+10 {
		return false
	}
	y := body.y + 1
	l.ring = rect{body.x, y, ringW, top}
	l.table = rect{body.x + ringW + 3, y, tableW, top - 3}
	l.clients = rect{l.table.x, y + top - 2, tableW, 2}
	y += top + 1
	l.log = rect{body.x, y, body.w, log}
	y += log + 1
	l.time = rect{body.x, y, body.w, times}
	y += times + 1
	l.story = rect{body.x, y, body.w, story}
	return true
}

// stack lays out a narrow screen below its top pane: first what must be there,
// then empty lines between the panes, and the story gets what is left.
func (l *layout) stack(body rect, top *rect, nodes int) {
	spare := body.h - top.h - 1 - 1 // one line each of timeline and story
	log := nodes + 1
	if log > spare-1 {
		// Not all logs fit anyway: a few less leave room to breathe.
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
	take(body.h > 24) // above the status line
	story += spare

	y := body.y + gapHeader
	top.y = y
	y += top.h + gapClients
	l.clients = rect{body.x, y, body.w, clients}
	y += clients + gapLog
	l.log = rect{body.x, y, body.w, log}
	y += log + gapTime
	l.time = rect{body.x, y, body.w, 1}
	y += 1 + gapStory
	l.story = rect{body.x, y, body.w, story}
}

// cardRows returns in how many rows the cards of so many nodes stand.
func cardRows(w, nodes int) int {
	perRow := max(w/cardWidth, 1)
	return (nodes + perRow - 1) / perRow
}

// tableColumns returns how many compact tables stand side by side.
func tableColumns(w int) int { return max(w/compactWidth, 1) }
