package style

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Style is how a cell looks: a token, which a theme turns into colours, and
// attributes, which are the same in every theme. The zero ink is plain text.
type Style uint16

// Tokens say what something means. They name everything that has a colour.
const (
	Text   Style = iota // the terminal's own foreground
	Dim                 // beside the point: labels, followers' details, what is stale
	Faint               // hardly there: links, empty bars
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

// Alarm is for what must not be overlooked: an alarm.
const Alarm = Bad | Bold | Reverse

// TermColours is after how many terms the colours come round again.
const TermColours = 6

// Term is the ink of text about a term.
func Term(term uint64) Style { return firstTerm + Style(term%TermColours) }

// TermFill is the ink of a block filled with the colour of a term.
func TermFill(term uint64) Style { return firstTermFill + Style(term%TermColours) }

// Theme says how each ink is written: the parameters of its SGR sequence.
type Theme struct {
	Name string
	SGR  [tokenCount]string
	// hasBackground says of each token whether it shows on an empty cell.
	hasBackground [tokenCount]bool
	// Colours are the same for where there is no terminal; the first is of text.
	// Without colours they are black on white.
	Colours    [tokenCount]Colour
	Background string
	// ANSIPalette are the sixteen colours of a terminal in this theme, joined by colons,
	// "" for the terminal's own.
	ANSIPalette string
}

// Colour is a colour of text, and of what is behind it or "".
type Colour struct{ Text, Background string }

// TerminalColours is what a terminal is to draw on.
type TerminalColours struct {
	Light   bool // its background is
	Sixteen bool // it has sixteen colours
}

// The themes that --theme may name, as they are on a dark and on a light background.
var themes = []struct {
	Name        string
	Dark, light *Theme
}{
	{"dark", Dark, Dark},
	{"light", Light, Light},
	{"high-contrast", newTheme("high-contrast", contrastPalette), newTheme("high-contrast", lightContrastPalette)},
	{"colour-blind", newTheme("colour-blind", colourBlindPalette), newTheme("colour-blind", lightColourBlindPalette)},
}

var (
	Dark, Light = newTheme("dark", darkPalette), newTheme("light", lightPalette)
	// Sixteen colours are too few for themes to differ in more than the background.
	dark16Theme, light16Theme = newTheme("dark", dark16Palette), newTheme("light", light16Palette)
	// Mono is for NO_COLOR: attributes only.
	Mono = newMonoTheme()
)

// ThemeOn returns the theme of a name as it is on a surface, or the one that
// suits the surface if the name is "". It returns nil if there is none of that name.
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
	return themes[i].Dark
}

// ThemeNamed returns a theme as it is on a dark background, nil if there is none
// of that name.
func ThemeNamed(name string) *Theme {
	if name == "" {
		return nil
	}
	return ThemeOn(name, TerminalColours{})
}

// ThemeNames returns the names that --theme takes.
func ThemeNames() []string {
	names := make([]string, len(themes))
	for i, t := range themes {
		names[i] = t.Name
	}
	return names
}

func newTheme(name string, p palette) *Theme {
	t := &Theme{Name: name, Background: p.ground}
	if p.ground != "" {
		eight := []string{p.ground, p.bad, p.good, p.warn, p.append, p.vote, p.accent, p.text}
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

// setColour gives a token its colours.
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

func newMonoTheme() *Theme {
	t := &Theme{Name: "mono", Background: "white"}
	for token := range t.Colours {
		t.Colours[token] = Colour{Text: "black"}
	}
	boldly, faintly := strings.Join(ansi.Style{}.Bold(), ";"), strings.Join(ansi.Style{}.Faint(), ";")
	for _, token := range []Style{Accent, Warn, Bad, Chapter} {
		t.SGR[token] = boldly
	}
	for token := firstTerm; token < firstTermFill; token++ {
		t.SGR[token] = faintly
	}
	t.SGR[Dim], t.SGR[Faint] = faintly, faintly
	return t
}

// ShowsOnBlank says whether an ink shows on an empty cell.
func (t *Theme) ShowsOnBlank(st Style) bool {
	return st&(Underline|Reverse|Strike) != 0 || t.hasBackground[st&0xff]
}

// WriteSGR writes the sequence that starts a run of an ink.
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
