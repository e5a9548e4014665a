package view

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// plain draws a picture as text without styles.
func plain(f *picture) string {
	text, _ := f.render()
	return ansi.Strip(text)
}

func TestStageMatchesGolden(t *testing.T) {
	all := uitest.Samples()
	for _, c := range []struct {
		sample string
		w, h   int
	}{
		{"five", 80, 24},
		{"five", 120, 36},
		{"five", 200, 60},
		{"partition", 120, 36},
		{"partition", 80, 24},
		{"dead-leader", 120, 36},
		{"no-leader", 80, 24},
		{"faulty", 120, 36},
		{"unreachable", 80, 24},
		{"unreachable", 120, 36},
		{"one", 120, 36},
		{"nine", 80, 24},
		{"nine", 120, 36},
		{"twenty-five", 120, 36},
		{"twenty-five", 200, 60},
		{"ninety-nine", 80, 24},
		{"huge", 120, 36},
		{"five", 60, 18},
		{"five", 59, 18},
		{"empty", 80, 24},
	} {
		t.Run(fmt.Sprintf("%s-%dx%d", c.sample, c.w, c.h), func(t *testing.T) {
			golden.RequireEqual(t, plain(full(frameOf(all[c.sample], c.w, c.h))))
		})
	}
	t.Run("colour", func(t *testing.T) {
		text, _ := full(frameOf(all["partition"], 120, 36)).render()
		golden.RequireEqual(t, text)
	})
	t.Run("ascii", func(t *testing.T) {
		f := full(frameOf(all["partition"], 120, 36))
		f.Glyphs, f.Theme = style.ASCII, style.Mono
		golden.RequireEqual(t, plain(f))
	})
	for name, how := range map[string]pane.Playback{"exact": {Exact: true}, "processes": {Processes: true}} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			for _, sample := range []string{"five", "no-leader", "ninety-nine"} {
				for _, width := range []int{60, 80, 120} {
					f := full(frameOf(all[sample], width, 24))
					f.Exact, f.Processes = how.Exact, how.Processes
					header, _, _ := strings.Cut(plain(f), "\n")
					headers = append(headers, header)
				}
			}
			golden.RequireEqual(t, strings.Join(headers, "\n"))
		})
	}
	t.Run("menu", func(t *testing.T) {
		f := frameOf(all["five"], 80, 24)
		f.Menu = testMenu()
		golden.RequireEqual(t, plain(f))
	})
	t.Run("help", func(t *testing.T) {
		f := frameOf(all["five"], 80, 24)
		f.Help = []pane.HelpGroup{{Title: "nodes", Keys: []pane.HelpKey{{Key: "k", Text: "kill"}, {Key: "K", Text: "power off"}}}, {Title: "all", Keys: testHints}}
		golden.RequireEqual(t, plain(f))
	})
}

func testMenu() *pane.Menu {
	return &pane.Menu{Title: "disk of n3", Index: 1, Note: "enter sets it", Items: []pane.MenuItem{
		{Key: "o", Text: "ok", Detail: "healthy", On: true}, {Key: "s", Text: "slow", Detail: "each write takes longer", On: false}, {Key: "f", Text: "fail", Detail: "every write fails", On: false},
	}}
}

// full puts packets in flight and the cursor on the leader.
func full(f *picture) *picture {
	if leader := f.State.LeaderNode(); leader != nil {
		f.Cursor = leader.ID
		return withSparks(f, leader.ID)
	}
	return f
}

