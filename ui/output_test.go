package ui

import (
	"testing"
	"time"
)

// TestBusyPicturesKeepToTheRate draws as fast as the budget lets it, with pictures as
// large as they are under load.
func TestBusyPicturesKeepToTheRate(t *testing.T) {
	const picture, seconds = 2000, 20
	var b budget
	now, written, drawn := time.Unix(0, 0), 0, 0
	for range seconds * int(time.Second/frameEvery) {
		now = now.Add(frameEvery)
		if !b.overdrawn(now) {
			b.spend(picture, now)
			written, drawn = written+picture, drawn+1
		}
	}
	if most := budgetRate*seconds + budgetBurst + picture; written > most {
		t.Errorf("%d bytes were written in %d s, want at most %d", written, seconds, most)
	}
	if least := budgetRate * seconds / picture; drawn < least {
		t.Errorf("%d pictures were drawn in %d s, want at least %d", drawn, seconds, least)
	}
}

// TestQuietPicturesAllAreDrawn: whoever writes less than the rate never waits.
func TestQuietPicturesAllAreDrawn(t *testing.T) {
	var b budget
	now := time.Unix(0, 0)
	for range 1000 {
		now = now.Add(frameEvery)
		if b.overdrawn(now) {
			t.Fatal("a picture has to wait, though little is written")
		}
		b.spend(int(budgetRate*frameEvery/time.Second)-10, now)
	}
}
