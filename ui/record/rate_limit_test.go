package record

import (
	"bytes"
	"testing"
	"time"

	"capsize/ui/pane"
	"capsize/ui/terminal"
	"capsize/ui/uitest"
)

// TestBusyPicturesStayBelowTheRate draws as fast as the budget lets it, with pictures as
// large as they are under load.
func TestBusyPicturesStayBelowTheRate(t *testing.T) {
	const picture, seconds = 2000, 60
	for _, r := range []terminal.Rate{terminal.ScreenRate, terminal.CastRate} {
		var b terminal.RateLimit
		written, drawn := 0, 0
		for now := time.Duration(0); now < seconds*time.Second; now += pane.FrameEvery {
			if !b.Exceeded(now, r) {
				b.Add(picture)
				written, drawn = written+picture, drawn+1
			}
		}
		if most := int(r.PerSecond*seconds + r.Burst + picture); written > most {
			t.Errorf("%d bytes were written in %d s, want at most %d", written, seconds, most)
		}
		if least := int(r.PerSecond * seconds / picture); drawn < least {
			t.Errorf("%d pictures were drawn in %d s, want at least %d", drawn, seconds, least)
		}
	}
}

// TestQuietPicturesNeverWait: whoever writes less than the rate never waits.
func TestQuietPicturesNeverWait(t *testing.T) {
	var b terminal.RateLimit
	for frame := range 1000 {
		if b.Exceeded(time.Duration(frame)*pane.FrameEvery, terminal.ScreenRate) {
			t.Fatal("a picture has to wait, though little is written")
		}
		b.Add(int(terminal.ScreenRate.PerSecond*pane.FrameEvery.Seconds()) - 10)
	}
}

// TestBusyCastIsSmallAndEndsWithTheLastPicture: pictures that have nothing in common,
// thirty a second for a minute.
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
		t.Errorf("of %d pictures the last is not the last that was drawn", len(screens))
	}
}
