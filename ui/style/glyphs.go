package style

// Glyphs is a set of characters to draw with, each one cell wide on every
// terminal: no emoji, none that asks for a variation selector.
type Glyphs struct {
	Name  string
	More  string // ends a text that was cut short
	Dot   string // between the parts of a line
	Minus string // before how far behind a node is

	Leader, Follower, Candidate, Starting        string
	Paused, Killed, Off, Crashed, Removed, Wiped string

	Play, Stop      string
	Cursor, Marked  string
	Voted, Unvoted  string
	Full, Empty     string // a bar
	Prompt          string
	Good, Bad       string
	CutLink         string
	SlowLink        string
	LossyLink       string
	RefuseLink      string
	DoubleLink      string
	MixedLink       string // packets overtake each other
	JamLink         string
	NarrowLink      string
	Border          string // between what is committed and what is not
	Snapshot        string
	Forgotten       string // entries that a snapshot stands for
	Split           string // between panes
	Spark           []string
	Led, Unled, Now string // the timeline
	Here, Stands    string // the moment that is shown; a candidate
	Heal, Start     string
	Disk, Clock     string
	Members, Words  string
	Undecided       string
	Loud            string // before what must not be overlooked
	Told            string // its client has had its answer

	Packet, Reply map[string]string // by kind; "" is any other
	Arrows        [4]string         // right, down, left, up
	Frame         [6]string         // corners from top left clockwise, horizontal, vertical

	Wall string // between the sides of a partition
	Big  bool   // values are drawn in big digits where they fit
}

var Unicode = &Glyphs{
	Name: "unicode", More: "…", Dot: "·", Minus: "−",
	Leader: "★", Follower: "●", Candidate: "◐", Starting: "◌",
	Paused: "‖", Killed: "✗", Off: "○", Crashed: "✘", Removed: "⊖", Wiped: "∅",
	Play: "▶", Stop: "❚❚", Cursor: "▌", Marked: "▪", Voted: "●", Unvoted: "○", Full: "━", Empty: "─",
	Prompt: "›", Good: "✓", Bad: "✗", CutLink: "✂", SlowLink: "~", LossyLink: "⋯",
	RefuseLink: "⊣", DoubleLink: "∥", MixedLink: "⇄", JamLink: "▒", NarrowLink: "≈",
	Border: "┊", Snapshot: "◧", Forgotten: "╌", Split: "│",
	Spark: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Led:   "━", Unled: "╌", Now: "▐", Here: "┃", Stands: "╍", Heal: "✚", Start: "▲", Disk: "⊘", Clock: "◷", Members: "±", Words: "»",
	Undecided: "?", Loud: "!", Told: "·",
	Packet: map[string]string{
		"append": "◆", "heartbeat": "•", "vote": "▲", "prevote": "△", "snapshot": "■", "timeout-now": "»", "": "▪",
	},
	Reply:  map[string]string{"append": "◇", "heartbeat": "◦", "vote": "△", "prevote": "▵", "snapshot": "□", "": "▫"},
	Arrows: [4]string{"→", "↓", "←", "↑"}, Frame: [6]string{"╭", "╮", "╯", "╰", "─", "│"},
	Wall: "▪", Big: true,
}

var ASCII = &Glyphs{
	Name: "ascii", More: "~", Dot: "-", Minus: "-",
	Leader: "*", Follower: "o", Candidate: "?", Starting: ".",
	Paused: "=", Killed: "x", Off: "_", Crashed: "X", Removed: "-", Wiped: "0",
	Play: ">", Stop: "||", Cursor: ">", Marked: "+", Voted: "#", Unvoted: ".", Full: "#", Empty: ".",
	Prompt: ">", Good: "+", Bad: "!", CutLink: "%", SlowLink: "~", LossyLink: ":",
	RefuseLink: "/", DoubleLink: "2", MixedLink: "&", JamLink: "#", NarrowLink: "=",
	Border: "|", Snapshot: "S", Forgotten: "-", Split: "|",
	Spark: []string{"_", ".", ":", "-", "=", "+", "*", "#"},
	Led:   "=", Unled: ".", Now: "|", Here: "I", Stands: "?", Heal: "+", Start: "^", Disk: "D", Clock: "T", Members: "M", Words: "\"",
	Undecided: "?", Loud: "!", Told: "'",
	Packet: map[string]string{
		"append": "@", "heartbeat": "o", "vote": "V", "prevote": "v", "snapshot": "S", "timeout-now": "T", "": "@",
	},
	Reply:  map[string]string{"append": "a", "heartbeat": "'", "vote": "y", "prevote": "y", "snapshot": "s", "": "a"},
	Arrows: [4]string{">", "v", "<", "^"}, Frame: [6]string{"+", "+", "+", "+", "-", "|"},
	Wall: "#",
}
