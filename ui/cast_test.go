package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// castEvent is one event of an asciicast, as its specification has it.
type castEvent struct {
	interval float64
	at       time.Duration // since the start
	code     string
	data     string
}

// parseCast reads an asciicast, and fails the test if it is none.
func parseCast(tb testing.TB, data []byte) (castHeader, []castEvent) {
	tb.Helper()
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	var header castHeader
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		tb.Fatal(err)
	}
	if header.Version != 3 || header.Term.Cols < 1 || header.Term.Rows < 1 {
		tb.Fatalf("the header is %+v", header)
	}
	var events []castEvent
	at := time.Duration(0)
	for i, line := range lines[1:] {
		var fields []json.RawMessage
		var e castEvent
		err := json.Unmarshal([]byte(line), &fields)
		if err != nil || len(fields) != 3 {
			tb.Fatalf("line %d is no event: %s", i+2, line)
		}
		for j, into := range []any{&e.interval, &e.code, &e.data} {
			if err := json.Unmarshal(fields[j], into); err != nil {
				tb.Fatalf("line %d: %v", i+2, err)
			}
		}
		if e.interval < 0 || !slices.Contains([]string{"o", "i", "m", "r", "x"}, e.code) {
			tb.Fatalf("line %d: %s", i+2, line)
		}
		at += time.Duration(e.interval*1000+0.5) * time.Millisecond
		e.at = at
		events = append(events, e)
	}
	return header, events
}

// emulator is a terminal that is shown pictures or a cast.
func emulator(w, h int) *vt.Emulator { return vt.NewEmulator(w, h) }

// drawn returns what a terminal shows that is given a whole picture.
func drawn(c *canvas.Canvas, t *style.Theme) string {
	e := emulator(c.W, c.H)
	_, _ = e.WriteString(strings.ReplaceAll(c.Render(t), "\n", "\r\n"))
	return seenOn(e)
}

