package terminal

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

const (
	enter = ansi.SetModeAltScreenSaveCursor + ansi.ResetModeTextCursorEnable + ansi.SetModeBracketedPaste
	mouse = ansi.SetModeMouseButtonEvent + ansi.SetModeMouseExtSgr
)

func TestModesUndoWhatWasWritten(t *testing.T) {
	for _, c := range []struct{ name, written, undone string }{
		{"nothing", "", ""},
		{"text", "a\x1b[2;3Hb\x1b[K", ""},
		{"a question", ansi.RequestModeUnicodeCore + ansi.RequestBackgroundColor, ""},
		{"the screen", enter, "\x1b[?1049l\x1b[?25h\x1b[?2004l"},
		{"the mouse", mouse, "\x1b[?1002l\x1b[?1006l"},
		{"the mouse, released", mouse + ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseExtSgr, ""},
		{"a part of a picture", ansi.SetModeSynchronizedOutput + "\x1b[1;31mred", "\x1b[?2026l\x1b[m"},
		{"a plain end", "\x1b[1;31mred\x1b[m", ""},
		{"a keyboard", ansi.PushKittyKeyboard(1) + ansi.SetModifyOtherKeys2, "\x1b[<1u\x1b[>4m"},
		{"a keyboard given back", ansi.PushKittyKeyboard(1) + ansi.PopKittyKeyboard(1), ""},
		{"a title", ansi.SetWindowTitle("capsize"), ansi.SetWindowTitle("")},
		{"no title", ansi.SetWindowTitle("capsize") + ansi.SetWindowTitle(""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newModes()
			if n := m.take([]byte(c.written), len(c.written)); n != len(c.written) {
				t.Fatalf("took %d of %d bytes", n, len(c.written))
			}
			if got := m.restore(); got != c.undone {
				t.Errorf("restores with %q, want %q", got, c.undone)
			}
			m.take([]byte(m.restore()), 1<<10)
			if again := m.restore(); again != "" {
				t.Errorf("%q is left", again)
			}
		})
	}
}

func TestLossIsUndoneWhateverWasLost(t *testing.T) {
	m := newModes()
	m.take([]byte(enter+mouse+ansi.ResetModeMouseButtonEvent), 1<<10)
	got := m.restoreAfterLoss()
	for _, want := range []string{"\x18", "\x1b[m", "\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1002l", "\x1b[?1006l"} {
		if !strings.Contains(got, want) {
			t.Errorf("restores with %q, without %q", got, want)
		}
	}
}

func TestTakeSplitsNoSequence(t *testing.T) {
	text := []byte("a\x1b[1;4;9;21;7mü界\x1b]2;a title\x07b")
	ends := map[int]bool{1: true, 14: true, 16: true, 19: true, 31: true, 32: true}
	for limit := 1; limit <= len(text); limit++ {
		m := newModes()
		taken := 0
		for taken < len(text) {
			n := m.take(text[taken:], limit)
			if taken += n; n == 0 || !ends[taken] {
				t.Fatalf("limit %d: split at %d", limit, taken)
			}
		}
	}
}
