package canvas

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"capsize/ui/style"
)

func FuzzTextStaysInItsCells(f *testing.F) {
	f.Add("x\x1b]52;c;aGk=\x07\u202e\u0300")
	f.Fuzz(func(t *testing.T, s string) {
		c := New(20, 1, "…")
		c.Put(0, 0, 20, s, style.Text)
		if w := ansi.StringWidth(c.Render(style.Mono)); w > 20 {
			t.Fatalf("%q takes %d of 20 cells", s, w)
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
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

// Chinese has no blanks to break at.
func TestWideTextIsBrokenBetweenCharacters(t *testing.T) {
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
				t.Errorf("wrap(%q, %d): %q is too wide", c.in, c.w, line)
			}
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.w, text, c.want)
		}
	}
}

func TestFitNeverShowsMoreThanThereIs(t *testing.T) {
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
			t.Errorf("fit(%d, %d) = %q, want %q", c.n, c.w, got, c.want)
		}
	}
}

func TestTimesAsPeopleReadThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		83400 * time.Millisecond: "0:01:23.4", 0: "0:00:00.0", 100 * time.Hour: "100:00:00.0", -time.Second: "-0:00:01.0",
	} {
		if got := Clock(d); got != want {
			t.Errorf("clockTime(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0.4s", 34 * time.Second: "34s", 5 * time.Minute: "5m", 99 * time.Hour: "99h", 1000 * time.Hour: "41d", -1: "0.0s",
	} {
		if got := Age(d); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
	if got := Thousands(int64(-1234567)); got != "-1,234,567" {
		t.Errorf("thousands = %q", got)
	}
}
