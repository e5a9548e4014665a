package pane

import (
	"time"

	"capsize/ui/canvas"
)

const (
	// readingStart is the time before people start to read.
	readingStart = time.Second
	// readingPerCell is the time per cell of text: about 18 letters a second, or 9 Chinese
	// characters.
	readingPerCell = 55 * time.Millisecond
	// MinStepTime is how long a step waits at least before it continues by itself, to let people
	// see what happened last.
	MinStepTime = time.Second
)

// ReadingTime returns the real time that people need to read a text.
func ReadingTime(text string) time.Duration {
	if text == "" {
		return 0
	}
	return readingStart + time.Duration(canvas.Width(canvas.Sanitize(text)))*readingPerCell
}
