package ui

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
)

// history returns the past of the world, as a cluster would keep it.
func (w *world) history() *history.History {
	h, log := history.New(history.DefaultBudget), &trace.Stream{}
	log.AddSink(h)
	for _, e := range w.events {
		log.Emit(e)
	}
	return h
}

// timeFrame is a frame of the time view, with the last moments of the world at its right.
func (w *world) timeFrame(h *history.History, width, height int, cell time.Duration) *picture {
	f := w.frame(width, height)
	_, last := h.Span()
	f.view, f.latest = f.time, w.at
	f.time.zoom = slices.Index(laneCells, cell)
	f.time.end = (w.at + cell).Truncate(cell)
	f.time.chart = newChart(h, f.time.end-time.Duration(width)*cell)
	f.time.chart.goOn(h, last)
	f.line, f.lineEnd = f.state, f.now
	return f
}

func TestTimeViewsLookAsTheyDid(t *testing.T) {
	all := worlds()
	for _, c := range []struct {
		world string
		w, h  int
		cell  time.Duration
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
		t.Run(fmt.Sprintf("%s-%dx%d", c.world, c.w, c.h), func(t *testing.T) {
			golden.RequireEqual(t, plain(all[c.world].timeFrame(all[c.world].history(), c.w, c.h, c.cell)))
		})
	}
	t.Run("past", func(t *testing.T) {
		f := all["dead-leader"].timeFrame(all["dead-leader"].history(), 120, 36, 100*time.Millisecond)
		f.past, f.now = true, f.latest-4*time.Second
		text, _ := f.render()
		golden.RequireEqual(t, text)
	})
}

func TestTimeViewsAreExactlyAsLargeAsTheScreen(t *testing.T) {
	for name, w := range worlds() {
		h := w.history()
		for _, width := range []int{1, 60, 61, 80, 120, 300} {
			for _, height := range []int{1, 18, 24, 36, 100} {
				for _, cell := range []time.Duration{laneCells[0], laneCells[laneCellFirst], laneCells[len(laneCells)-1]} {
					f := w.timeFrame(h, width, height, cell)
					checkSize(t, name, f)
					f.past, f.now = true, f.now/2
					f.glyphs = style.ASCII
					checkSize(t, name, f)
				}
			}
		}
	}
}

func TestALaneIsWhatItsNodeWas(t *testing.T) {
	c := newChart(deadLeader().history(), 0)
	c.goOn(deadLeader().history(), trace.Position{Seq: 1 << 40})
	var told []string
	for _, s := range c.lane("n3").spans {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %d", s.life, s.role, s.term)))
	}
	want := "up follower 0, up candidate 2, up leader 2, killed  2"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("n3 was\n%s, not\n%s", got, want)
	}
	// A chart that begins later begins with what was so then.
	late := newChart(deadLeader().history(), 20*time.Second)
	if s := late.lane("n3").spans[0]; s.role != trace.Leader || s.term != 2 {
		t.Errorf("after twenty seconds n3 is %+v", s)
	}
}

func TestZoomAndScrollKeepTheMomentInSight(t *testing.T) {
	s, _ := killed(t)
	s.press("tab", "tab", "[", "[", "[")
	s.wants("a column is 10ms")
	for _, k := range []string{",", ",", "home", ")", ".", "[", "]", "]", "end"} {
		s.press(k)
		s.screen()
		from := s.views.time.window.end - s.views.time.windowSpan()
		if at := s.moment().At; at < from || at > s.views.time.window.end {
			t.Errorf("after %s %s is not between %s and %s", k, at, from, s.views.time.window.end)
		}
	}
	s.press("[", "[", ",")
	s.screen()
	before := s.views.time.window.end
	s.press("left")
	s.screen()
	if s.views.time.window.end >= before || s.travel.at != s.moment().At || !s.views.time.window.scrolled {
		t.Errorf("left leads from %s to %s", before, s.views.time.window.end)
	}
	s.press("right", ".")
	s.screen()
	if s.views.time.window.scrolled {
		t.Error("it stays scrolled away from where one goes")
	}
}

// BenchmarkTimeView is a frame of the time view over a busy cluster, in the past.
func BenchmarkTimeView(b *testing.B) {
	for _, nodes := range []int{5, 25} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			s := newStage(b, nodes)
			s.press("l")
			for range 20 {
				s.pass(time.Second)
			}
			s.press("tab", "tab", ",", ",")
			for b.Loop() {
				paint(s.frame(), s.view())
			}
		})
	}
}

// However long the past is, the time view looks at little more than it shows.
func TestTheTimeViewLooksAtWhatIsNear(t *testing.T) {
	s := newStage(t, 3)
	s.pass(5 * time.Minute)
	s.press("home")
	s.turnTo(s.views.time)
	s.View()
	if known, seen := s.views.time.window.chart.last.At, s.views.time.window.end+s.views.time.windowSpan(); known > seen || known < s.views.time.window.end {
		t.Errorf("it knows all until %s and shows all until %s", known, s.views.time.window.end)
	}
	s.press("end")
	s.View()
	if s.views.time.window.chart.last.Seq < s.state.Seq {
		t.Errorf("it knows all until event %d of %d", s.views.time.window.chart.last.Seq, s.state.Seq)
	}
}
