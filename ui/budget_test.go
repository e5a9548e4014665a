package ui

import (
	"bytes"
	"testing"
	"time"
)

// TestBusyPicturesKeepToTheRate draws as fast as the budget lets it, with pictures as
// large as they are under load.
func TestBusyPicturesKeepToTheRate(t *testing.T) {
	const picture, seconds = 2000, 60
	for _, r := range []rate{screenRate, castRate} {
		var b budget
		written, drawn := 0, 0
		for now := time.Duration(0); now < seconds*time.Second; now += frameEvery {
			if !b.overdrawn(now, r) {
				b.spend(picture)
				written, drawn = written+picture, drawn+1
			}
		}
		if most := int(r.second*seconds + r.burst + picture); written > most {
			t.Errorf("%d bytes were written in %d s, want at most %d", written, seconds, most)
		}
		if least := int(r.second * seconds / picture); drawn < least {
			t.Errorf("%d pictures were drawn in %d s, want at least %d", drawn, seconds, least)
		}
	}
}

// TestQuietPicturesAllAreDrawn: whoever writes less than the rate never waits.
func TestQuietPicturesAllAreDrawn(t *testing.T) {
	var b budget
	for frame := range 1000 {
		if b.overdrawn(time.Duration(frame)*frameEvery, screenRate) {
			t.Fatal("a picture has to wait, though little is written")
		}
		b.spend(int(screenRate.second*frameEvery.Seconds()) - 10)
	}
}

// TestABusyCastIsSmallAndEndsWithTheLastPicture: pictures that have nothing in common,
// thirty a second for a minute.
func TestABusyCastIsSmallAndEndsWithTheLastPicture(t *testing.T) {
	all := worlds()
	var out bytes.Buffer
	c := &cast{out: &out}
	var last string
	var at time.Duration
	for i := range 60 * fps {
		f := full(all[[]string{"five", "faulty", "partition"}[i%3]].frame(120, 36))
		canvas, _ := f.paint()
		last, at = drawn(canvas, f.theme), time.Duration(i)*frameEvery
		if err := c.picture(at, canvas, f.theme); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.end(at); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 1_000_000 {
		t.Errorf("a minute takes %d bytes", out.Len())
	}
	if screens, _ := replay(t, out.Bytes()); len(screens) < 60 || screens[len(screens)-1] != last {
		t.Errorf("of %d pictures the last is not the last that was drawn", len(screens))
	}
}
