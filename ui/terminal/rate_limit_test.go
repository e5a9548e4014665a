package terminal

import (
	"testing"
	"time"
)

// frameEvery is the time from one picture to the next.
const frameEvery = time.Second / 30

// TestBusyPicturesStayBelowTheRate writes pictures of the size they have under load, as
// often as the limit allows.
func TestBusyPicturesStayBelowTheRate(t *testing.T) {
	const picture, seconds = 2000, 60
	for _, r := range []Rate{RemoteRate, CastRate} {
		var limit RateLimit
		written, drawn := 0, 0
		for now := time.Duration(0); now < seconds*time.Second; now += frameEvery {
			if !limit.Exceeded(now, r) {
				limit.Add(picture)
				written, drawn = written+picture, drawn+1
			}
		}
		if most := int(r.PerSecond*seconds + r.Burst + picture); written > most {
			t.Errorf("%d bytes written in %d s, want at most %d", written, seconds, most)
		}
		if least := int(r.PerSecond * seconds / picture); drawn < least {
			t.Errorf("%d pictures drawn in %d s, want at least %d", drawn, seconds, least)
		}
	}
}

// TestQuietPicturesNeverWait writes a little less than the rate.
func TestQuietPicturesNeverWait(t *testing.T) {
	var limit RateLimit
	for frame := range 1000 {
		if limit.Exceeded(time.Duration(frame)*frameEvery, RemoteRate) {
			t.Fatalf("picture %d has to wait", frame)
		}
		limit.Add(int(RemoteRate.PerSecond*frameEvery.Seconds()) - 10)
	}
}
