package pane

import (
	"time"

	"capsize/cluster/trace"
	"capsize/ui/style"
)

// Frame is everything that one picture is drawn from. The same frame gives the same
// picture.
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

// Playback is which moment the picture shows and how fast time passes.
type Playback struct {
	Now         time.Duration // the virtual time shown
	Past        bool          // Now is a moment of the past
	Latest      time.Duration // the latest moment there is
	Earliest    time.Duration // the earliest moment that can still be shown
	Playing     bool          // the past plays forward
	Stepping    bool          // the cluster advances one event at a time
	Paused      bool
	AutoSpeed   bool    // the clock slows down by itself when something happens
	Speed       float64 // requested: 1 is real time, vtime.Max is as fast as possible
	ActualSpeed float64 // the speed reached, 0 if it is the requested one
	Branch      string  // the branch or recording shown, "" if there is only one
	Exact       bool    // the run repeats from its seed, byte for byte
	Processes   bool    // the nodes are processes, and time is real: it has no speed
	Recorded    bool    // a recording is shown, not a cluster
}

// TimelineSpan is what the timeline shows.
type TimelineSpan struct {
	TimelineState *trace.State  // the state at its right end
	TimelineEnd   time.Duration // the moment at its right end
}

// NodeCursor is which nodes the keys act on.
type NodeCursor struct {
	Cursor        string          // always one node
	Selected      map[string]bool // if empty, keys act on the cursor
	FollowsLeader bool            // the user has not moved the cursor yet
}

// ClientSettings is how the client keys send operations.
type ClientSettings struct {
	Route, Level string
	Load         int // increments per second, 0 for no load
}

// Presentation is what an audience sees of a scenario.
type Presentation struct {
	Presenting    bool // a scenario is on stage: leave out what only its presenter needs
	ScenarioTitle string
	Language      string   // of captions, "" for the scenario's own
	PressedKeys   []string // to show, oldest first
	ShowKeys      bool
	StepText      string // the text of the step that waits for a key
	StepWaiting   bool
	TimeGoesOn    bool    // while a step or a question waits
	InHand        bool    // the step waits for the audience to move messages
	Asking        *Asking // how the question that waits is being answered, nil without one
}

// Asking is how a question is being answered.
type Asking struct {
	Room    bool   // by a show of hands: its counts are typed
	Typed   string // so far
	Votes   []int  // the counts typed, by choice; nil before enter
	Problem string // what is wrong with what was typed, "" for nothing
}

// Input is what the user types and chooses from, and the result of the last key.
type Input struct {
	Toast     Toast
	Command   string      // the command that the last key stood for
	Tips      []Tip       // for a first-time user
	Prompt    *PromptLine // the command being typed, or nil
	Menu      *Menu       // or nil
	Sheet     *Sheet      // of the message looked into, or nil
	Pointed   uint64      // the packet under the cursor of the hand view, 0 for none
	Help      []HelpGroup // the full help, or nil
	Hints     []HelpKey   // of the footer, most important first
	Filter    string      // the text that story lines must contain
	Filtering bool        // the filter is being typed
}

// Violations is what the checks found beyond the verdicts in the state shown.
type Violations struct {
	Alarm       *Alarm        // for checks that have just been violated, or nil
	ViolatedNow []trace.Check // violated at the latest moment, even while the past is shown
	Unreported  []trace.Check // verdicts that follow from a recording but are missing in it
}

// Toast is the result of an action.
type Toast struct {
	Text string
	Bad  bool
}

// PacketSprite is a packet drawn on its way.
type PacketSprite struct {
	InFlight trace.InFlight
	Progress float64 // 0 at the sender, 1 at the receiver
	Lost     bool
	Fade     float64 // how far a lost packet has faded, 0 to 1
	routine  bool    // carries nothing new: a heartbeat, an empty append
}

// PromptLine is a command being typed.
type PromptLine struct {
	Text        string
	Cursor      int      // in characters
	Completions []string // of its last word
	Problem     string   // what is wrong with it, "" if nothing is
}

// Menu is a small overlay to choose from.
type Menu struct {
	Title string
	Items []MenuItem
	Index int    // the item under the cursor
	Note  string // one line below the items
}

// MenuItem is one choice.
type MenuItem struct {
	Key, Text, Detail string
	On                bool // it is the current setting
}

// HelpGroup is a titled list of keys.
type HelpGroup struct {
	Title string
	Keys  []HelpKey
}

// HelpKey is a key and what it does.
type HelpKey struct {
	Key, Text string
	Pinned    bool // always shown, at the right end of the footer
}
