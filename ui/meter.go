package ui

import "time"

// meter measures how fast virtual time really passes.
type meter struct {
	at      time.Time // when the last reading began
	virtual time.Duration
	speed   float64 // virtual seconds per second, 0 while it is not known
}

// meterEvery is for how long a reading lasts.
const meterEvery = time.Second

// read looks at both clocks, once a frame.
func (mt *meter) read(now time.Time, virtual time.Duration, paused bool) {
	passed := now.Sub(mt.at)
	switch {
	case paused, mt.at.IsZero():
		*mt = meter{at: now, virtual: virtual}
	case passed >= meterEvery:
		*mt = meter{at: now, virtual: virtual, speed: (virtual - mt.virtual).Seconds() / passed.Seconds()}
	}
}

// shortOf returns the speed that is reached, 0 if that is about the one asked for.
func (mt *meter) shortOf(asked float64) float64 {
	if mt.speed >= 1 && mt.speed < asked*0.9 {
		return mt.speed
	}
	return 0
}
