package uitest

import (
	"regexp"
	"testing"

	"capsize/ui/canvas"
)

// HostileText is text that is meant to do harm wherever it is shown: sequences that steer
// a terminal, characters that turn the direction of writing or show nothing, what
// means something in XML, and broken UTF-8.
const HostileText = "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u2066\u009b31m\u2028</text><script>&amp;\"'\r\n\xff世"

// AllowedSequences are what the drawing itself writes: looks, places of the cursor,
// erasing, and what holds a picture together.
var AllowedSequences = regexp.MustCompile(`\x1b\[[0-9;]*[mHCJK]|\x1b\[\?(25|2026)[hl]`)

// CheckPrintable checks that a text holds nothing but characters that are seen.
func CheckPrintable(t *testing.T, where, text string) {
	t.Helper()
	for _, r := range text {
		// A mark is seen on a letter.
		if letter := "a" + string(r); r != '\n' && canvas.Sanitize(letter) != letter {
			t.Errorf("%s holds %U: %q", where, r, text)
			return
		}
	}
}
