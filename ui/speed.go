package ui

import "capsize/cluster/vtime"

// speedControl is how fast the clock is to run.
type speedControl struct {
	speed  int  // index into speeds
	paused bool // the cluster stands still at now
	auto   bool // the speed is left to what happens
	meter  meter
}

// speeds are what the keys choose from, in virtual seconds per second.
var speeds = []float64{0.01, 1.0 / 30, 0.1, 1.0 / 3, 1, 3, 10, 30, 100, vtime.Max}

// nearest returns the speed to choose from that is closest to one asked for.
func nearest(speed float64) float64 {
	best := 1.0
	if speed <= 0 {
		return best
	}
	for _, s := range speeds {
		if max(s/speed, speed/s) < max(best/speed, speed/best) {
			best = s
		}
	}
	return best
}

// setSpeed makes the clock run as chosen.
func (m *model) setSpeed() {
	m.meter = meter{}
	if m.paused || m.travel.past {
		m.run(0)
		return
	}
	m.run(m.pace())
}
