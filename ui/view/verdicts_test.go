package view

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/uitest"
)

// withAlarm shows the alarm for the violated checks, if there are any.
func withAlarm(f *picture) *picture {
	if all := pane.Violated(f.State.Checks); len(all) > 0 {
		f.Alarm, f.Paused = &pane.Alarm{Checks: all, Stops: true}, true
	}
	return f
}

func TestViolationsMatchGolden(t *testing.T) {
	for name, w := range map[string]*uitest.Sample{"stale-read": uitest.StaleRead(), "lost": uitest.LostIncrement()} {
		for _, size := range []string{"80x24", "120x36"} {
			for _, v := range []string{"stage", "log", "clients"} {
				t.Run(name+"-"+v+"-"+size, func(t *testing.T) {
					f := frameOf(w, 80, 24)
					if size == "120x36" {
						f = frameOf(w, 120, 36)
					}
					f.turnTo(v)
					if v == "stage" {
						withAlarm(f)
					}
					golden.RequireEqual(t, plain(f))
				})
			}
		}
	}
}

func TestHeaderShowsTheVerdicts(t *testing.T) {
	header := func(w *uitest.Sample, width, height int) string {
		line, _, _ := strings.Cut(plain(frameOf(w, width, height)), "\n")
		return line
	}
	if line := header(uitest.Healthy(5).WithVerdicts(), 140, 36); !strings.Contains(line, "✓ linearizable 2,310 ops   ✓ 8 checks") {
		t.Errorf("%q", line)
	}
	if line := header(uitest.Healthy(5), 140, 36); strings.Contains(line, "checks") || !strings.Contains(line, "ok 2,298") {
		t.Errorf("%q", line)
	}
	open := uitest.Healthy(5).WithVerdicts()
	open.Verdict(trace.Event{Check: "linearizable", Verdict: trace.VerdictUndecided, Text: "it takes too long"})
	if line := header(open, 140, 36); !strings.Contains(line, "? linearizable   ✓ 8 checks") {
		t.Errorf("%q", line)
	}
	// A violated check is in the header at any size; other parts make room for it.
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		for check, w := range map[string]*uitest.Sample{"linearizable": uitest.StaleRead(), "acked-durable": uitest.LostIncrement()} {
			if line := header(w, size[0], size[1]); !strings.Contains(line, "✗ "+check) {
				t.Errorf("%v: %q", size, line)
			}
		}
	}
}
