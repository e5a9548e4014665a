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
	// "" for the terminal's own.
	ansi string
}

// colour is a colour of text, and of what is behind it or "".
type colour struct{ text, behind string }

// surface is what a terminal is to draw on.
type surface struct {
	light bool // its background is
	few   bool // it has sixteen colours
}

// The themes that --theme may name, as they are on a dark and on a light background.
var themes = []struct {
	name        string
	dark, light *theme
}{
	{"dark", darkTheme, darkTheme},
	{"light", lightTheme, lightTheme},
	{"high-contrast", newTheme("high-contrast", contrastPalette), newTheme("high-contrast", lightContrastPalette)},
	{"colour-blind", newTheme("colour-blind", blindPalette), newTheme("colour-blind", lightBlindPalette)},
}

var (
	darkTheme, lightTheme = newTheme("dark", darkPalette), newTheme("light", lightPalette)
	// Sixteen colours are too few for themes to differ in more than the background.
	fewDarkTheme, fewLightTheme = newTheme("dark", fewDarkPalette), newTheme("light", fewLightPalette)
	// monoTheme is for NO_COLOR: attributes only.
	monoTheme = newMonoTheme()
)

// themeOn returns the theme of a name as it is on a surface, or the one that
// suits the surface if the name is "". It returns nil if there is none of that name.
func themeOn(name string, on surface) *theme {
	switch {
	case name == "" && on.light:
		name = "light"
	case name == "":
		name = "dark"
	}
	i := slices.Index(ThemeNames(), name)
	switch {
	case i < 0:
		return nil
	case on.few && (name == "light" || name != "dark" && on.light):
		return fewLightTheme
	case on.few:
		return fewDarkTheme
	case on.light:
		return themes[i].light
	}
	return themes[i].dark
}

// themeNamed returns a theme as it is on a dark background, nil if there is none
// of that name.
func themeNamed(name string) *theme {
	if name == "" {
		return nil
	}
	return themeOn(name, surface{})
}

func newTheme(name string, p palette) *theme {
	t := &theme{name: name, ground: p.ground}
	if p.ground != "" {
		eight := []string{p.ground, p.bad, p.good, p.warn, p.append, p.vote, p.accent, p.text}
		t.ansi = strings.Join(append(eight, eight...), ":")
	}
	for token, text := range map[ink]string{
		inkDim: p.dim, inkFaint: p.faint, inkAccent: p.accent, inkGood: p.good, inkWarn: p.warn, inkBad: p.bad,
		inkPacketAppend: p.append, inkPacketVote: p.vote, inkPacketReply: p.reply, inkPacketOther: p.other,
	} {
		t.paint(token, colour{text: text})
	}
	t.paint(inkCaption, colour{p.text, p.band})
	t.paint(inkChapter, colour{p.accent, p.band})
	for i, c := range p.terms {
		t.paint(termInk(uint64(i)), colour{text: c.text})
		t.paint(fillInk(uint64(i)), colour{c.on, c.fill})
	}
	t.colours[inkText] = colour{text: p.text}
	return t
}

// paint gives a token its colours.
func (t *theme) paint(token ink, c colour) {
	var style ansi.Style
	if c.text != "" {
		style = style.ForegroundColor(lipgloss.Color(c.text))
	}
	if c.behind != "" {
		style = style.BackgroundColor(lipgloss.Color(c.behind))
		t.blockBlank[token] = true
	}
	t.sgr[token], t.colours[token] = strings.Join(style, ";"), c
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
