package export

import (
	"math"
	"slices"
	"sort"
	"time"
)

// scale maps moments to horizontal places, in pixels. The width of a gap between two events
// grows with the logarithm of its length, so a message of 5 ms keeps a visible slope
// next to an election timeout of seconds.
type scale struct {
	times []time.Duration // of the events, sorted, without repeats
	at    []float64       // the place of each
}

// newScale spreads one or more moments between two places.
func newScale(times []time.Duration, left, right float64) scale {
	slices.Sort(times)
	s := scale{times: slices.Compact(times)}
	s.at = make([]float64, len(s.times))
	for i := 1; i < len(s.times); i++ {
		s.at[i] = s.at[i-1] + widthOf(s.times[i]-s.times[i-1])
	}
	factor := (right - left) / max(s.at[len(s.at)-1], 1e-9)
	for i := range s.at {
		s.at[i] = left + s.at[i]*factor
	}
	return s
}

// widthOf returns the width of a gap, in no particular unit: about linear up to 2 ms,
// logarithmic beyond.
func widthOf(gap time.Duration) float64 {
	return math.Log1p(gap.Seconds() / 0.002)
}

// x returns the place of a moment.
func (s scale) x(t time.Duration) float64 {
	i := sort.Search(len(s.times), func(i int) bool { return s.times[i] >= t })
	switch {
	case i == len(s.times):
		return s.at[i-1]
	case i == 0 || s.times[i] == t:
		return s.at[i]
	}
	share := float64(t-s.times[i-1]) / float64(s.times[i]-s.times[i-1])
	return s.at[i-1] + share*(s.at[i]-s.at[i-1])
}

// tickSteps are the intervals at which ticks may stand, roundest first.
var tickSteps = []time.Duration{
	time.Hour, 10 * time.Minute, time.Minute, 10 * time.Second, 5 * time.Second, time.Second,
	500 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond, time.Millisecond,
}

// ticks returns round moments at least apart pixels from each other. It prefers rounder
// ones.
func (s scale) ticks(apart float64) []time.Duration {
	var chosen []time.Duration
	first, last := s.times[0], s.times[len(s.times)-1]
	for _, step := range tickSteps {
		if (last-first)/step > 2000 {
			break
		}
		for t := (first + step - 1) / step * step; t <= last; t += step {
			free := !slices.ContainsFunc(chosen, func(other time.Duration) bool { return math.Abs(s.x(other)-s.x(t)) < apart })
			if free {
				chosen = append(chosen, t)
			}
		}
	}
	slices.Sort(chosen)
	return chosen
}
