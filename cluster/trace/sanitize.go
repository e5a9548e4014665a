package trace

import (
	"strings"
	"unicode"
)

// marksMax is how many combining marks Sanitize leaves on one letter: enough for every
// language, too few to smear a letter over its neighbours.
const marksMax = 2

// Sanitize makes untrusted text safe to show and to write to a file. It drops every
// character that is not visible: control, format, bidirectional and zero-width characters
// and broken UTF-8. White space of any kind becomes a space.
func Sanitize(s string) string {
	// Nearly all text is printable ASCII.
	if strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0 {
		return s
	}
	var b strings.Builder
	marks := 0
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || unicode.Is(unicode.Z, r):
			b.WriteByte(' ')
			marks = marksMax
		case unicode.Is(unicode.M, r):
			// A mark without a letter would land on whatever stands before the text.
			if marks < marksMax && b.Len() > 0 && !invisible(r) {
				b.WriteRune(r)
			}
			marks++
		case !invisible(r):
			b.WriteRune(r)
			marks = 0
		}
	}
	return b.String()
}

// invisible reports whether a character shows nothing: control and format characters, those
// that Unicode calls ignorable, and fillers and blanks that look like an empty cell.
func invisible(r rune) bool {
	return r == unicode.ReplacementChar || r == 0x115f || r == 0x1160 || r == 0x2800 || r == 0x3164 || r == 0xffa0 ||
		unicode.In(r, unicode.C, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		!unicode.IsGraphic(r)
}
