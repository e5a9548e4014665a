package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// timeFrame returns a picture of the time view, with the latest moment of the sample
// cluster at its right edge.
func timeFrame(w *uitest.Sample, h *history.History, width, height int, cell time.Duration) *picture {
	f := frameOf(w, width, height)
	_, last := h.Span()
	f.view, f.Latest = f.Time, w.At
	f.Time.zoom = slices.Index(columnSpans, cell)
	f.Time.End = (w.At + cell).Truncate(cell)
	f.Time.Chart = newChart(h, f.Time.End-time.Duration(width)*cell)
	f.Time.Chart.goOn(h, last)
	f.TimelineState, f.TimelineEnd = f.State, f.Now
	return f
}

func TestTimeViewMatchesGolden(t *testing.T) {
	all := uitest.Samples()
	for _, c := range []struct {
		sample string
		w, h   int
		cell   time.Duration
	}{
		{"dead-leader", 80, 24, 100 * time.Millisecond},
		{"dead-leader", 120, 36, 100 * time.Millisecond},
		{"partition", 80, 24, 50 * time.Millisecond},
		{"partition", 120, 36, 50 * time.Millisecond},
		{"partition", 200, 60, 5 * time.Millisecond},
		{"faulty", 120, 36, 20 * time.Millisecond},
		{"nine", 80, 24, 20 * time.Millisecond},
		{"twenty-five", 120, 36, 500 * time.Millisecond},
		{"ninety-nine", 120, 36, time.Minute},
		{"empty", 80, 24, time.Second},
	} {
		t.Run(fmt.Sprintf("%s-%dx%d", c.sample, c.w, c.h), func(t *testing.T) {
			golden.RequireEqual(t, plain(timeFrame(all[c.sample], all[c.sample].History(), c.w, c.h, c.cell)))
		})
	}
	t.Run("past", func(t *testing.T) {
		f := timeFrame(all["dead-leader"], all["dead-leader"].History(), 120, 36, 100*time.Millisecond)
		f.Past, f.Now = true, f.Latest-4*time.Second
		text, _ := f.render()
		golden.RequireEqual(t, text)
	})
}

func TestTimeViewFillsTheScreenExactly(t *testing.T) {
	for name, w := range uitest.Samples() {
		h := w.History()
		for _, width := range []int{1, 60, 61, 80, 120, 300} {
			for _, height := range []int{1, 18, 24, 36, 100} {
				for _, cell := range []time.Duration{columnSpans[0], columnSpans[columnSpanFirst], columnSpans[len(columnSpans)-1]} {
					f := timeFrame(w, h, width, height, cell)
					checkSize(t, name, f)
					f.Past, f.Now = true, f.Now/2
					f.Glyphs = style.ASCII
					checkSize(t, name, f)
				}
			}
		}
	}
}

func TestLaneShowsEveryStateOfItsNode(t *testing.T) {
	c := newChart(uitest.DeadLeader().History(), 0)
	c.goOn(uitest.DeadLeader().History(), trace.Position{Seq: 1 << 40})
	var states []string
	for _, s := range c.lane("n3").spans {
		states = append(states, strings.TrimSpace(fmt.Sprintf("%s %s %d", s.life, s.role, s.term)))
	}
	want := "up follower 0, up candidate 2, up leader 2, killed  2"
	if got := strings.Join(states, ", "); got != want {
		t.Errorf("states of n3: %s; want %s", got, want)
	}
	// A chart that starts later starts with the state at that time.
	late := newChart(uitest.DeadLeader().History(), 20*time.Second)
	if s := late.lane("n3").spans[0]; s.role != trace.Leader || s.term != 2 {
		t.Errorf("after 20s n3 is %+v, want the leader of term 2", s)
	}
}
