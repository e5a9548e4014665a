package ui

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
)

// frame is everything one picture is drawn from. Drawing is pure: same frame,
// same string.
type frame struct {
	state         *trace.State
	width, height int
	theme         *theme
	glyphs        *glyphs

	now    time.Duration // the virtual time shown
	past   bool          // that is a moment of the past
	latest time.Duration // the latest moment there is
	// remembered is from when on there is a past.
	remembered time.Duration
	playing    bool          // the past goes on by itself
	stepped    bool          // the world goes on by single events
	auto       bool          // the speed is left to what happens
	course     string        // the branch or recording that is shown, "" if there is but one
	recorded   bool          // a recording is shown, not a cluster
	line       *trace.State  // what the timeline tells of
	lineEnd    time.Duration // at the right end of the timeline

	chart    *chart        // what the time view tells of
	laneCell time.Duration // of the time view: what a cell stands for
	laneEnd  time.Duration // of the time view: the moment at its right end

	speed  float64 // asked for; vtime.Max = as fast as it goes; 0.01 is 1/100
	paused bool
	// reached is the speed that the machine keeps up, 0 if that is the one asked for.
	reached float64

	cursor   string          // the node that keys act on; always one
	selected map[string]bool // nodes selected explicitly; empty: keys act on the cursor
	follow   bool            // the cursor follows the leader: nothing chosen yet

	route, level string // of the client's operations: the way, and the read level
	load         int    // increments per second being driven, 0 = off

	toast   toast  // what came of the last action
	command string // the command that the last key stood for

	sparks  []spark            // packets to draw
	flash   map[string]float64 // node → 1..0: its value has just changed
	fresh   map[string]bool    // nodes that are behind since so short a time that it is not worth a word
	cut     map[string]float64 // node → 1..0: it has just cut entries off its log (Node.Cut)
	history []int              // increments acknowledged in each of the last seconds
	rate    float64            // increments acknowledged per second now

	presents  bool        // for an audience: nothing is shown that it need not see
	heading   string      // what is presented
	language  string      // of captions, "" for the scenario's own
	pressed   []string    // keys to be shown, the latest last
	showKeys  bool        // keys are shown when they are pressed
	step      string      // what the scenario waits to be told to go on with
	waiting   bool        // it waits
	firstKeys []firstKey  // that whoever is here for the first time is told of
	prompt    *promptLine // the line being typed, or nil
	menu      *menu       // an overlay, or nil
	help      []helpGroup // the full help, or nil
	hints     []helpKey   // of the footer, most important first: as many as fit are drawn

	scroll    int // the first row of a node table that does not fit
	view      view
	logScroll int // how many entries back from the newest the log grid ends
	places
	alarm  *alarm        // checks that have just been violated, or nil
	broken []trace.Check // all that are violated by now, also where the past is shown
	hidden []trace.Check // what a recording's events show and its verdicts do not tell
}

// toast is the result of an action.
type toast struct {
	text string
	bad  bool
}

// spark is a packet on its way.
type spark struct {
	flight trace.InFlight
	at     float64 // 0..1 of the way
	quiet  bool    // routine that carries nothing new: a heartbeat, an empty append
	lost   bool
	fade   float64 // 0..1, of a lost one: how far it has faded
}

// promptLine is a command being typed.
type promptLine struct {
	text    string
	cursor  int      // in characters
	choices []string // what its last word may become
	wrong   string   // what is wrong with it
}

// menu is a small overlay to choose from.
type menu struct {
	title string
	items []menuItem
	index int    // the item under the cursor
	note  string // one line below
}

// menuItem is one choice; on says that it is set now.
type menuItem struct {
	key, text, detail string
	on                bool
}

// helpGroup is a titled list of keys.
type helpGroup struct {
	title string
	keys  []helpKey
}

// helpKey is a key and what it does.
type helpKey struct {
	key, text string
	keeps     bool // of the footer: at its right end, whatever else there is
}

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
	*canvas
	hits     []hit
	leader   *trace.Node
	noLeader string
	voters   []string
	lost     map[uint64]trace.Entry // by index: told to a client, and lost
	proof    []uint64               // events that prove that what clients were told is not linearizable
	told     map[call]trace.Op      // of the latest, those whose client was told ok
}

// paint draws the frame on a canvas of its own: exactly height lines, none wider
// than width, and the places that a click can hit, those on top last.
func (f *frame) paint() (*canvas, []hit) {
	if f.line == nil {
		f.line, f.lineEnd, f.latest = f.state, f.now, f.now
	}
	p := &painter{frame: f, canvas: newCanvas(max(f.width, 0), max(f.height, 0), f.glyphs.more)}
	if f.width < minWidth || f.height < minHeight {
		p.tooSmall()
		return p.canvas, nil
	}
	p.leader, p.noLeader, p.voters = f.state.LeaderNode(), f.state.NoLeader(), f.state.Voters()
	p.recall()
	l := layoutFor(f.width, f.height, len(f.state.Nodes))
	band := p.band(&l)
	p.header(l.header)
	switch {
	case p.zoom != "":
		p.zoomed()
	case p.view != viewStage:
		p.whole(&l)
	default:
		p.ring(l.ring)
		p.cards(l.cards)
		p.table(l.table)
		p.clients(l.clients)
		p.logGrid(l.log)
		p.timeline(l.time)
		p.story(l.story)
	}
	p.caption(l.story, band)
	p.drawAlarm(l.status.y)
	p.status(l.status)
	p.footer(l.hints)
	p.keycaps(l.status.y, band)
	p.drawMenu()
	p.drawHelp()
	return p.canvas, p.hits
}

// tooSmall says how much room is missing.
func (p *painter) tooSmall() {
	text := fmt.Sprintf("have %dx%d, need %dx%d", p.width, p.height, minWidth, minHeight)
	lines := wrap(text, p.w)
	for i, line := range lines {
		p.put(max((p.w-len(line))/2, 0), max((p.h-len(lines)+1)/2, 0)+i, p.w, line, inkWarn)
	}
}

// hitNode notes that a rectangle stands for a node.
func (p *painter) hitNode(r rect, id string) {
	p.hits = append(p.hits, hit{x: r.x, y: r.y, w: r.w, h: r.h, node: id})
}

// hitKey notes that a rectangle stands for a key.
func (p *painter) hitKey(r rect, key string) {
	p.hits = append(p.hits, hit{x: r.x, y: r.y, w: r.w, h: r.h, key: key})
}
