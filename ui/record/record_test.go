package record

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// witness is a recorder that remembers what each picture looks like.
type witness struct {
	recorder
	screens []string
	at      []time.Duration
}

func (w *witness) picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error {
	screen := uitest.Rendered(c, t)
	// A cast skips a picture that equals the last one.
	if n := len(w.screens); n == 0 || w.screens[n-1] != screen {
		w.screens, w.at = append(w.screens, screen), append(w.at, at.Round(time.Millisecond))
	}
	return w.recorder.picture(at, c, t)
}

// historyOf runs a scenario, and returns its history and where that ends.
func historyOf(tb testing.TB, text string) (past *history.History, last trace.Position) {
	tb.Helper()
	script, err := scenario.Parse("test", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	past, result, err := headless.RunRecorded(tb.Context(), engine.OpenNative, script)
	if err != nil || !result.OK {
		tb.Fatal(result.Failures, err)
	}
	return past, endOf(result)
}

// builtin returns the text of a built-in scenario.
func builtin(tb testing.TB, name string) string {
	tb.Helper()
	data, ok := scenario.Builtin(name)
	if !ok {
		tb.Fatalf("no built-in scenario %s", name)
	}
	return string(data)
}

// optionsFor returns the options of a recording of a size, in cells.
func optionsFor(w, h int) Options {
	return Options{Look: pane.Look{Theme: "dark"}, Speed: 1, Size: Size{w, h}, FPS: 30, At: -1, Title: "a test"}
}

func TestCastShowsEveryPictureDrawn(t *testing.T) {
	past, last := historyOf(t, builtin(t, "leader-crash"))
	for _, size := range []Size{{120, 36}, {80, 24}} {
		r := optionsFor(size.Width, size.Height)
		r.Lang, r.FPS = "zh", 8
		var out bytes.Buffer
		w := &witness{recorder: &asciicast{out: &out}}
		if err := r.play(t.Context(), past, last, w); err != nil {
			t.Fatal(err)
		}
		screens, at := uitest.PlayCast(t, out.Bytes())
		if len(screens) != len(w.screens) || len(screens) < 10 {
			t.Fatalf("%d pictures were drawn, %d are in the cast", len(w.screens), len(screens))
		}
		for i := range screens {
			if screens[i] != w.screens[i] {
				t.Fatalf("%v: picture %d is\n%s\nwant\n%s", size, i, screens[i], w.screens[i])
			}
			if at[i] != w.at[i] {
				t.Fatalf("picture %d comes at %s, want %s", i, at[i], w.at[i])
			}
		}
	}
}

func TestSameTraceGivesSameBytes(t *testing.T) {
	past, last := historyOf(t, builtin(t, "minority-partition"))
	for _, f := range formats {
		var first []byte
		for range 2 {
			var out bytes.Buffer
			r := optionsFor(120, 36)
			r.FPS = 10
			if err := r.play(t.Context(), past, last, f.recorder(&out, r)); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = out.Bytes()
			} else if !bytes.Equal(first, out.Bytes()) {
				t.Errorf("%s: two recordings of one trace differ", f.ext)
			}
		}
		if len(first) < 10_000 {
			t.Errorf("%s: only %d bytes", f.ext, len(first))
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	past, last := historyOf(b, builtin(b, "leader-crash"))
	for _, f := range formats {
		b.Run(f.ext, func(b *testing.B) {
			long, size := time.Duration(0), 0
			for b.Loop() {
				var out bytes.Buffer
				r := optionsFor(120, 36)
				r.FPS = f.fps
				w := &length{recorder: f.recorder(&out, r)}
				if err := r.play(b.Context(), past, last, w); err != nil {
					b.Fatal(err)
				}
				long, size = w.at, out.Len()
			}
			b.ReportMetric(long.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "times-real-time")
			b.ReportMetric(float64(size)/long.Seconds(), "bytes/s")
		})
	}
}

// length is a recorder that remembers how long the recording is.
type length struct {
	recorder
	at time.Duration
}

func (l *length) end(at time.Duration) error { l.at = at; return l.recorder.end(at) }

// duration returns the length of the recording of a scenario.
func duration(t *testing.T, r Options, text string) time.Duration {
	t.Helper()
	past, last := historyOf(t, text)
	l := &length{recorder: &asciicast{out: io.Discard}}
	if err := r.play(t.Context(), past, last, l); err != nil {
		t.Fatal(err)
	}
	return l.at
}

func TestRecordingLeavesTimeToRead(t *testing.T) {
	r := optionsFor(60, 18)
	r.FPS = 5
	caption := strings.Repeat("much to read ", 8)
	plainly := duration(t, r, "nodes 1\nwait 10s")
	for what, c := range map[string]struct {
		text        string
		idle        time.Duration
		least, most time.Duration
	}{
		"at 1x":                           {"nodes 1\nwait 10s", 0, 12 * time.Second, 13 * time.Second},
		"at 10x":                          {"nodes 1\nspeed 10\nwait 10s", 0, 3 * time.Second, 4 * time.Second},
		"at 1/10x":                        {"nodes 1\nspeed 0.1\nwait 1s", 0, 12 * time.Second, 13 * time.Second},
		"step with a long caption":        {"nodes 1\nsay " + caption + "\nstep\nwait 10s", 0, plainly + pane.ReadingTime(caption) - time.Second, plainly + pane.ReadingTime(caption) + time.Second},
		"step after its caption was read": {"nodes 1\nsay short\nwait 10s\nstep\nwait 10s", 0, 23 * time.Second, 24 * time.Second},
		"question and its answer": {
			"nodes 1\nask " + caption + "\nchoice a when checks ok\nchoice b when value 9\nbecause " + caption + "\nsay x\nwait 10s", 0,
			plainly + 2*pane.ReadingTime(caption) - time.Second, plainly + 2*pane.ReadingTime(caption) + 2*time.Second,
		},
		"idle time is skipped": {"nodes 1\nincrement\nwait 1h\nincrement", 2 * time.Second, 4 * time.Second, 6 * time.Second},
	} {
		r.IdleLimit = c.idle
		if got := duration(t, r, c.text); got < c.least || got > c.most {
			t.Errorf("%s: it lasts %s, want %s to %s", what, got, c.least, c.most)
		}
	}
}

func TestTooLongRecordingIsCutShort(t *testing.T) {
	past, last := historyOf(t, "nodes 1\nspeed 0.001\nwait 1h")
	r := optionsFor(60, 18)
	r.FPS = 1
	var out bytes.Buffer
	err := r.play(t.Context(), past, last, &asciicast{out: &out})
	if err == nil || !strings.Contains(err.Error(), "cut off at 2h") {
		t.Errorf("error: %v, want one that says where it was cut off", err)
	}
	if _, all := uitest.ParseCast(t, out.Bytes()); all[len(all)-1].Code != CastExit {
		t.Error("the cast has no exit event")
	}
}

// texts is a recorder that keeps the text of each picture.
type texts struct {
	recorder
	all []string
}

func (r *texts) picture(_ time.Duration, c *canvas.Canvas, t *style.Theme) error {
	r.all = append(r.all, ansi.Strip(c.Render(t)))
	return nil
}

// A recording shows the question as long as people need to read it, and then its answer.
func TestRecordingShowsQuestionAndAnswer(t *testing.T) {
	past, last := historyOf(t, "nodes 1\nask Who leads?\nchoice n1 when leader n1\nchoice nobody when leader none\nwait 2s\nbecause it is alone\nsay next\nwait 1s")
	const fps = 10
	r, w := optionsFor(80, 24), &texts{recorder: &asciicast{out: io.Discard}}
	r.FPS = fps
	if err := r.play(t.Context(), past, last, w); err != nil {
		t.Fatal(err)
	}
	var shown [3]time.Duration // the question large, on the band, and judged
	for _, screen := range w.all {
		phase := 1
		switch {
		case !strings.Contains(screen, "nobody"):
			continue
		case strings.Contains(screen, "it is alone"):
			phase = 2
		case strings.Contains(screen, "▌ Who leads?"):
			phase = 0
		}
		shown[phase] += time.Second / fps
	}
	for phase, least := range []time.Duration{pane.ReadingTime("Who leads? n1 nobody"), 2 * time.Second, pane.ReadingTime("it is alone")} {
		if got := shown[phase]; got < least-time.Second/fps || got > least+time.Second {
			t.Errorf("phase %d is shown for %s, want %s", phase, got, least)
		}
	}
}
