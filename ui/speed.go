package ui

import (
	"errors"
	"strconv"
	"strings"

	"capsize/cluster/vtime"
)

// speeds are what the keys choose from, in virtual seconds per second.
var speeds = []float64{0.01, 1.0 / 30, 0.1, 1.0 / 3, 1, 3, 10, 30, 100, vtime.Max}

// ParseSpeed reads a speed as the command line has it: a factor, a fraction, or max.
func ParseSpeed(s string) (float64, error) {
	if s == "max" {
		return vtime.Max, nil
	}
	numerator, denominator, isFraction := strings.Cut(s, "/")
	speed, err := strconv.ParseFloat(numerator, 64)
	if err == nil && isFraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(denominator, 64)
		speed /= divisor
	}
	if err != nil || !(speed >= 0 && speed <= 10_000) || (speed > 0 && speed < 1e-4) {
		return 0, errors.New("it must be 0, a factor from 0.0001 to 10000, a fraction like 1/10, or max")
	}
	return speed, nil
}

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
