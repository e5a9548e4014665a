package terminal

import (
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// modes is what a terminal was told to be, as far as it must be undone. It follows
// whatever is written; the zero state is that of a terminal as a shell leaves it.
type modes struct {
	private   map[ansi.DECMode]bool // the modes ever set or reset, and how they are now
	keyboards int                   // entries pushed on the keyboard stack of the alternate screen
	otherKeys bool                  // modified keys are reported
	titled    bool
	styled    bool // text is not plain
	parser    *ansi.Parser
}

func newModes() modes {
	return modes{private: map[ansi.DECMode]bool{}, parser: ansi.NewParser()}
}

// take follows the first bytes of a text, at least one sequence or character and at
// most limit bytes unless that one is longer, and returns their number. It never splits a sequence:
// the terminal could not tell the rest from text.
func (m *modes) take(text []byte, limit int) (taken int) {
	for taken < len(text) {
		_, width, n, _ := ansi.DecodeSequence(text[taken:], ansi.NormalState, m.parser)
		if taken > 0 && taken+n > limit {
			break
		}
		if width == 0 && text[taken] == ansi.ESC {
			m.follow(string(text[taken : taken+n]))
		}
		taken += n
	}
	return taken
}

// follow applies one escape sequence, which the parser has read.
func (m *modes) follow(sequence string) {
	cmd, params := ansi.Cmd(m.parser.Command()), m.parser.Params()
	first, _, _ := params.Param(0, 0)
	switch {
	case strings.HasPrefix(sequence, "\x1b]"):
		if code := m.parser.Command(); code == 0 || code == 2 {
			_, title, _ := strings.Cut(string(m.parser.Data()), ";")
			m.titled = title != ""
		}
	case !strings.HasPrefix(sequence, "\x1b["):
	case cmd.Prefix() == '?' && (cmd.Final() == 'h' || cmd.Final() == 'l'):
		for _, p := range params {
			m.private[ansi.DECMode(p.Param(0))] = cmd.Final() == 'h'
		}
	case cmd.Prefix() == '>' && cmd.Final() == 'u':
		m.keyboards++
	case cmd.Prefix() == '<' && cmd.Final() == 'u':
		m.keyboards = max(m.keyboards-max(first, 1), 0)
	case cmd.Prefix() == '>' && cmd.Final() == 'm':
		m.otherKeys = len(params) > 1
	case cmd.Prefix() == 0 && cmd.Intermediate() == 0 && cmd.Final() == 'm':
		m.styled = first != 0 || len(params) > 1
	}
}

// restore returns what makes the terminal as a shell expects it.
func (m *modes) restore() string { return m.undo(false) }

// restoreAfterLoss is restore after an unknown part of what was written has been lost,
// at any byte: it ends the sequence that may be cut, and undoes all that was ever done.
func (m *modes) restoreAfterLoss() string { return "\x18\x1b\\" + m.undo(true) }

// undo returns what undoes the modes that are set or, with all, that have ever been set.
func (m *modes) undo(all bool) string {
	var b strings.Builder
	set := func(mode ansi.DECMode) bool {
		on, touched := m.private[mode]
		return touched && (all || on != initially(mode))
	}
	if set(ansi.ModeSynchronizedOutput) {
		b.WriteString(ansi.ResetModeSynchronizedOutput)
	}
	if m.styled || all {
		b.WriteString(ansi.ResetStyle)
	}
	// The stack belongs to the alternate screen, so it comes before that.
	if m.keyboards > 0 {
		b.WriteString(ansi.PopKittyKeyboard(m.keyboards))
	}
	if m.otherKeys {
		b.WriteString(ansi.ResetModifyOtherKeys)
	}
	if m.titled {
		b.WriteString(ansi.SetWindowTitle(""))
	}
	if set(ansi.ModeAltScreenSaveCursor) {
		b.WriteString(ansi.ResetModeAltScreenSaveCursor)
	}
	for _, mode := range slices.Sorted(maps.Keys(m.private)) {
		switch {
		case mode == ansi.ModeAltScreenSaveCursor, mode == ansi.ModeSynchronizedOutput, !set(mode):
		case initially(mode):
			b.WriteString(ansi.SetMode(mode))
		default:
			b.WriteString(ansi.ResetMode(mode))
		}
	}
	return b.String()
}

// initially reports whether a mode is on in a terminal that no program has changed.
func initially(mode ansi.DECMode) bool {
	return mode == ansi.ModeTextCursorEnable || mode == ansi.ModeAutoWrap
}
