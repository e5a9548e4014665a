package record

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// The pictures are unrelated, of any size and theme, with wide characters and hostile
// text.
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
			t.Errorf("picture %d is\n%s\nwant\n%s", i, screens[i], want[i])
		}
	}
}

func TestCastHasMarkersForSignificantEvents(t *testing.T) {
	var out bytes.Buffer
	r := optionsFor(80, 24)
	r.Lang = "zh"
	past, last := historyOf(t, "chapter The beginning\nchapter.zh 开始\nwait 1s\nlet old = leader\nkill $old\nwait leader within 20s\nisolate leader\nheal\nsay a caption is no marker\nstep")
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
	for i, want := range []string{"开始", "is killed", "becomes leader", "is isolated from"} {
		if i >= len(labels) || !strings.Contains(labels[i], want) {
			t.Errorf("marker %d of %q does not contain %q", i, labels, want)
		}
	}
	if len(labels) != 4 {
		t.Errorf("markers: %q, want 4", labels)
	}
	if end := all[len(all)-1]; end.Code != CastExit || end.Data != "0" {
		t.Errorf("last event: %+v, want exit 0", end)
	}
}

// Text from a trace must not steer the terminal of a player.
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

// TestBusyCastIsSmallAndEndsWithTheLastPicture writes unrelated pictures for a minute.
func TestBusyCastIsSmallAndEndsWithTheLastPicture(t *testing.T) {
	all := uitest.Samples()
	var out bytes.Buffer
	c := &asciicast{out: &out}
	var last string
	var at time.Duration
	for i := range 60 * pane.FPS {
		f := pictureOf(all[[]string{"five", "faulty", "partition"}[i%3]], 120, 36)
		canvas := f.paint()
		last, at = uitest.Rendered(canvas, f.Theme), time.Duration(i)*pane.FrameEvery
		if err := c.picture(at, canvas, f.Theme); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.end(at); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 1_000_000 {
		t.Errorf("a minute takes %d bytes", out.Len())
	}
	if screens, _ := uitest.PlayCast(t, out.Bytes()); len(screens) < 60 || screens[len(screens)-1] != last {
		t.Errorf("the last of %d pictures is not the last one drawn", len(screens))
	}
}
