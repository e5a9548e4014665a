package style

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Style is how a cell looks: a token, which the theme turns into colours, and attributes,
// which are the same in every theme. The zero Style is plain text.
type Style uint16

// Tokens name what a cell means. Everything that has a colour is a token.
const (
	Text   Style = iota // the terminal's own foreground
	Dim                 // secondary: labels, followers' details, stale values
	Faint               // lines only: links, empty bars
	Accent              // the one colour of the program: leader, cursor, keys
	Good
	Warn
	Bad
	PacketAppend
	PacketVote
	PacketReply
	PacketOther
	Caption                                 // a caption, on the band
	Chapter                                 // the name of a part, on the band
	firstTerm                               // text in the colour of a term; TermColours of them
	firstTermFill = firstTerm + TermColours // a block filled with it
	tokenCount    = firstTermFill + TermColours
)

// Attributes.
const (
	Bold Style = 1 << (8 + iota)
	Underline
	Reverse
	Strike
)

// Alarm is for what must not be overlooked, such as a violated check.
const Alarm = Bad | Bold | Reverse

// TermColours is the number of term colours. Terms that many apart share a colour.
const TermColours = 6

// Term returns the style of text about a term.
func Term(term uint64) Style { return firstTerm + Style(term%TermColours) }

// TermFill returns the style of a block filled with the colour of a term.
func TermFill(term uint64) Style { return firstTermFill + Style(term%TermColours) }

// Theme says how each token is written to a terminal, and its colours elsewhere.
type Theme struct {
	Name string
	SGR  [tokenCount]string // parameters of the SGR sequence (ECMA-48, 8.3.117)
	// hasBackground tells which tokens show on an empty cell.
	hasBackground [tokenCount]bool
	// Colours and Background serve pictures without a terminal, such as SVG files.
	// Without colours they are black on white.
	Colours    [tokenCount]Colour
	Background string
	// ANSIPalette lists the sixteen colours of a terminal in this theme, joined by
	// colons as asciicast v3 has them. Empty means the terminal's own.
	ANSIPalette string
}

// Colour is the colour of text and, unless it is empty, of the background behind it.
type Colour struct{ Text, Background string }

// TerminalColours describes the terminal that a theme is for.
type TerminalColours struct {
	Light   bool // it has a light background
	Sixteen bool // it has only sixteen colours
}

// themes are the themes that --theme accepts, each for a dark and a light background.
var themes = []struct {
	name        string
	dark, light *Theme
}{
	{"dark", Dark, Dark},
	{"light", Light, Light},
	{"high-contrast", newTheme("high-contrast", contrastPalette), newTheme("high-contrast", lightContrastPalette)},
	{"colour-blind", newTheme("colour-blind", colourBlindPalette), newTheme("colour-blind", lightColourBlindPalette)},
}

var (
	// Dark is the usual theme for a dark background.
	Dark = newTheme("dark", darkPalette)
	// Light is the usual theme for a light background.
	Light = newTheme("light", lightPalette)
	// With sixteen colours themes can only differ in the background.
	dark16Theme, light16Theme = newTheme("dark", dark16Palette), newTheme("light", light16Palette)
	// Mono uses attributes only, for NO_COLOR.
	Mono = newMonoTheme()
)

// ThemeOn returns the named theme for a terminal with the given colours. An empty name
// selects dark or light by the background. It returns nil if there is no such theme.
func ThemeOn(name string, on TerminalColours) *Theme {
	switch {
	case name == "" && on.Light:
		name = "light"
	case name == "":
		name = "dark"
	}
	i := slices.Index(ThemeNames(), name)
	switch {
	case i < 0:
		return nil
	case on.Sixteen && (name == "light" || name != "dark" && on.Light):
		return light16Theme
	case on.Sixteen:
		return dark16Theme
	case on.Light:
		return themes[i].light
	}
	return themes[i].dark
}

// ThemeNamed returns the named theme for a dark background, or nil if there is no such
// theme.
func ThemeNamed(name string) *Theme {
	if name == "" {
		return nil
	}
	return ThemeOn(name, TerminalColours{})
}

// ThemeNames returns the names that --theme accepts.
func ThemeNames() []string {
	names := make([]string, len(themes))
	for i, t := range themes {
		names[i] = t.name
	}
	return names
}

// newTheme builds a theme from its palette.
func newTheme(name string, p palette) *Theme {
	t := &Theme{Name: name, Background: p.background}
	if p.background != "" {
		eight := []string{p.background, p.bad, p.good, p.warn, p.append, p.vote, p.accent, p.text}
		t.ANSIPalette = strings.Join(append(eight, eight...), ":")
	}
	for token, text := range map[Style]string{
		Dim: p.dim, Faint: p.faint, Accent: p.accent, Good: p.good, Warn: p.warn, Bad: p.bad,
		PacketAppend: p.append, PacketVote: p.vote, PacketReply: p.reply, PacketOther: p.other,
	} {
		t.setColour(token, Colour{Text: text})
	}
	t.setColour(Caption, Colour{p.text, p.band})
	t.setColour(Chapter, Colour{p.accent, p.band})
	for i, c := range p.terms {
		t.setColour(Term(uint64(i)), Colour{Text: c.text})
		t.setColour(TermFill(uint64(i)), Colour{c.onFill, c.fill})
	}
	t.Colours[Text] = Colour{Text: p.text}
	return t
}

// setColour sets the colours of a token.
func (t *Theme) setColour(token Style, c Colour) {
	var style ansi.Style
	if c.Text != "" {
		style = style.ForegroundColor(lipgloss.Color(c.Text))
	}
	if c.Background != "" {
		style = style.BackgroundColor(lipgloss.Color(c.Background))
		t.hasBackground[token] = true
	}
	t.SGR[token], t.Colours[token] = strings.Join(style, ";"), c
}

// newMonoTheme builds the theme without colours: bold and faint instead.
func newMonoTheme() *Theme {
	t := &Theme{Name: "mono", Background: "white"}
	for token := range t.Colours {
		t.Colours[token] = Colour{Text: "black"}
	}
	bold, faint := strings.Join(ansi.Style{}.Bold(), ";"), strings.Join(ansi.Style{}.Faint(), ";")
	for _, token := range []Style{Accent, Warn, Bad, Chapter} {
		t.SGR[token] = bold
	}
	for token := firstTerm; token < firstTermFill; token++ {
		t.SGR[token] = faint
	}
	t.SGR[Dim], t.SGR[Faint] = faint, faint
	return t
}

// ShowsOnBlank reports whether a style shows on an empty cell.
func (t *Theme) ShowsOnBlank(st Style) bool {
	return st&(Underline|Reverse|Strike) != 0 || t.hasBackground[st&0xff]
}

// WriteSGR writes the escape sequence that starts a run of cells in a style.
func (t *Theme) WriteSGR(b *strings.Builder, st Style) {
	b.WriteString("\x1b[")
	if st != Text {
		b.WriteByte('0')
	}
	for _, a := range [...]struct {
		bit Style
		sgr string
	}{{Bold, ";1"}, {Underline, ";4"}, {Reverse, ";7"}, {Strike, ";9"}} {
		if st&a.bit != 0 {
			b.WriteString(a.sgr)
		}
	}
	if sgr := t.SGR[st&0xff]; sgr != "" {
		b.WriteByte(';')
		b.WriteString(sgr)
	}
	b.WriteByte('m')
}
