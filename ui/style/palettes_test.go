package style

import (
	"fmt"
	"image/color"
	"math"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// linear is a colour as linear red, green and blue light, each 0 to 1.
type linear [3]float64

// linearOf undoes the gamma of sRGB (IEC 61966-2-1).
func linearOf(c color.Color) linear {
	r, g, b, _ := c.RGBA()
	var out linear
	for i, v := range []uint32{r, g, b} {
		s := float64(v) / 0xffff
		if out[i] = s / 12.92; s > 0.04045 {
			out[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return out
}

// contrast returns the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
func contrast(a, b color.Color) float64 {
	luminance := func(c color.Color) float64 {
		l := linearOf(c)
		return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2] + 0.05
	}
	x, y := luminance(a), luminance(b)
	return max(x, y) / min(x, y)
}

// distance returns how different two colours look: their distance in OKLab (Ottosson
// 2020), where black is 1 away from white.
func distance(a, b linear) float64 {
	lab := func(c linear) [3]float64 {
		l := math.Cbrt(max(0.4122214708*c[0]+0.5363325363*c[1]+0.0514459929*c[2], 0))
		m := math.Cbrt(max(0.2119034982*c[0]+0.6806995451*c[1]+0.1073969566*c[2], 0))
		s := math.Cbrt(max(0.0883024619*c[0]+0.2817188376*c[1]+0.6299787005*c[2], 0))
		return [3]float64{
			0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
			1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
			0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
		}
	}
	sum := 0.0
	x, y := lab(a), lab(b)
	for i := range x {
		sum += (x[i] - y[i]) * (x[i] - y[i])
	}
	return math.Sqrt(sum)
}

// visions are matrices from a colour to what people see of it (Machado, Oliveira and
// Fernandes 2009, at full severity).
var visions = map[string][3]linear{
	"all colours":  {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
}

// seenBy returns a colour as seen with a vision.
func seenBy(vision [3]linear, c linear) linear {
	var out linear
	for i, row := range vision {
		out[i] = min(max(row[0]*c[0]+row[1]*c[1]+row[2]*c[2], 0), 1)
	}
	return out
}

// Themes are tested on black and white, and on the backgrounds of popular dark and light
// terminal themes.
var (
	darkBackgrounds  = []string{"#000000", "#1e1e1e", "#282c34", "#2e3440"}
	lightBackgrounds = []string{"#ffffff", "#fafafa", "#fdf6e3"}
)

// themesOn returns all themes for dark or for light backgrounds.
func themesOn(light bool) []*Theme {
	found := []*Theme{ThemeOn("", TerminalColours{Light: light})}
	for _, name := range []string{"high-contrast", "colour-blind"} {
		found = append(found, ThemeOn(name, TerminalColours{Light: light}))
	}
	return found
}

func backgroundsOf(light bool) []string {
	if light {
		return lightBackgrounds
	}
	return darkBackgrounds
}

const (
	// textContrastMin is the least contrast of text (WCAG 2.2, 1.4.3).
	textContrastMin = 4.5
	// lineContrastMin is the least contrast of lines.
	lineContrastMin = 1.7
)

func TestTextIsReadableOnItsBackground(t *testing.T) {
	asIs := func(c color.Color) color.Color { return c }
	in256 := func(c color.Color) color.Color { return ansi.Convert256(c) }
	for _, light := range []bool{false, true} {
		for _, theme := range themesOn(light) {
			for colours, shown := range map[string]func(color.Color) color.Color{"all colours": asIs, "256 colours": in256} {
				for token, c := range theme.Colours {
					backgrounds, least := backgroundsOf(light), textContrastMin
					if c.Background != "" {
						backgrounds = []string{c.Background}
					}
					if Style(token) == Faint {
						least = lineContrastMin
					}
					for _, background := range backgrounds {
						behind := lipgloss.Color(background)
						if c.Background != "" {
							behind = shown(behind)
						}
						if got := contrast(shown(lipgloss.Color(c.Text)), behind); got < least {
							t.Errorf("%s, light %v, %s, token %d: %s on %s has contrast %.2f, want %.1f", theme.Name, light, colours, token, c.Text, background, got, least)
						}
					}
				}
			}
		}
	}
}

// sixteen maps terminals to their sixteen colours.
var sixteen = map[string][16]string{
	"xterm": {
		"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
		"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
	},
	"linux": {
		"#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
		"#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff",
	},
}

func TestTextIsReadableInSixteenColours(t *testing.T) {
	for terminal, table := range sixteen {
		for light, background := range map[bool]string{false: table[0], true: table[15]} {
			for token, c := range ThemeOn("", TerminalColours{Light: light, Sixteen: true}).Colours {
				if c.Text == "" || Style(token) == Faint {
					continue // the terminal's own colour, or not text
				}
				var text, behind int
				if _, err := fmt.Sscan(c.Text, &text); err != nil {
					t.Fatal(err)
				}
				on := background
				if c.Background != "" {
					if _, err := fmt.Sscan(c.Background, &behind); err != nil || behind > 7 {
						t.Fatalf("background %s: %v; terminals have only eight background colours", c.Background, err)
					}
					on = table[behind]
				}
				if got := contrast(lipgloss.Color(table[text]), lipgloss.Color(on)); got < textContrastMin {
					t.Errorf("%s, light %v, token %d: %s on %s has contrast %.2f, want %.1f", terminal, light, token, table[text], on, got, textContrastMin)
				}
			}
		}
	}
}

// neighbours lists sets of styles that stand side by side and mean different things.
func neighbours() map[string][]Style {
	sets := map[string][]Style{
		"roles":    {Text, Accent, Warn, Bad},
		"verdicts": {Good, Warn, Bad},
		"packets":  {PacketAppend, PacketVote, PacketReply, PacketOther},
	}
	for term := range uint64(TermColours) {
		sets[fmt.Sprintf("terms %d as text", term)] = []Style{Term(term), Term(term + 1)}
	}
	return sets
}

// distanceMin is the least distance of two colours that mean different things: about five
// times the smallest difference that people notice.
const distanceMin = 0.1

func TestColourBlindPeopleTellColoursApart(t *testing.T) {
	for name, vision := range visions {
		for _, light := range []bool{false, true} {
			theme := ThemeOn("colour-blind", TerminalColours{Light: light})
			check := func(what, a, b string) {
				got := distance(seenBy(vision, linearOf(lipgloss.Color(a))), seenBy(vision, linearOf(lipgloss.Color(b))))
				if got < distanceMin {
					t.Errorf("%s, light %v, %s: %s and %s are only %.3f apart, want %.1f", name, light, what, a, b, got, distanceMin)
				}
			}
			for what, styles := range neighbours() {
				for i, a := range styles {
					for _, b := range styles[i+1:] {
						check(what, theme.Colours[a].Text, theme.Colours[b].Text)
					}
				}
			}
			for term := range uint64(TermColours) {
				a, b := theme.Colours[TermFill(term)], theme.Colours[TermFill(term+1)]
				check(fmt.Sprintf("blocks of the terms %d and %d", term, term+1), a.Background, b.Background)
			}
		}
	}
}

func TestNeighbouringTermsDifferInLightness(t *testing.T) {
	for _, light := range []bool{false, true} {
		for _, theme := range themesOn(light) {
			for term := range uint64(TermColours) {
				a, b := theme.Colours[TermFill(term)].Background, theme.Colours[TermFill(term+1)].Background
				if got := contrast(lipgloss.Color(a), lipgloss.Color(b)); got < 1.15 {
					t.Errorf("%s, light %v: %s and %s have contrast %.2f, want 1.15", theme.Name, light, a, b, got)
				}
			}
		}
	}
}
