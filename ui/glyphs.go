package ui

import "capsize/cluster/trace"

// glyphs is a set of characters to draw with, each one cell wide on every
// terminal: no emoji, none that asks for a variation selector.
type glyphs struct {
	name  string
	more  string // ends a text that was cut short
	dot   string // between the parts of a line
	minus string // before how far behind a node is

	leader, follower, candidate, starting        string
	paused, killed, off, crashed, removed, wiped string

	play, stop      string
	cursor, marked  string
	voted, unvoted  string
	full, empty     string // a bar
	prompt          string
	good, bad       string
	cutLink         string
	slowLink        string
	lossyLink       string
	refuseLink      string
	doubleLink      string
	mixedLink       string // packets overtake each other
	jamLink         string
	narrowLink      string
	border          string // between what is committed and what is not
	snapshot        string
	forgotten       string // entries that a snapshot stands for
	split           string // between panes
	spark           []string
	led, unled, now string // the timeline
	here, stands    string // the moment that is shown; a candidate
	heal, start     string
	disk, clock     string
	members, words  string
	undecided       string
	loud            string // before what must not be overlooked
	told            string // its client has had its answer

	packet, reply map[string]string // by kind; "" is any other
	arrows        [4]string         // right, down, left, up
	frame         [6]string         // corners from top left clockwise, horizontal, vertical

	wall string // between the sides of a partition
	big  bool   // values are drawn in big digits where they fit
}

var unicodeGlyphs = &glyphs{
	name: "unicode", more: "…", dot: "·", minus: "−",
	leader: "★", follower: "●", candidate: "◐", starting: "◌",
	paused: "‖", killed: "✗", off: "○", crashed: "✘", removed: "⊖", wiped: "∅",
	play: "▶", stop: "❚❚", cursor: "▌", marked: "▪", voted: "●", unvoted: "○", full: "━", empty: "─",
	prompt: "›", good: "✓", bad: "✗", cutLink: "✂", slowLink: "~", lossyLink: "⋯",
	refuseLink: "⊣", doubleLink: "∥", mixedLink: "⇄", jamLink: "▒", narrowLink: "≈",
	border: "┊", snapshot: "◧", forgotten: "╌", split: "│",
	spark: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	led:   "━", unled: "╌", now: "▐", here: "┃", stands: "╍", heal: "✚", start: "▲", disk: "⊘", clock: "◷", members: "±", words: "»",
	undecided: "?", loud: "!", told: "·",
	packet: map[string]string{
		"append": "◆", "heartbeat": "•", "vote": "▲", "prevote": "△", "snapshot": "■", "timeout-now": "»", "": "▪",
	},
	reply:  map[string]string{"append": "◇", "heartbeat": "◦", "vote": "△", "prevote": "▵", "snapshot": "□", "": "▫"},
	arrows: [4]string{"→", "↓", "←", "↑"}, frame: [6]string{"╭", "╮", "╯", "╰", "─", "│"},
	wall: "▪", big: true,
}

var asciiGlyphs = &glyphs{
	name: "ascii", more: "~", dot: "-", minus: "-",
	leader: "*", follower: "o", candidate: "?", starting: ".",
	paused: "=", killed: "x", off: "_", crashed: "X", removed: "-", wiped: "0",
	play: ">", stop: "||", cursor: ">", marked: "+", voted: "#", unvoted: ".", full: "#", empty: ".",
	prompt: ">", good: "+", bad: "!", cutLink: "%", slowLink: "~", lossyLink: ":",
	refuseLink: "/", doubleLink: "2", mixedLink: "&", jamLink: "#", narrowLink: "=",
	border: "|", snapshot: "S", forgotten: "-", split: "|",
	spark: []string{"_", ".", ":", "-", "=", "+", "*", "#"},
	led:   "=", unled: ".", now: "|", here: "I", stands: "?", heal: "+", start: "^", disk: "D", clock: "T", members: "M", words: "\"",
	undecided: "?", loud: "!", told: "'",
	packet: map[string]string{
		"append": "@", "heartbeat": "o", "vote": "V", "prevote": "v", "snapshot": "S", "timeout-now": "T", "": "@",
	},
	reply:  map[string]string{"append": "a", "heartbeat": "'", "vote": "y", "prevote": "y", "snapshot": "s", "": "a"},
	arrows: [4]string{">", "v", "<", "^"}, frame: [6]string{"+", "+", "+", "+", "-", "|"},
	wall: "#",
}

// ofPacket returns the glyph of a message.
func (g *glyphs) ofPacket(p trace.Packet) string {
	set := g.packet
	if p.Reply {
		set = g.reply
	}
	if glyph, ok := set[p.Kind]; ok {
		return glyph
	}
	return set[""]
}

// bigHeight is how many rows big digits take.
const bigHeight = 3

// bigDigits are digits three cells wide and five half cells high: about square
// dots, so that they read from the back of a room.
var bigDigits = map[byte][bigHeight]string{
	'0': {"█▀█", "█ █", "▀▀▀"},
	'1': {"▀█ ", " █ ", "▀▀▀"},
	'2': {"▀▀█", "█▀▀", "▀▀▀"},
	'3': {"▀▀█", " ▀█", "▀▀▀"},
	'4': {"█ █", "▀▀█", "  ▀"},
	'5': {"█▀▀", "▀▀█", "▀▀▀"},
	'6': {"█▀▀", "█▀█", "▀▀▀"},
	'7': {"▀▀█", "  █", "  ▀"},
	'8': {"█▀█", "█▀█", "▀▀▀"},
	'9': {"█▀█", "▀▀█", "▀▀▀"},
	'-': {"   ", "▀▀▀", "   "},
}

// hugeHeight is how many rows big digits take at twice their size.
const hugeHeight = 5

// hugeWidth returns how many cells a number takes at twice the size.
func hugeWidth(number string) int { return max(8*len(number)-2, 0) }

// putHuge paints a number in big digits at twice their size: each half cell
// becomes two cells side by side, which is as square.
func (c *canvas) putHuge(x, y int, number string, k ink) {
	for i := range len(number) {
		for row := range hugeHeight {
			col := 0
			for _, r := range bigDigits[number[i]][row/2] {
				if r == '█' || r == '▀' && row%2 == 0 {
					c.set(x+8*i+2*col, y+row, "█", k)
					c.set(x+8*i+2*col+1, y+row, "█", k)
				}
				col++
			}
		}
	}
}

// bigWidth returns how many cells a number takes in big digits.
func bigWidth(number string) int { return max(4*len(number)-1, 0) }

// putBig paints a number in big digits.
func (c *canvas) putBig(x, y int, number string, k ink) {
	for i := range len(number) {
		for row, bits := range bigDigits[number[i]] {
			col := 0
			for _, r := range bits {
				if r != ' ' {
					c.set(x+4*i+col, y+row, string(r), k)
				}
				col++
			}
		}
	}
}
