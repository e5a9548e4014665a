package ui

import (
	"time"

	"capsize/cluster/vtime"
	"capsize/ui/canvas"
)

const (
	// readingStart is what people need before they read, and readingCell what each
	// cell of a text takes them: some 18 letters a second, or 9 Chinese characters.
	readingStart = time.Second
	readingCell  = 55 * time.Millisecond
	// stepLeast is how long a step waits at least when it goes on by itself, so that
	// what has happened last is seen.
	stepLeast = time.Second
)

// readingTime returns how long, in real time, people need to read a text.
func readingTime(text string) time.Duration {
	if text == "" {
		return 0
	}
	return readingStart + time.Duration(canvas.Width(canvas.Sanitize(text)))*readingCell
}

// pictured returns the speed at which pictures show what is to run at a speed:
// there is no machine for them to be as fast as.
func pictured(speed float64) float64 {
	switch {
	case speed >= vtime.Max || speed > pictureMax:
		return pictureMax
	case speed <= 0: // by itself
		return 1
	}
	return speed
}
