package record

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// witness is a film that notes what each picture looks like.
type witness struct {
	recorder
	screens []string
	at      []time.Duration
}

func (w *witness) picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error {
	screen := uitest.Rendered(c, t)
	// A cast says nothing where nothing has changed.
	if n := len(w.screens); n == 0 || w.screens[n-1] != screen {
		w.screens, w.at = append(w.screens, screen), append(w.at, at.Round(time.Millisecond))
	}
	return w.recorder.picture(at, c, t)
}

// rehearsed returns the trace of a scenario, and when it ended.
func rehearsed(tb testing.TB, text string) (past *history.History, last trace.Position) {
	tb.Helper()
	script, err := scenario.Parse("test", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	past, result, err := scenario.RunRecorded(tb.Context(), script)
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
		tb.Fatalf("there is no scenario %s", name)
	}
	return string(data)
}

func recordingOf(w, h int) Options {
	return Options{Look: pane.Look{Theme: "dark"}, Speed: 1, Size: Size{w, h}, FPS: 30, At: -1, Title: "a test"}
}

func TestCastShowsEveryPictureDrawn(t *testing.T) {
	past, last := rehearsed(t, builtin(t, "leader-crash"))
	for _, size := range []Size{{120, 36}, {80, 24}} {
		r := recordingOf(size.Width, size.Height)
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
				t.Fatalf("%v: picture %d is\n%s\nit should be\n%s", size, i, screens[i], w.screens[i])
			}
			if at[i] != w.at[i] {
				t.Fatalf("picture %d comes at %s, it should at %s", i, at[i], w.at[i])
			}
		}
	}
}

// Pictures that have nothing to do with one another, of any size and theme, wide
// characters and hostile text among them.
func TestCastShowsAnyPictureAfterAnyOther(t *testing.T) {
	all := uitest.Samples()
	names := []string{"partition", "hostile", "five", "faulty", "empty", "twenty-five", "hostile", "five", "ninety-nine", "one"}
	var out bytes.Buffer
	c := &asciicast{out: &out}
	var want []string
	for i, name := range names {
		for j, size := range []Size{{120, 36}, {80, 24}, {80, 24}, {20, 5}} {
			f := pictureOf(all[name], size.Width, size.Height)
			names := style.ThemeNames()
			f.Theme = style.ThemeOn(names[(i+j/3)%len(names)], style.TerminalColours{})
			if name == "five" {
				f.Presenting, f.ScenarioTitle = true, "领导者死了，谁来接替？"
			}
			canvas := f.paint()
			want = append(want, uitest.Rendered(canvas, f.Theme))
			before := out.Len()
			if err := c.picture(time.Duration(i*4+j)*time.Second, canvas, f.Theme); err != nil {
				t.Fatal(err)
			}
			if out.Len() == before { // the same picture twice
				want = want[:len(want)-1]
			}
		}
	}
	screens, _ := uitest.PlayCast(t, out.Bytes())
	if len(screens) != len(want) {
		t.Fatalf("%d pictures were drawn, %d are in the cast", len(want), len(screens))
	}
	for i := range want {
		if screens[i] != want[i] {
			t.Errorf("picture %d is\n%s\nit should be\n%s", i, screens[i], want[i])
		}
	}
}

func TestSameTraceGivesSameBytes(t *testing.T) {
	past, last := rehearsed(t, builtin(t, "minority-partition"))
	for _, ending := range []string{CastExt, SVGExt} {
		var first []byte
		for range 2 {
			var out bytes.Buffer
			var to recorder = &asciicast{out: &out}
			if ending == SVGExt {
				to = &svgAnimation{out: &out, at: -1}
			}
			r := recordingOf(120, 36)
			r.FPS = 10
			if err := r.play(t.Context(), past, last, to); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = out.Bytes()
			} else if !bytes.Equal(first, out.Bytes()) {
				t.Errorf("%s: recorded twice, it is not the same", ending)
			}
		}
		if len(first) < 10_000 {
			t.Errorf("%s: only %d bytes", ending, len(first))
		}
	}
}

func TestCastHasMarkersForSignificantEvents(t *testing.T) {
	var out bytes.Buffer
	r := recordingOf(80, 24)
	r.Lang = "zh"
	past, last := rehearsed(t, "chapter The beginning\nchapter.zh 开始\nwait 1s\nlet old = leader\nkill $old\nwait leader within 20s\nisolate leader\nheal\nsay a caption is no marker\nstep")
	if err := r.play(t.Context(), past, last, &asciicast{out: &out}); err != nil {
		t.Fatal(err)
	}
	_, all := uitest.ParseCast(t, out.Bytes())
	var labels []string
	for _, e := range all {
		if e.Code == castMarker {
			labels = append(labels, e.Data)
		}
	}
	for i, want := range []string{"开始", "is killed", "becomes leader", "cut off from"} {
		if i >= len(labels) || !strings.Contains(labels[i], want) {
			t.Errorf("marker %d of %q does not say %q", i, labels, want)
		}
	}
	if len(labels) != 4 {
		t.Errorf("there are markers at %q", labels)
	}
	if end := all[len(all)-1]; end.Code != CastExit || end.Data != "0" {
		t.Errorf("it ends with %+v", end)
	}
}

