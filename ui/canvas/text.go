package canvas

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"capsize/cluster/trace"
)

// Sanitize makes foreign text safe to show.
func Sanitize(s string) string { return trace.Sanitize(s) }

// isPlain says whether s is printable ASCII, as nearly all text is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Width returns how many cells clean text takes.
func Width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Truncate shortens clean text to w cells, and shows with more that it did.
func Truncate(s string, w int, more string) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, more)
}

// Thousands writes a count with commas.
func Thousands[N uint64 | int64 | int](n N) string {
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

// Compact writes a number in at most w cells: exactly if it can, else rounded
// toward zero with a letter for its size, so that what is shown is never more
// than there is.
func Compact(n int64, w int) string {
	exact := strconv.FormatInt(n, 10)
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

// Count makes an index or a term a number to fit; one too large is as large as can be.
func Count(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// Clock writes a moment of virtual time as h:mm:ss.t.
func Clock(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	t := d / (100 * time.Millisecond)
	return fmt.Sprintf("%s%d:%02d:%02d.%d", sign, t/36000, t/600%60, t/10%60, t%10)
}

// ClockMillis writes a moment of virtual time as h:mm:ss.ttt.
func ClockMillis(d time.Duration) string {
	text := Clock(d.Truncate(100 * time.Millisecond))
	ms := d.Milliseconds() % 100
	if ms < 0 {
		ms = -ms
	}
	return fmt.Sprintf("%s%02d", text, ms)
}

// Age writes how long something is past, in at most five cells for a century.
func Age(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
