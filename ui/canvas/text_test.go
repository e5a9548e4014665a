package canvas

import (
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"capsize/ui/style"
)

func FuzzTextStaysInItsCells(f *testing.F) {
	f.Add("x\x1b]52;c;aGk=\x07\u202e\u0300")
	f.Fuzz(func(t *testing.T, s string) {
		c := New(20, 1, "…")
		c.Put(0, 0, 20, s, style.Text)
		if w := ansi.StringWidth(c.Render(style.Mono)); w > 20 {
			t.Fatalf("%q is %d cells wide, want at most 20", s, w)
		}
	})
}

func TestWrapBreaksBetweenWords(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"n1 leads term 2", 8, "n1 leads|term 2"},
		{"n1 leads term 2", 80, "n1 leads term 2"},
		{"abcdefghij k", 4, "abcd|efgh|ij k"},
		{"", 4, ""},
		{"世界世界", 4, "世界|世界"},
	} {
		if got := strings.Join(Wrap(c.in, c.w), "|"); got != c.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

// Chinese has no spaces to break at.
func TestWrapBreaksBetweenWideCharacters(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"五个节点", 4, "五个|节点"},
		{"五个节点", 5, "五个|节点"},
		{"(a) n1 领导，并接受", 12, "(a) n1 领|导，并接受"},
		{"n1领导，并", 6, "n1领|导，并"},
		{"他说“好”了", 6, "他说|“好”了"},
		{"n1、n2、n3", 6, "n1、|n2、n3"},
	} {
		got := Wrap(c.in, c.w)
		for _, line := range got {
			if Width(line) > c.w {
				t.Errorf("Wrap(%q, %d): line %q is too wide", c.in, c.w, line)
			}
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.in, c.w, text, c.want)
		}
	}
}

func TestCompactNeverShowsMoreThanThereIs(t *testing.T) {
	for _, c := range []struct {
		n    int64
		w    int
		want string
	}{
		{1234, 4, "1234"},
		{12345, 4, "12k"},
		{12399, 5, "12399"},
		{999999, 5, "999k"},
		{1999999, 4, "1.9M"},
		{-12345, 4, "-12k"},
		{math.MaxInt64, 5, "9.2E"},
		{math.MinInt64, 20, "-9223372036854775808"},
		{1234, 1, "#"},
	} {
		if got := Compact(c.n, c.w); got != c.want {
			t.Errorf("Compact(%d, %d) = %q, want %q", c.n, c.w, got, c.want)
		}
	}
	if got := Compact(uint64(math.MaxUint64), 5); got != "18.4E" {
		t.Errorf("Compact of the largest index = %q, want 18.4E", got)
	}
}

func TestThousandsHaveCommas(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