func TestPicturesFillTheScreenExactly(t *testing.T) {
	for name, w := range uitest.Samples() {
		for _, width := range []int{0, 1, 2, 17, 59, 60, 61, 79, 80, 81, 103, 104, 105, 120, 133, 160, 200, 255, 300} {
			for _, height := range []int{0, 1, 2, 17, 18, 19, 23, 24, 27, 28, 29, 36, 41, 43, 60, 77, 100} {
				f := full(frameOf(w, width, height))
				f.Exact, f.Processes = height%2 == 0, width%2 == 0
				f.Selected, f.Stage.LogScroll = map[string]bool{f.Cursor: true}, width
				f.view = f.All[(width+height)%len(f.All)]
				f.Log.Index, f.Links.At, f.Clients.spanIndex = uint64(height), MatrixCell{width%7 - 1, height%7 - 1}, width%len(timeSpans)
				f.Links.Marked = map[trace.Link]bool{{From: "n1", To: "n2"}: true}
				withAlarm(f)
				if width%2 == 0 {
					f.Menu, f.Help = testMenu(), []pane.HelpGroup{{Title: "keys", Keys: testHints}}
				}
				checkSize(t, name+" "+f.view.Name(), f)
			}
		}
	}
}

func checkSize(t *testing.T, name string, f *picture) {
	t.Helper()
	text, hits := f.render()
	lines := strings.Split(text, "\n")
	if len(lines) != max(f.Height, 1) {
		t.Fatalf("%s %dx%d: %d lines", name, f.Width, f.Height, len(lines))
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > f.Width {
			t.Fatalf("%s %dx%d: line %d is %d wide: %q", name, f.Width, f.Height, i, w, line)
		}
		for _, r := range ansi.Strip(line) {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%s %dx%d: line %d contains %U", name, f.Width, f.Height, i, r)
			}
		}
	}
	for _, h := range hits {
		if h.X < 0 || h.Y < 0 || h.W < 0 || h.H < 0 || h.X+h.W > f.Width || h.Y+h.H > f.Height {
			t.Fatalf("%s %dx%d: a hit box is off the screen: %+v", name, f.Width, f.Height, h)
		}
	}
}

func TestOnlyStyleSequencesAreWritten(t *testing.T) {
	f := full(frameOf(uitest.Hostile(), 120, 36))
	f.Command, f.Toast = "say \x1b[2J", pane.Toast{Text: "\x1b]0;x\x07", Bad: true}
	text, _ := f.render()
	for i, part := range strings.Split(text, "\x1b") {
		if i == 0 {
			continue
		}
		end := strings.IndexByte(part, 'm')
		if end < 0 || part[0] != '[' || strings.Trim(part[1:end], "0123456789;") != "" {
			t.Fatalf("not a style sequence: %q", part)
		}
	}
}

func TestMonoThemeWritesNoColour(t *testing.T) {
	f := full(frameOf(uitest.Partitioned(), 120, 36))
	f.Theme = style.Mono
	text, _ := f.render()
	if strings.Contains(text, "38;") || strings.Contains(text, "48;") {
		t.Error("a colour sequence was written")
	}
}

func TestASCIIPicturesAreASCII(t *testing.T) {
	for name, w := range uitest.Samples() {
		if name == "hostile" {
			continue
		}
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			for v := range New(nil).All {
				f := withAlarm(full(frameOf(w, size[0], size[1])))
				f.Glyphs, f.view = style.ASCII, f.All[v]
				for _, r := range plain(f) {
					if r > unicode.MaxASCII {
						t.Errorf("%s, %s view, %v: %q", name, f.view.Name(), size, r)
					}
				}
			}
		}
	}
}

func TestSameFrameGivesSamePicture(t *testing.T) {
	w := uitest.Partitioned()
	first, _ := full(frameOf(w, 120, 36)).render()
	for range 5 {
		if again, _ := full(frameOf(w, 120, 36)).render(); again != first {
			t.Fatal("two pictures of one frame differ")
		}
	}
}

func TestHeaderShowsTheSpeed(t *testing.T) {
	f := frameOf(uitest.Healthy(5), 120, 36)
	for speed, want := range map[float64]string{1: "1x", 100: "100x", 0.01: "1/100x", 1.0 / 3: "1/3x", vtime.Max: "max"} {
		f.Speed = speed
		if line, _, _ := strings.Cut(plain(f), "\n"); !strings.Contains(line, "▶ "+want+" ") {
			t.Errorf("%v: %q", speed, line)
		}
	}
	f.Paused = true
	if line, _, _ := strings.Cut(plain(f), "\n"); !strings.Contains(line, "paused") {
		t.Errorf("paused: %q", line)
	}
}

