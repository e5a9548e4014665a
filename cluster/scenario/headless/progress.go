package headless

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Progress is shown for the first time after progressAfter, in real time, and then
// every progressEvery.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// ShowProgress keeps one line of a terminal up to date, or several, until stop is called, which
// erases them. The terminal cuts lines that are too long for it. With a nil terminal it does
// nothing.
func ShowProgress(terminal io.Writer, text func() string) (stop func()) {
	if terminal == nil {
		return func() {}
	}
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		const wrapOff, wrapOn = "\x1b[?7l", "\x1b[?7h"
		erase := ""
		for wait := progressAfter; ; wait = progressEvery {
			select {
			case <-time.After(wait):
				now := strings.TrimSuffix(text(), "\n")
				_, _ = io.WriteString(terminal, erase+wrapOff+now+wrapOn)
				erase = "\r\x1b[J"
				if up := strings.Count(now, "\n"); up > 0 {
					erase = fmt.Sprintf("\x1b[%dA%s", up, erase)
				}
			case <-stopping:
				_, _ = io.WriteString(terminal, erase)
				return
			}
		}
	}()
	return func() {
		close(stopping)
		<-stopped
	}
}
