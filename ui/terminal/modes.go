package terminal

import (
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// modes tracks the terminal modes that must be undone, from everything that is written. The
// initial state is the terminal as a shell leaves it.
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

// take tracks the first bytes of a text, and returns their number: at most limit bytes, but
// at least one sequence or character. It never splits a sequence, because the terminal would
// show the rest as text.
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

// follow applies one escape sequence, which the parser has just read.
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

// restore returns the sequences that restore the terminal for a shell.
func (m *modes) restore() string { return m.undo(false) }

// restoreAfterLoss is restore after an unknown part of the output was lost, perhaps in the
// middle of a sequence: it ends that sequence, and undoes every mode ever set.
func (m *modes) restoreAfterLoss() string { return "\x18\x1b\\" + m.undo(true) }

// undo returns the sequences that undo the modes in effect or, with all, every mode ever
// set.
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