func TestHeaderSaysWhyThereIsNoLeader(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}} {
		line, _, _ := strings.Cut(plain(frameOf(uitest.NoLeader(), size[0], size[1])), "\n")
		if want := "no leader: 2 of 5 voters"; !strings.Contains(line, want) {
			t.Errorf("%v: %q", size, line)
		}
	}
}

func TestHeaderNeverCutsBetweenLabelAndValue(t *testing.T) {
	for w := pane.MinWidth; w < 130; w++ {
		f := frameOf(uitest.Healthy(5), w, 24)
		f.State.Checks = []trace.Check{{Name: "linearizable", Verdict: trace.VerdictOK, Count: 2310}}
		line, _, _ := strings.Cut(plain(f), "\n")
		if found := regexp.MustCompile(`(term|leader|commit|quorum|·)(   .*)?$`).FindString(line); found != "" {
			t.Errorf("%d columns: %q", w, line)
		}
	}
}

func TestTruncatedEntriesAreStruckThrough(t *testing.T) {
	w := uitest.Partitioned()
	w.Emit(trace.Event{Kind: trace.KindTruncated, Node: "n3", Index: 128, Last: 130})
	f := frameOf(w, 120, 36)
	before := plain(f)
	f.Truncating = map[string]float64{"n3": 1}
	if during := plain(f); strings.Contains(before, "/+2/") || strings.Count(during, "/+2/") != 3 {
		t.Errorf("want three entries struck through:\n%s", during)
	}
}

func TestPartitionIsAWallAndSingleCutIsAMark(t *testing.T) {
	w := uitest.Healthy(5)
	for _, other := range []string{"n2", "n3", "n4", "n5"} {
		w.CutLinks("n1", other)
	}
	if text := plain(frameOf(w, 120, 36)); strings.Count(text, "▪") < 10 || !strings.Contains(text, "✂ isolated") {
		t.Errorf("no wall around n1:\n%s", text)
	}
	w = uitest.Healthy(5)
	w.CutLinks("n3", "n5")
	if text := plain(frameOf(w, 120, 36)); strings.Contains(text, "▪") || strings.Count(text, "✂") != 3 {
		t.Errorf("want one mark on the ring and two in the table:\n%s", text)
	}
}

func TestStaleValueShowsHowFarBehindItIs(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		if text := plain(frameOf(uitest.DeadLeader(), size[0], size[1])); !strings.Contains(text, "136 −1") && !strings.Contains(text, "n2 −1") {
			t.Errorf("%v:\n%s", size, text)
		}
	}
}

func TestEveryNodeAndHintIsClickable(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
		_, hits := frameOf(uitest.Healthy(5), size[0], size[1]).render()
		found := map[string]bool{}
		for _, h := range hits {
			found["node "+h.Node], found["key "+h.Key] = true, true
		}
		for _, want := range []string{"node n1", "node n5", "key i", "key space"} {
			if !found[want] {
				t.Errorf("%v: no hit box for %s", size, want)
			}
		}
	}
}

func TestCursorIsAlwaysVisible(t *testing.T) {
	f := frameOf(uitest.Healthy(99), 80, 24)
	for _, cursor := range []string{"n1", "n42", "n99"} {
		f.Cursor = cursor
		if text := plain(f); !strings.Contains(text, "▌ "+cursor) {
			t.Errorf("the cursor on %s is not visible:\n%s", cursor, text)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct {
		name string
		w    *uitest.Sample
		x, y int
	}{
		{"5-120x36", uitest.Busy(uitest.Partitioned()), 120, 36}, {"25-200x60", uitest.Busy(uitest.Healthy(25)), 200, 60}, {"99-300x100", uitest.Busy(uitest.Healthy(99)), 300, 100},
	} {
		for v := range New(nil).All {
			b.Run(c.name+"-"+New(nil).All[v].Name(), func(b *testing.B) {
				f := full(frameOf(c.w, c.x, c.y))
				f.view = f.All[v]
				b.ReportAllocs()
				for b.Loop() {
					f.render()
				}
			})
		}
	}
}
