package canvas

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"capsize/cluster/trace"
)

// integer is any of the types that trace counts in.
type integer interface {
	~int | ~int64 | ~uint64
}

// Sanitize removes control and format characters from text that comes from elsewhere.
// Text from which they are removed is called clean below.
func Sanitize(s string) string { return trace.Sanitize(s) }

// isPlain reports whether s is printable ASCII. Nearly all text is, and it needs no
// Unicode tables.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Width returns the width of clean text in cells.
func Width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Truncate cuts clean text to at most w cells. Text that was cut ends in the ellipsis.
func Truncate(s string, w int, ellipsis string) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, ellipsis)
}

// Thousands formats a number with commas: 1,234,567.
func Thousands[N integer](n N) string {
	s := fmt.Sprint(n)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(s[i])
	}
	return sign + b.String()
}

// Compact formats a number in at most w cells: exactly if that fits, otherwise rounded
// toward zero with a unit, such as 12k or 1.9M. The number shown is never larger than n.
// A number that does not fit at all is a row of #.
func Compact[N integer](n N, w int) string {
	exact := fmt.Sprint(n)
	if len(exact) <= w {
		return exact
	}
	sign, size := "", math.Abs(float64(n))
	if n < 0 {
		sign = "-"
	}
	for _, unit := range []struct {
		size float64
		name string
	}{{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if size < unit.size {
			continue
		}
		tenths := math.Floor(size / unit.size * 10)
		long := fmt.Sprintf("%s%d.%d%s", sign, int(tenths)/10, int(tenths)%10, unit.name)
		if len(long) <= w {
			return long
		}
		short := fmt.Sprintf("%s%d%s", sign, int(tenths)/10, unit.name)
		if len(short) <= w {
			return short
		}
		break
	}
	return strings.Repeat("#", max(w, 0))
}
