package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace/compare"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// compared returns the comparison of two samples, which begin with the same events.
func compared(a, b *uitest.Sample) *Comparison {
	course := func(s *uitest.Sample) compare.Course {
		h := s.History()
		_, to := h.Span()
		return compare.Course{{History: h, To: to}}
	}
	return &Comparison{Result: compare.Courses(course(a), course(b), pane.EventText), Names: [2]string{"branch 1", "branch 2"}}
}

// comparing returns the text of a frame with a comparison.
func comparing(f *picture, c *Comparison) string {
	f.Hints = CompareHints
	painted, _ := Paint(f.Frame, c)
	return ansi.Strip(painted.Render(f.Theme))
}

func TestComparisonMatchesGolden(t *testing.T) {
	pairs := map[string]*Comparison{
		"parted": compared(uitest.DeadLeader(), uitest.Partitioned()),
		"lost":   compared(uitest.Healthy(5).WithVerdicts(), uitest.LostIncrement()),
		"prefix": compared(uitest.Healthy(5), uitest.DeadLeader()),
		"same":   compared(uitest.Healthy(5), uitest.Healthy(5)),
	}
	for name, c := range pairs {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				golden.RequireEqual(t, comparing(frameOf(uitest.Partitioned(), size[0], size[1]), c))
			})
		}
	}
	t.Run("parted-ascii-80x24", func(t *testing.T) {
		f := frameOf(uitest.Partitioned(), 80, 24)
		f.Glyphs = style.ASCII
		golden.RequireEqual(t, comparing(f, pairs["parted"]))
	})
}

func TestComparisonScrollsToItsEnds(t *testing.T) {
	c := compared(uitest.DeadLeader(), uitest.Partitioned())
	f := frameOf(uitest.Partitioned(), 80, 24)
	top := comparing(f, c)
	if !strings.Contains(top, "more below") || strings.Contains(top, "above") {
		t.Fatalf("it does not start at the top:\n%s", top)
	}
	if c.Scroll(f.Frame, "x") || comparing(f, c) != top {
		t.Error("it scrolls by any key")
	}
	for _, keys := range [][2]string{{"down", "up"}, {"pgdown", "pgup"}, {"end", "home"}} {
		for range 40 {
			c.Scroll(f.Frame, keys[0])
		}
		bottom := comparing(f, c)
		if strings.Contains(bottom, "more below") || !strings.Contains(bottom, "above") {
			t.Errorf("%s does not reach the end:\n%s", keys[0], bottom)
		}
		if c.Scroll(f.Frame, keys[1]); comparing(f, c) == bottom {
			t.Errorf("%s does not leave the end", keys[1])
		}
		for range 40 {
			c.Scroll(f.Frame, keys[1])
		}
		if comparing(f, c) != top {
			t.Errorf("%s does not reach the top", keys[1])
		}
	}
}

// TestComparisonFillsAnyScreen draws stories from a hostile recording, too.
func TestComparisonFillsAnyScreen(t *testing.T) {
	all := uitest.Samples()
	for _, pair := range [][2]string{{"hostile", "five"}, {"dead-leader", "hostile"}, {"lost", "stale-read"}, {"huge", "empty"}, {"ninety-nine", "one"}} {
		c := compared(all[pair[0]], all[pair[1]])
		for _, size := range [][2]int{{60, 18}, {61, 19}, {80, 24}, {103, 28}, {120, 36}, {200, 60}, {300, 18}} {
			for _, theme := range []*style.Theme{style.Dark, style.Mono} {
				f := frameOf(all[pair[1]], size[0], size[1])
				f.Theme = theme
				text := comparing(f, c)
				where := fmt.Sprint(pair, size)
				uitest.CheckPrintable(t, where, text)
				lines := strings.Split(text, "\n")
				if len(lines) != size[1] {
					t.Errorf("%s: %d lines", where, len(lines))
				}
				for _, line := range lines {
					if ansi.StringWidth(line) > size[0] {
						t.Errorf("%s: %q is too wide", where, line)
					}
				}
			}
		}
	}
}
