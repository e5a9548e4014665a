package pane

import (
	"os"
	"slices"
	"strings"

	"capsize/ui/style"
)

// Look is how the user wants pictures to look.
type Look struct {
	Theme string // the name of a theme, "" to choose by the terminal's background
	ASCII bool   // draw with ASCII characters only
	Still bool   // no motion
	Lang  string // the language of captions, such as zh or zh-TW, "" for the scenario's own
}

// ThemeOn returns the theme for a terminal with the given colours. NO_COLOR overrides it.
func (l Look) ThemeOn(colours style.TerminalColours) *style.Theme {
	if noColour() {
		return style.Mono
	}
	return style.ThemeOn(l.Theme, colours)
}

// GlyphsOf returns the glyphs to draw with. Terminals known to lack others get ASCII.
func (l Look) GlyphsOf() *style.Glyphs {
	if l.ASCII || asciiTerminal() {
		return style.ASCII
	}
	return style.Unicode
}

// noColour reports whether NO_COLOR is set, to any value (no-color.org).
func noColour() bool { return os.Getenv("NO_COLOR") != "" }

// asciiTerminal reports whether the terminal is known to have few glyphs, by its name or by a
// locale without UTF-8. Containers often set no locale at all; the terminal is then on
// another machine and most likely has the glyphs.
func asciiTerminal() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(os.Getenv(name)); locale != "" {
			if !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8") {
				return true
			}
			break
		}
	}
	return slices.Contains([]string{"linux", "vt100", "vt220", "dumb"}, os.Getenv("TERM"))
}
