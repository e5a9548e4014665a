package uitest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
)

// HostileText is text that would do harm if it were shown as it is: escape sequences,
// invisible characters, changes of the writing direction, XML markup and invalid UTF-8.
const HostileText = "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u2066\u009b31m\u2028</text><script>&amp;\"'\r\n\xff世"

// AllowedSequences matches the escape sequences that drawing itself writes: styles, cursor
// positions, erasing and synchronized output.
var AllowedSequences = regexp.MustCompile(`\x1b\[[0-9;]*[mHCJK]|\x1b\[\?(25|2026)[hl]`)

// CheckPrintable fails the test if a text contains anything but visible characters and
// line ends.
func CheckPrintable(t *testing.T, where, text string) {
	t.Helper()
	for _, r := range text {
		// A combining mark is visible on a letter only.
		if letter := "a" + string(r); r != '\n' && canvas.Sanitize(letter) != letter {
			t.Errorf("%s contains %U: %q", where, r, text)
			return
		}
	}
}

// Hostile returns a cluster with hostile text in every place.
func Hostile() *Sample {
	evil := "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u0301\u009b31m\u2028e\u0301\u0301\u0301\u0301世👩\u200d👩\u200d👧\r\n\xff"
	s := newSample(evil, "a"+evil, evil+"b")
	s.elect(evil, 1, "a"+evil)
	s.Emit(trace.Event{Kind: trace.KindCaption, Text: strings.Repeat(evil, 20)})
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "a" + evil, Process: trace.Crashed, Text: evil})
	s.Emit(trace.Event{Kind: trace.KindDiskFault, Node: evil, Text: evil})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: evil, Peer: evil + "b", Faults: []string{evil}})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "a" + evil, Peer: evil, Faults: []string{"hold"}})
	s.Wait(trace.Packet{From: "a" + evil, To: evil, Kind: evil, Error: evil, Term: 1 << 40, Entries: 1 << 40, First: 1 << 62}, time.Second)
	s.Wait(trace.Packet{From: "a" + evil, To: evil, Kind: "append", Term: 1 << 40, Entries: 1 << 40, First: 1 << 62}, 0)
	s.Advance(time.Second)
	return s
}
