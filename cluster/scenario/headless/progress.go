package headless

import (
	"fmt"
	"io"
	"time"
)

// Progress is shown for the first time after progressAfter, in real time, and then
// every progressEvery.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// ShowProgress keeps one line of a terminal up to date until stop is called, which
// erases it. With a nil terminal it does nothing.
func ShowProgress(terminal io.Writer, line func() string) (stop func()) {
	if terminal == nil {
		return func() {}
	}
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		const erase = "\r\x1b[K"
		for wait := progressAfter; ; wait = progressEvery {
			select {
			case <-time.After(wait):
				_, _ = fmt.Fprintf(terminal, "%s%.79s", erase, line())
			case <-stopping:
				if wait != progressAfter {
					_, _ = io.WriteString(terminal, erase)
				}
				return
			}
		}
	}()
	return func() {
		close(stopping)
		<-stopped
	}
}
