package ui

import (
	"time"

	"capsize/cluster/trace"
	"capsize/ui/style"
)

// frame is everything one picture is drawn from. Drawing is pure: the same frame
// and the same view give the same picture.
type frame struct {
	state         *trace.State
	width, height int
	theme         *style.Theme
	glyphs        *style.Glyphs
	moment
	timelineSpan
	nodeCursor
	clientSettings
	motion
	audience
	input
	violations
	logScroll int // how many entries back from the newest the log grid ends
}

// moment is where in time a picture is, and how fast that moves.
type moment struct {
	now        time.Duration // the virtual time shown
	past       bool          // now is a moment of the past
	latest     time.Duration // the latest moment there is
	remembered time.Duration // the first moment that can be shown
	playing    bool          // the past plays
	stepped    bool          // the cluster advances one event at a time
	paused     bool
	auto       bool    // the clock slows down by itself when something happens
	speed      float64 // requested; vtime.Max = as fast as it goes; 0.01 is 1/100
	reached    float64 // the speed the machine keeps up, 0 if that is the requested one
	course     string  // the branch or recording shown, "" if there is only one
	recorded   bool    // a recording is shown, not a cluster
}

// timelineSpan is what the timeline shows.
type timelineSpan struct {
	line    *trace.State  // the state at its right end
	lineEnd time.Duration // the moment at its right end
}

// nodeCursor says which nodes keys act on.
type nodeCursor struct {
	cursor   string          // always one node
	selected map[string]bool // nodes selected explicitly; empty: keys act on the cursor
	follow   bool            // the cursor follows the leader: nothing chosen yet
}

// clientSettings is how the client keys ask: by which route, at which read level,
// and with how many increments per second (0 = no load).
type clientSettings struct {
	route, level string
	load         int
}

// audience is what a picture shows to people who watch a scenario.
type audience struct {
	presents bool     // a scenario is on stage: leave out what only its presenter needs
	heading  string   // the scenario's title
	language string   // of captions, "" for the scenario's own
	pressed  []string // pressed keys to show, the latest last
	showKeys bool     // pressed keys are shown
	step     string   // the text of the step that waits
	waiting  bool     // a step waits
}

// input is what the user types and chooses from, and what came of the last key.
type input struct {
	toast     toast
	command   string      // the command that the last key stood for
	firstKeys []firstKey  // tips for a first-time user
	prompt    *promptLine // the line being typed, or nil
	menu      *menu       // an overlay, or nil
	help      []helpGroup // the full help, or nil
	hints     []helpKey   // of the footer, most important first: as many as fit are drawn
	filter    string      // the text that lines of the story must contain
	filtering bool        // the filter is being typed
}

// violations is what the checks say beside the verdicts of the state shown.
type violations struct {
	alarm  *alarm        // checks that have just been violated, or nil
	broken []trace.Check // checks violated by now, even where the past is shown
	hidden []trace.Check // verdicts that a recording's events show but its verdict events omit
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
