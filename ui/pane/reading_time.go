package pane

import (
	"time"

	"capsize/ui/canvas"
)

const (
	// readingStart is what people need before they read, and readingPerCell what each
	// cell of a text takes them: some 18 letters a second, or 9 Chinese characters.
	readingStart   = time.Second
	readingPerCell = 55 * time.Millisecond
	// StepMin is how long a step waits at least when it goes on by itself, so that
	// what has happened last is seen.
	StepMin = time.Second
)

// ReadingTime returns how long, in real time, people need to read a text.
func ReadingTime(text string) time.Duration {
	if text == "" {
		return 0
	}
	return readingStart + time.Duration(canvas.Width(canvas.Sanitize(text)))*readingPerCell
}
