package pane

import (
	"time"

	"capsize/cluster/trace"
	"capsize/ui/style"
)

// Frame is everything one picture is drawn from. Drawing is pure: the same frame
// and the same view give the same picture.
type Frame struct {
	State         *trace.State
	Width, Height int
	Theme         *style.Theme
	Glyphs        *style.Glyphs
	Playback
	TimelineSpan
	NodeCursor
	ClientSettings
	Motion
	Presentation
	Input
	Violations
}

// Playback is where in time a picture is, and how fast that moves.
type Playback struct {
	Now         time.Duration // the virtual time shown
	Past        bool          // now is a moment of the past
	Latest      time.Duration // the latest moment there is
	Earliest    time.Duration // the first moment that can be shown
	Playing     bool          // the past plays
	Stepping    bool          // the cluster advances one event at a time
	Paused      bool
	AutoSpeed   bool    // the clock slows down by itself when something happens
	Speed       float64 // requested; vtime.Max = as fast as it goes; 0.01 is 1/100
	ActualSpeed float64 // the speed the machine keeps up, 0 if that is the requested one
	Branch      string  // the branch or recording shown, "" if there is only one
	Recorded    bool    // a recording is shown, not a cluster
}

// TimelineSpan is what the timeline shows.
type TimelineSpan struct {
	TimelineState *trace.State  // the state at its right end
	TimelineEnd   time.Duration // the moment at its right end
}

// NodeCursor says which nodes keys act on.
type NodeCursor struct {
	Cursor        string          // always one node
	Selected      map[string]bool // nodes selected explicitly; empty: keys act on the cursor
	FollowsLeader bool            // the cursor follows the leader: nothing chosen yet
}

// ClientSettings is how the client keys ask: by which route, at which read level,
// and with how many increments per second (0 = no load).
type ClientSettings struct {
	Route, Level string
	Load         int
}

// Presentation is what a picture shows to people who watch a scenario.
type Presentation struct {
	Presenting    bool     // a scenario is on stage: leave out what only its presenter needs
	ScenarioTitle string   // the scenario's title
	Language      string   // of captions, "" for the scenario's own
	PressedKeys   []string // pressed keys to show, the latest last
	ShowKeys      bool     // pressed keys are shown
	StepText      string   // the text of the step that waits
	StepWaiting   bool     // a step waits
}

// Input is what the user types and chooses from, and what came of the last key.
type Input struct {
	Toast     Toast
	Command   string      // the command that the last key stood for
	Tips      []Tip       // tips for a first-time user
	Prompt    *PromptLine // the line being typed, or nil
	Menu      *Menu       // an overlay, or nil
	Help      []HelpGroup // the full help, or nil
	Hints     []HelpKey   // of the footer, most important first: as many as fit are drawn
	Filter    string      // the text that lines of the story must contain
	Filtering bool        // the filter is being typed
}

// Violations is what the checks say beside the verdicts of the state shown.
type Violations struct {
	Alarm       *Alarm        // checks that have just been violated, or nil
	ViolatedNow []trace.Check // checks violated by now, even where the past is shown
	Unreported  []trace.Check // verdicts that a recording's events show but its verdict events omit
}

// Toast is the result of an action.
type Toast struct {
	Text string
	Bad  bool
}

// PacketSprite is a packet on its way.
type PacketSprite struct {
	InFlight trace.InFlight
	Progress float64 // 0..1 of the way
	quiet    bool    // routine that carries nothing new: a heartbeat, an empty append
	Lost     bool
	Fade     float64 // 0..1, of a lost one: how far it has faded
}

// PromptLine is a command being typed.
type PromptLine struct {
	Text        string
	Cursor      int      // in characters
	Completions []string // what its last word may become
	Problem     string   // what is wrong with it
}

// Menu is a small overlay to choose from.
type Menu struct {
	Title string
	Items []MenuItem
	Index int    // the item under the cursor
	Note  string // one line below
}

// MenuItem is one choice; on says that it is set now.
type MenuItem struct {
	Key, Text, Detail string
	On                bool
}

// HelpGroup is a titled list of keys.
type HelpGroup struct {
	Title string
	Keys  []HelpKey
}

// HelpKey is a key and what it does.
type HelpKey struct {
	Key, Text string
	Pinned    bool // of the footer: at its right end, whatever else there is
}
