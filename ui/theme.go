package ui

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// ink is how a cell looks: a token, which a theme turns into colours, and
// attributes, which are the same in every theme. The zero ink is plain text.
type ink uint16

// Tokens say what something means. They name everything that has a colour.
const (
	inkText   ink = iota // the terminal's own foreground
	inkDim               // beside the point: labels, followers' details, what is stale
	inkFaint             // hardly there: links, empty bars
	inkAccent            // the one colour of the program: leader, cursor, keys
	inkGood
	inkWarn
	inkBad
	inkPacketAppend
	inkPacketVote
	inkPacketReply
	inkPacketOther
	inkCaption                          // a caption, on the band
	inkChapter                          // the name of a part, on the band
	inkTerm0                            // text in the colour of a term; termColours of them
	inkFill0   = inkTerm0 + termColours // a block filled with it
	inkCount   = inkFill0 + termColours
)

// Attributes.
const (
	bold ink = 1 << (8 + iota)
	underline
	reverse
	strike
)

// inkLoud is for what must not be overlooked: an alarm.
const inkLoud = inkBad | bold | reverse

// termColours is after how many terms the colours come round again.
const termColours = 6

// termInk is the ink of text about a term.
func termInk(term uint64) ink { return inkTerm0 + ink(term%termColours) }

// fillInk is the ink of a block filled with the colour of a term.
func fillInk(term uint64) ink { return inkFill0 + ink(term%termColours) }

// termColour is one colour of a term: as text, as a filled block, and the text on that.
type termColour struct{ text, fill, on string }

// palette is a theme before it is made: hex colours by their token.
type palette struct {
	// The terminal's own colours where there is no terminal to have any: those of
	// its ground and of its text.
	ground, text string
	band         string // what captions stand on

	dim, faint, accent, good, warn, bad string
	append, vote, reply, other          string
	// Neighbours differ in lightness, so that two terms that follow each other
	// can be told apart without seeing colours.
	terms [termColours]termColour
}

var darkPalette = palette{
	ground: "#0e131a", text: "#dde3ec", band: "#1b2736",
	dim: "#9aa3b2", faint: "#515a68", accent: "#5cc8ff", good: "#8bd69a", warn: "#ffc457", bad: "#ff7272",
	append: "#5cc8ff", vote: "#ffb3f0", reply: "#8bd69a", other: "#c9b8ff",
	terms: [termColours]termColour{
		{"#7db4e8", "#1f3d5e", "#a8d1f7"},
		{"#f0d58a", "#62501f", "#ffe7ab"},
		{"#c39ae2", "#40295c", "#d9b8f5"},
		{"#9fe0b0", "#2c5c3b", "#bdf5cb"},
		{"#ee9a7e", "#5a2b1c", "#ffbda5"},
		{"#a6e3ee", "#205863", "#bff3fc"},
	},
}

var lightPalette = palette{
	ground: "#ffffff", text: "#1f252e", band: "#e4ecf5",
	dim: "#5a6270", faint: "#b4bac4", accent: "#0063b1", good: "#1a7a36", warn: "#955f00", bad: "#c4202f",
	append: "#0063b1", vote: "#a0208c", reply: "#1a7a36", other: "#6541c9",
	terms: [termColours]termColour{
		{"#1f5f9e", "#d3e5f8", "#123f6d"},
		{"#8a6100", "#ecd08a", "#4d3600"},
		{"#6f3a9c", "#e8d9f6", "#4d2275"},
		{"#1d7a40", "#a9dcb6", "#0b4520"},
		{"#a0421f", "#fadbce", "#7a2c10"},
		{"#13727f", "#a2d8e1", "#07434c"},
	},
}

var contrastPalette = palette{
	ground: "#000000", text: "#ffffff", band: "#1f2f5c",
	dim: "#e0e0e0", faint: "#a0a0a0", accent: "#00e5ff", good: "#7dff7d", warn: "#ffe000", bad: "#ff8080",
	append: "#00e5ff", vote: "#ff9cff", reply: "#7dff7d", other: "#ffffff",
	terms: [termColours]termColour{
		{"#9cc8ff", "#0040c0", "#ffffff"},
		{"#ffe66b", "#ffe000", "#000000"},
		{"#e0a8ff", "#7a00b8", "#ffffff"},
		{"#9cffb0", "#5cff80", "#000000"},
		{"#ffb08a", "#a83200", "#ffffff"},
		{"#a0ffff", "#70ffff", "#000000"},
	},
}

