package style

// Glyphs is a set of characters to draw with. Each is one cell wide on every terminal: no
// emoji, and nothing that needs a variation selector.
type Glyphs struct {
	Name string
	TextGlyphs
	NodeGlyphs
	LinkGlyphs
	LogGlyphs
	TimelineGlyphs
	Box        [6]string // corners from top left clockwise, horizontal line, vertical line
	PaneBorder string    // between two panes
	BigDigits  bool      // draw values in big digits where they fit
}

// TextGlyphs stand in and around text.
type TextGlyphs struct {
	Ellipsis string // at the end of text that was cut
	Dot      string // between the parts of a line
	Minus    string // before how far a node is behind
	Prompt   string // before the command of the last key

	Good, Bad, Undecided string // the verdicts of a check, and results
	Alarm                string // before what must not be overlooked

	BarFull, BarEmpty string
	Sparkline         []string // from low to high
}

// NodeGlyphs show the state of a node: its role while it is up, otherwise its process.
type NodeGlyphs struct {
	Leader, Follower, Candidate                            string
	Starting, Paused, Killed, Off, Crashed, Removed, Wiped string
	Unreachable                                            string

	Voted, Unvoted   string // the votes of a candidate
	Cursor, Selected string
}

// LinkGlyphs show links and what is on them. A faulty link has a glyph for each fault.
type LinkGlyphs struct {
	CutLink, RefuseLink, DelayLink, LoseLink           string
	DuplicateLink, ReorderLink, JamLink, BandwidthLink string
	HoldLink                                           string

	Wall          string            // between the sides of a partition
	Arrows        [4]string         // right, down, left, up
	Packet, Reply map[string]string // by kind; "" is any other kind
}

// LogGlyphs show entries of the log.
type LogGlyphs struct {
	CommitBorder string // between committed and uncommitted entries
	Snapshot     string // the last entry that a snapshot covers
	Compacted    string // entries that only a snapshot holds
	Acked        string // behind an entry that a client got an ok for
}

// TimelineGlyphs show time: who led, what happened, and where the screen is in it.
type TimelineGlyphs struct {
	Leading, Leaderless, Candidacy string // a stretch of time

	Play, Pause   string
	Now, Playhead string // the latest moment, and the moment shown

	// What happened. Elections, leaders and deaths have the glyph of the node.
	Heal, Start, Disk, Clock, Members, Caption string
}

// Unicode is the usual set.
var Unicode = &Glyphs{
	Name: "unicode",
	TextGlyphs: TextGlyphs{
		Ellipsis: "…", Dot: "·", Minus: "−", Prompt: "›",
		Good: "✓", Bad: "✗", Undecided: "?", Alarm: "!",
		BarFull: "━", BarEmpty: "─",
		Sparkline: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	},
	NodeGlyphs: NodeGlyphs{
		Leader: "★", Follower: "●", Candidate: "◐",
		Starting: "◌", Paused: "‖", Killed: "✗", Off: "○", Crashed: "✘", Removed: "⊖", Wiped: "∅", Unreachable: "?",
		Voted: "●", Unvoted: "○",
		Cursor: "▌", Selected: "▪",
	},
	LinkGlyphs: LinkGlyphs{
		CutLink: "✂", RefuseLink: "⊣", DelayLink: "~", LoseLink: "⋯",
		DuplicateLink: "∥", ReorderLink: "⇄", JamLink: "▒", BandwidthLink: "≈", HoldLink: "▮",
		Wall:   "▪",
		Arrows: [4]string{"→", "↓", "←", "↑"},
		Packet: map[string]string{
			"append": "◆", "heartbeat": "•", "vote": "▲", "prevote": "△", "snapshot": "■", "timeout-now": "»", "": "▪",
		},
		Reply: map[string]string{"append": "◇", "heartbeat": "◦", "vote": "△", "prevote": "▵", "snapshot": "□", "": "▫"},
	},
	LogGlyphs: LogGlyphs{CommitBorder: "┊", Snapshot: "◧", Compacted: "╌", Acked: "·"},
	TimelineGlyphs: TimelineGlyphs{
		Leading: "━", Leaderless: "╌", Candidacy: "╍",
		Play: "▶", Pause: "❚❚", Now: "▐", Playhead: "┃",
		Heal: "✚", Start: "▲", Disk: "⊘", Clock: "◷", Members: "±", Caption: "»",
	},
	Box:        [6]string{"╭", "╮", "╯", "╰", "─", "│"},
	PaneBorder: "│",
	BigDigits:  true,
}

// ASCII is the set for terminals and fonts that have no other characters.
var ASCII = &Glyphs{
	Name: "ascii",
	TextGlyphs: TextGlyphs{
		Ellipsis: "~", Dot: "-", Minus: "-", Prompt: ">",
		Good: "+", Bad: "!", Undecided: "?", Alarm: "!",
		BarFull: "#", BarEmpty: ".",
		Sparkline: []string{"_", ".", ":", "-", "=", "+", "*", "#"},
	},
	NodeGlyphs: NodeGlyphs{
		Leader: "*", Follower: "o", Candidate: "?",
		Starting: ".", Paused: "=", Killed: "x", Off: "_", Crashed: "X", Removed: "-", Wiped: "0", Unreachable: "~",
		Voted: "#", Unvoted: ".",
		Cursor: ">", Selected: "+",
	},
	LinkGlyphs: LinkGlyphs{
		CutLink: "%", RefuseLink: "/", DelayLink: "~", LoseLink: ":",
		DuplicateLink: "2", ReorderLink: "&", JamLink: "#", BandwidthLink: "=", HoldLink: "H",
		Wall:   "#",
		Arrows: [4]string{">", "v", "<", "^"},
		Packet: map[string]string{
			"append": "@", "heartbeat": "o", "vote": "V", "prevote": "v", "snapshot": "S", "timeout-now": "T", "": "@",
		},
		Reply: map[string]string{"append": "a", "heartbeat": "'", "vote": "y", "prevote": "y", "snapshot": "s", "": "a"},
	},
	LogGlyphs: LogGlyphs{CommitBorder: "|", Snapshot: "S", Compacted: "-", Acked: "'"},
	TimelineGlyphs: TimelineGlyphs{
		Leading: "=", Leaderless: ".", Candidacy: "?",
		Play: ">", Pause: "||", Now: "|", Playhead: "I",
		Heal: "+", Start: "^", Disk: "D", Clock: "T", Members: "M", Caption: "\"",
	},
	Box:        [6]string{"+", "+", "+", "+", "-", "|"},
	PaneBorder: "|",
}
