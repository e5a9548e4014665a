package view

import "time"

// tick returns the first of steps that is at least as long as least, or the last one:
// the interval at which an axis shows a time. Least is the time that the text of a
// tick covers.
func tick(steps []time.Duration, least time.Duration) time.Duration {
	for _, step := range steps {
		if step >= least {
			return step
		}
	}
	return steps[len(steps)-1]
}