// The colours of Okabe and Ito, chosen so that red-green blindness keeps them apart.
var blindPalette = palette{
	ground: "#0e131a", text: "#dde3ec", band: "#1b2736",
	dim: "#9aa3b2", faint: "#515a68", accent: "#56b4e9", good: "#33b58e", warn: "#f0e442", bad: "#ff8a3d",
	append: "#56b4e9", vote: "#e29bc4", reply: "#33b58e", other: "#d0d0d0",
	terms: [termColours]termColour{
		{"#5aa6dd", "#0a5f96", "#ffffff"},
		{"#f0e442", "#f0e442", "#1a1a1a"},
		{"#d58ab4", "#8a3f68", "#ffffff"},
		{"#7cc9ee", "#7cc9ee", "#1a1a1a"},
		{"#ee8a4a", "#a34700", "#ffffff"},
		{"#e8c8dc", "#e8c8dc", "#1a1a1a"},
	},
}

// theme says how each ink is written: the parameters of its SGR sequence.
type theme struct {
	name string
	sgr  [inkCount]string
	// blockBlank says of each token whether it shows on an empty cell.
	blockBlank [inkCount]bool
	// colours are the same for where there is no terminal; the first is of text.
	// Without colours they are black on white.
	colours [inkCount]colour
	ground  string
	// ansi are the sixteen colours of a terminal in this theme, joined by colons,
	// "" without colours.
	ansi string
}

// colour is a colour of text in hex, and of what is behind it or "".
type colour struct{ text, behind string }

// The themes that --theme may name.
var themes = []*theme{
	newTheme("dark", darkPalette), newTheme("light", lightPalette),
	newTheme("high-contrast", contrastPalette), newTheme("colour-blind", blindPalette),
}

// monoTheme is for NO_COLOR: attributes only.
var monoTheme = newMonoTheme()

// themeNamed returns a theme, nil if there is none of that name.
func themeNamed(name string) *theme {
	if i := slices.IndexFunc(themes, func(t *theme) bool { return t.name == name }); i >= 0 {
		return themes[i]
	}
	return nil
}

func newTheme(name string, p palette) *theme {
	t := &theme{name: name, ground: p.ground}
	eight := []string{p.ground, p.bad, p.good, p.warn, p.append, p.vote, p.accent, p.text}
	t.ansi = strings.Join(append(eight, eight...), ":")
	t.colours[inkText] = colour{text: p.text}
	for token, hex := range map[ink]string{
		inkDim: p.dim, inkFaint: p.faint, inkAccent: p.accent, inkGood: p.good, inkWarn: p.warn, inkBad: p.bad,
		inkPacketAppend: p.append, inkPacketVote: p.vote, inkPacketReply: p.reply, inkPacketOther: p.other,
	} {
		t.sgr[token] = strings.Join(ansi.Style{}.ForegroundColor(lipgloss.Color(hex)), ";")
		t.colours[token] = colour{text: hex}
	}
	t.fill(inkCaption, p.text, p.band)
	t.fill(inkChapter, p.accent, p.band)
	for i, c := range p.terms {
		t.sgr[termInk(uint64(i))] = strings.Join(ansi.Style{}.ForegroundColor(lipgloss.Color(c.text)), ";")
		t.colours[termInk(uint64(i))] = colour{text: c.text}
		t.fill(fillInk(uint64(i)), c.on, c.fill)
	}
	return t
}

// fill makes a token one with a colour behind it.
func (t *theme) fill(token ink, text, behind string) {
	style := ansi.Style{}.ForegroundColor(lipgloss.Color(text)).BackgroundColor(lipgloss.Color(behind))
	t.sgr[token], t.blockBlank[token], t.colours[token] = strings.Join(style, ";"), true, colour{text, behind}
}

func newMonoTheme() *theme {
	t := &theme{name: "mono", ground: "white"}
	for token := range t.colours {
		t.colours[token] = colour{text: "black"}
	}
	boldly, faintly := strings.Join(ansi.Style{}.Bold(), ";"), strings.Join(ansi.Style{}.Faint(), ";")
	for _, token := range []ink{inkAccent, inkWarn, inkBad, inkChapter} {
		t.sgr[token] = boldly
	}
	for token := inkTerm0; token < inkFill0; token++ {
		t.sgr[token] = faintly
	}
	t.sgr[inkDim], t.sgr[inkFaint] = faintly, faintly
	return t
}

// marksBlank says whether an ink shows on an empty cell.
func (t *theme) marksBlank(k ink) bool {
	return k&(underline|reverse|strike) != 0 || t.blockBlank[k&0xff]
}

// write writes the sequence that starts a run of an ink.
func (t *theme) write(b *strings.Builder, k ink) {
	b.WriteString("\x1b[")
	if k != inkText {
		b.WriteByte('0')
	}
	for _, a := range [...]struct {
		bit ink
		sgr string
	}{{bold, ";1"}, {underline, ";4"}, {reverse, ";7"}, {strike, ";9"}} {
		if k&a.bit != 0 {
			b.WriteString(a.sgr)
		}
	}
	if sgr := t.sgr[k&0xff]; sgr != "" {
		b.WriteByte(';')
		b.WriteString(sgr)
	}
	b.WriteByte('m')
}
