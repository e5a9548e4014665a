package view

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace/history"
	"capsize/cluster/trace/spacetime"
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
	f.Time.Diagram = spacetime.New(h, f.Time.End-time.Duration(width)*cell)
	f.Time.Diagram.Extend(h, last)
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
		{"unreachable", 120, 36, 50 * time.Millisecond},
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