// seenOn returns what people see on a terminal: of a blank only what is behind it.
func seenOn(e *vt.Emulator) string {
	const boldly = 1 // the attribute that shows nothing on a blank
	var b strings.Builder
	for y := range e.Height() {
		for x := range e.Width() {
			c := e.CellAt(x, y)
			switch {
			case c == nil || strings.TrimSpace(c.Content) == "" && c.Width == 1 && c.Style.Bg == nil && c.Style.Underline == 0 && c.Style.Attrs&^boldly == 0:
				b.WriteByte(' ')
			default:
				fmt.Fprintf(&b, "%s{%v %v %v %v}", c.Content, c.Style.Fg, c.Style.Bg, c.Style.Underline, c.Style.Attrs)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// replay plays a cast, and returns what the terminal shows after each output.
func replay(tb testing.TB, data []byte) (screens []string, at []time.Duration) {
	tb.Helper()
	header, events := parseCast(tb, data)
	e := emulator(header.Term.Cols, header.Term.Rows)
	for _, event := range events {
		switch event.code {
		case castResize:
			var w, h int
			if _, err := fmt.Sscanf(event.data, "%dx%d", &w, &h); err != nil {
				tb.Fatal(err)
			}
			e.Resize(w, h)
		case castOutput:
			_, _ = e.WriteString(event.data)
			screens, at = append(screens, seenOn(e)), append(at, event.at)
		}
	}
	return screens, at
}

// witness is a film that notes what each picture looks like.
type witness struct {
	film
	screens []string
	at      []time.Duration
}

func (w *witness) picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error {
	screen := drawn(c, t)
	// A cast says nothing where nothing has changed.
	if n := len(w.screens); n == 0 || w.screens[n-1] != screen {
		w.screens, w.at = append(w.screens, screen), append(w.at, at.Round(time.Millisecond))
	}
	return w.film.picture(at, c, t)
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
	return past, ended(result)
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

func recordingOf(w, h int) Recording {
	return Recording{Options: Options{Speed: 1, Theme: "dark"}, Size: Size{w, h}, FPS: 30, At: -1, Title: "a test"}
}

func TestACastShowsThePicturesThatWereDrawn(t *testing.T) {
	past, last := rehearsed(t, builtin(t, "leader-crash"))
	for _, size := range []Size{{120, 36}, {80, 24}} {
		r := recordingOf(size.Width, size.Height)
		r.Lang, r.FPS = "zh", 8
		var out bytes.Buffer
		w := &witness{film: &cast{out: &out}}
		if err := r.project(t.Context(), past, last, w); err != nil {
			t.Fatal(err)
		}
		screens, at := replay(t, out.Bytes())
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
func TestACastShowsAnyPictureAfterAnyOther(t *testing.T) {
	all := worlds()
	names := []string{"partition", "hostile", "five", "faulty", "empty", "twenty-five", "hostile", "five", "ninety-nine", "one"}
	var out bytes.Buffer
	c := &cast{out: &out}
	var want []string
	for i, name := range names {
		for j, size := range []Size{{120, 36}, {80, 24}, {80, 24}, {20, 5}} {
			f := full(all[name].frame(size.Width, size.Height))
			names := style.ThemeNames()
			f.theme = style.ThemeOn(names[(i+j/3)%len(names)], style.TerminalColours{})
			if name == "five" {
				f.presents, f.heading = true, "领导者死了，谁来接替？"
			}
			canvas, _ := f.paint()
			want = append(want, drawn(canvas, f.theme))
			before := out.Len()
			if err := c.picture(time.Duration(i*4+j)*time.Second, canvas, f.theme); err != nil {
				t.Fatal(err)
			}
			if out.Len() == before { // the same picture twice
				want = want[:len(want)-1]
			}
		}
	}
	screens, _ := replay(t, out.Bytes())
	if len(screens) != len(want) {
		t.Fatalf("%d pictures were drawn, %d are in the cast", len(want), len(screens))
	}
	for i := range want {
		if screens[i] != want[i] {
			t.Errorf("picture %d is\n%s\nit should be\n%s", i, screens[i], want[i])
		}
	}
}

func TestTheSameTraceGivesTheSameBytes(t *testing.T) {
	past, last := rehearsed(t, builtin(t, "minority-partition"))
	for _, ending := range []string{castEnding, svgEnding} {
		var first []byte
		for range 2 {
			var out bytes.Buffer
			var to film = &cast{out: &out}
			if ending == svgEnding {
				to = &svg{out: &out, at: -1}
			}
			r := recordingOf(120, 36)
			r.FPS = 10
			if err := r.project(t.Context(), past, last, to); err != nil {
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

func TestACastHasMarkersWhereThingsHappen(t *testing.T) {
	var out bytes.Buffer
	r := recordingOf(80, 24)
	r.Lang = "zh"
	past, last := rehearsed(t, "chapter The beginning\nchapter.zh 开始\nwait 1s\nlet old = leader\nkill $old\nwait leader within 20s\nisolate leader\nheal\nsay a caption is no marker\nstep")
	if err := r.project(t.Context(), past, last, &cast{out: &out}); err != nil {
		t.Fatal(err)
	}
	_, all := parseCast(t, out.Bytes())
	var labels []string
	for _, e := range all {
		if e.code == castMarker {
			labels = append(labels, e.data)
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
	if end := all[len(all)-1]; end.code != castExit || end.data != "0" {
		t.Errorf("it ends with %+v", end)
	}
}

// What a player shows must not depend on what the text of others holds.
func TestNothingForeignGetsIntoACast(t *testing.T) {
	f := full(hostile().frame(120, 36))
	f.presents, f.heading = true, "\x1b]52;c;aGk=\x07\u202e"
	canvas, _ := f.paint()
	var out bytes.Buffer
	c := &cast{out: &out, title: f.heading}
	if err := c.picture(0, canvas, f.theme); err != nil {
		t.Fatal(err)
	}
	if err := c.mark(0, f.heading+"label"); err != nil {
		t.Fatal(err)
	}
	header, all := parseCast(t, out.Bytes())
	checkHarmless(t, "the title", header.Title)
	for _, e := range all {
		text := e.data
		if e.code == castOutput {
			text = ownSequences.ReplaceAllString(text, "")
		}
		checkHarmless(t, "an event "+e.code, text)
	}
}

func BenchmarkRecord(b *testing.B) {
	past, last := rehearsed(b, builtin(b, "leader-crash"))
	for _, ending := range []string{castEnding, svgEnding} {
		b.Run(ending, func(b *testing.B) {
			long, size := time.Duration(0), 0
			for b.Loop() {
				var out bytes.Buffer
				var to film = &cast{out: &out}
				r := recordingOf(120, 36)
				if ending == svgEnding {
					to, r.FPS = &svg{out: &out, at: -1}, svgFPS
				}
				w := &length{film: to}
				if err := r.project(b.Context(), past, last, w); err != nil {
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
	film
	at time.Duration
}

func (l *length) end(at time.Duration) error { l.at = at; return l.film.end(at) }

// duration returns how long the recording of a scenario is.
func duration(t *testing.T, r Recording, text string) time.Duration {
	t.Helper()
	past, last := rehearsed(t, text)
	l := &length{film: &cast{out: io.Discard}}
	if err := r.project(t.Context(), past, last, l); err != nil {
		t.Fatal(err)
	}
	return l.at
}

func TestARecordingTakesAsLongAsItsAudienceNeeds(t *testing.T) {
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
		"a step to read":         {"nodes 1\nsay " + caption + "\nstep\nwait 10s", 0, plainly + readingTime(caption) - time.Second, plainly + readingTime(caption) + time.Second},
		"a caption read already": {"nodes 1\nsay short\nwait 10s\nstep\nwait 10s", 0, 23 * time.Second, 24 * time.Second},
		"nothing new skipped":    {"nodes 1\nincrement\nwait 1h\nincrement", 2 * time.Second, 4 * time.Second, 6 * time.Second},
	} {
		r.IdleLimit = c.idle
		if got := duration(t, r, c.text); got < c.least || got > c.most {
			t.Errorf("%s: it takes %s, it should take %s to %s", what, got, c.least, c.most)
		}
	}
}

func TestARecordingWithoutAnEndInSightIsGivenUp(t *testing.T) {
	past, last := rehearsed(t, "nodes 1\nspeed 0.001\nwait 1h")
	r := recordingOf(60, 18)
	r.FPS = 1
	var out bytes.Buffer
	err := r.project(t.Context(), past, last, &cast{out: &out})
	if err == nil || !strings.Contains(err.Error(), "longer than 2h") {
		t.Errorf("it ends with %v", err)
	}
	if _, all := parseCast(t, out.Bytes()); all[len(all)-1].code != castExit {
		t.Error("it is not whole")
	}
}
