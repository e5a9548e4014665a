package pane

import (
	"os"
	"slices"
	"strings"

	"capsize/ui/style"
)

// Look is how the user wants pictures to look.
type Look struct {
	// Theme is the name of a theme, "" to choose by the terminal's background.
	Theme string
	// ASCII draws with ASCII characters only.
	ASCII bool
	// Still switches motion off.
	Still bool
	// Lang is the language of captions, such as zh or zh-TW, "" for the scenario's own.
	Lang string
}

// ThemeOn returns the theme, as it is on a surface.
func (l Look) ThemeOn(colours style.TerminalColours) *style.Theme {
	if noColour() {
		return style.Mono
	}
	return style.ThemeOn(l.Theme, colours)
}

// GlyphsOf returns the characters to draw with.
func (l Look) GlyphsOf() *style.Glyphs {
	if l.ASCII || asciiTerminal() {
		return style.ASCII
	}
	return style.Unicode
}

// noColour says whether the user wants no colours (no-color.org: any value).
func noColour() bool { return os.Getenv("NO_COLOR") != "" }

// asciiTerminal says whether the terminal is known to have few glyphs, by its name
// or by a locale that has no UTF-8. Where no locale is set at all, as in many a
// container, the terminal itself is somewhere else, and has them.
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