// What a player shows must not depend on what the text of others holds.
func TestCastIsSanitized(t *testing.T) {
	f := pictureOf(uitest.Hostile(), 120, 36)
	f.Presenting, f.ScenarioTitle = true, "\x1b]52;c;aGk=\x07\u202e"
	canvas := f.paint()
	var out bytes.Buffer
	c := &asciicast{out: &out, title: f.ScenarioTitle}
	if err := c.picture(0, canvas, f.Theme); err != nil {
		t.Fatal(err)
	}
	if err := c.mark(0, f.ScenarioTitle+"label"); err != nil {
		t.Fatal(err)
	}
	header, all := uitest.ParseCast(t, out.Bytes())
	uitest.CheckPrintable(t, "the title", header.Title)
	for _, e := range all {
		text := e.Data
		if e.Code == CastOutput {
			text = uitest.AllowedSequences.ReplaceAllString(text, "")
		}
		uitest.CheckPrintable(t, "an event "+e.Code, text)
	}
}

func BenchmarkRecord(b *testing.B) {
	past, last := rehearsed(b, builtin(b, "leader-crash"))
	for _, ending := range []string{CastExt, SVGExt} {
		b.Run(ending, func(b *testing.B) {
			long, size := time.Duration(0), 0
			for b.Loop() {
				var out bytes.Buffer
				var to recorder = &asciicast{out: &out}
				r := recordingOf(120, 36)
				if ending == SVGExt {
					to, r.FPS = &svgAnimation{out: &out, at: -1}, SVGFPS
				}
				w := &length{recorder: to}
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

// length is a film that knows how long it is.
type length struct {
	recorder
	at time.Duration
}

func (l *length) end(at time.Duration) error { l.at = at; return l.recorder.end(at) }

// duration returns how long the recording of a scenario is.
func duration(t *testing.T, r Options, text string) time.Duration {
	t.Helper()
	past, last := rehearsed(t, text)
	l := &length{recorder: &asciicast{out: io.Discard}}
	if err := r.play(t.Context(), past, last, l); err != nil {
		t.Fatal(err)
	}
	return l.at
}

func TestRecordingLeavesTimeToRead(t *testing.T) {
	r := recordingOf(60, 18)
	r.FPS = 5
	caption := strings.Repeat("much to read ", 8)
	plainly := duration(t, r, "nodes 1\nwait 10s")
	for what, c := range map[string]struct {
		text        string
		idle        time.Duration
		least, most time.Duration
	}{
		"as fast as time":        {"nodes 1\nwait 10s", 0, 12 * time.Second, 13 * time.Second},
		"ten times as fast":      {"nodes 1\nspeed 10\nwait 10s", 0, 3 * time.Second, 4 * time.Second},
		"at a tenth":             {"nodes 1\nspeed 0.1\nwait 1s", 0, 12 * time.Second, 13 * time.Second},
		"a step to read":         {"nodes 1\nsay " + caption + "\nstep\nwait 10s", 0, plainly + pane.ReadingTime(caption) - time.Second, plainly + pane.ReadingTime(caption) + time.Second},
		"a caption read already": {"nodes 1\nsay short\nwait 10s\nstep\nwait 10s", 0, 23 * time.Second, 24 * time.Second},
		"nothing new skipped":    {"nodes 1\nincrement\nwait 1h\nincrement", 2 * time.Second, 4 * time.Second, 6 * time.Second},
	} {
		r.IdleLimit = c.idle
		if got := duration(t, r, c.text); got < c.least || got > c.most {
			t.Errorf("%s: it takes %s, it should take %s to %s", what, got, c.least, c.most)
		}
	}
}

func TestTooLongRecordingIsCutShort(t *testing.T) {
	past, last := rehearsed(t, "nodes 1\nspeed 0.001\nwait 1h")
	r := recordingOf(60, 18)
	r.FPS = 1
	var out bytes.Buffer
	err := r.play(t.Context(), past, last, &asciicast{out: &out})
	if err == nil || !strings.Contains(err.Error(), "longer than 2h") {
		t.Errorf("it ends with %v", err)
	}
	if _, all := uitest.ParseCast(t, out.Bytes()); all[len(all)-1].Code != CastExit {
		t.Error("it is not whole")
	}
}
