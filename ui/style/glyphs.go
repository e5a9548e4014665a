package style

// Glyphs is a set of characters to draw with, each one cell wide on every
// terminal: no emoji, none that asks for a variation selector.
type Glyphs struct {
	Name     string
	Ellipsis string // ends a text that was cut short
	Dot      string // between the parts of a line
	Minus    string // before how far behind a node is

	Leader, Follower, Candidate, Starting        string
	Paused, Killed, Off, Crashed, Removed, Wiped string

	Play, Pause              string
	Cursor, Selected         string
	Voted, Unvoted           string
	BarFull, BarEmpty        string // a bar
	Prompt                   string
	Good, Bad                string
	CutLink                  string
	DelayLink                string
	LoseLink                 string
	RefuseLink               string
	DuplicateLink            string
	ReorderLink              string // packets overtake each other
	JamLink                  string
	BandwidthLink            string
	CommitBorder             string // between what is committed and what is not
	Snapshot                 string
	Compacted                string // entries that a snapshot stands for
	PaneBorder               string // between panes
	Sparkline                []string
	Leading, Leaderless, Now string // the timeline
	Playhead, Candidacy      string // the moment that is shown; a candidate
	Heal, Start              string
	Disk, Clock              string
	Members, Caption         string
	Undecided                string
	Alarm                    string // before what must not be overlooked
	Acked                    string // its client has had its answer

	Packet, Reply map[string]string // by kind; "" is any other
	Arrows        [4]string         // right, down, left, up
	Box           [6]string         // corners from top left clockwise, horizontal, vertical

	Wall      string // between the sides of a partition
	BigDigits bool   // values are drawn in big digits where they fit
}

var Unicode = &Glyphs{
	Name: "unicode", Ellipsis: "…", Dot: "·", Minus: "−",
	Leader: "★", Follower: "●", Candidate: "◐", Starting: "◌",
	Paused: "‖", Killed: "✗", Off: "○", Crashed: "✘", Removed: "⊖", Wiped: "∅",
	Play: "▶", Pause: "❚❚", Cursor: "▌", Selected: "▪", Voted: "●", Unvoted: "○", BarFull: "━", BarEmpty: "─",
	Prompt: "›", Good: "✓", Bad: "✗", CutLink: "✂", DelayLink: "~", LoseLink: "⋯",
	RefuseLink: "⊣", DuplicateLink: "∥", ReorderLink: "⇄", JamLink: "▒", BandwidthLink: "≈",
	CommitBorder: "┊", Snapshot: "◧", Compacted: "╌", PaneBorder: "│",
	Sparkline: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Leading:   "━", Leaderless: "╌", Now: "▐", Playhead: "┃", Candidacy: "╍", Heal: "✚", Start: "▲", Disk: "⊘", Clock: "◷", Members: "±", Caption: "»",
	Undecided: "?", Alarm: "!", Acked: "·",
	Packet: map[string]string{
		"append": "◆", "heartbeat": "•", "vote": "▲", "prevote": "△", "snapshot": "■", "timeout-now": "»", "": "▪",
	},
	Reply:  map[string]string{"append": "◇", "heartbeat": "◦", "vote": "△", "prevote": "▵", "snapshot": "□", "": "▫"},
	Arrows: [4]string{"→", "↓", "←", "↑"}, Box: [6]string{"╭", "╮", "╯", "╰", "─", "│"},
	Wall: "▪", BigDigits: true,
}

var ASCII = &Glyphs{
	Name: "ascii", Ellipsis: "~", Dot: "-", Minus: "-",
	Leader: "*", Follower: "o", Candidate: "?", Starting: ".",
	Paused: "=", Killed: "x", Off: "_", Crashed: "X", Removed: "-", Wiped: "0",
	Play: ">", Pause: "||", Cursor: ">", Selected: "+", Voted: "#", Unvoted: ".", BarFull: "#", BarEmpty: ".",
	Prompt: ">", Good: "+", Bad: "!", CutLink: "%", DelayLink: "~", LoseLink: ":",
	RefuseLink: "/", DuplicateLink: "2", ReorderLink: "&", JamLink: "#", BandwidthLink: "=",
	CommitBorder: "|", Snapshot: "S", Compacted: "-", PaneBorder: "|",
	Sparkline: []string{"_", ".", ":", "-", "=", "+", "*", "#"},
	Leading:   "=", Leaderless: ".", Now: "|", Playhead: "I", Candidacy: "?", Heal: "+", Start: "^", Disk: "D", Clock: "T", Members: "M", Caption: "\"",
	Undecided: "?", Alarm: "!", Acked: "'",
	Packet: map[string]string{
		"append": "@", "heartbeat": "o", "vote": "V", "prevote": "v", "snapshot": "S", "timeout-now": "T", "": "@",
	},
	Reply:  map[string]string{"append": "a", "heartbeat": "'", "vote": "y", "prevote": "y", "snapshot": "s", "": "a"},
	Arrows: [4]string{">", "v", "<", "^"}, Box: [6]string{"+", "+", "+", "+", "-", "|"},
	Wall: "#",
}
