package terminal

import (
	"os"
	"sync"
	"time"
)

// Writer is the terminal as the program writes to it. A terminal that takes
// nothing, because its reader has stopped, must not stop the program too, or no
// key could ever end it: what is written waits, and while much waits no more
// pictures are drawn.
type Writer struct {
	*os.File // what asks for the size of the terminal needs it

	mu      sync.Mutex
	pending []byte        // to be written
	writing bool          // something is being written
	changed chan struct{} // has room for one: something happened to what is above
	err     error         // the first one
	limit   RateLimit
	started time.Time
}

const (
	// backlogMax is with how many bytes waiting a terminal is too slow for more
	// pictures; one picture is smaller.
	backlogMax = 64 << 10
	// flushTimeout is how long a terminal has at the end to take what waits.
	flushTimeout = time.Second
)

func NewWriter(terminal *os.File) *Writer {
	o := &Writer{File: terminal, changed: make(chan struct{}, 1), started: time.Now()}
	go o.run()
	return o
}

// Write takes what is to be written.
func (o *Writer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.pending = append(o.pending, p...)
	o.limit.Add(len(p))
	o.wake()
	return len(p), nil
}

// WriteString is Write for a string.
func (o *Writer) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

func (o *Writer) wake() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// run writes what waits, for as long as the program lives.
func (o *Writer) run() {
	for range o.changed {
		o.mu.Lock()
		next := o.pending
		o.pending, o.writing = nil, len(next) > 0
		o.mu.Unlock()
		_, err := o.File.Write(next)
		o.mu.Lock()
		o.writing = false
		if o.err == nil {
			o.err = err
		}
		o.mu.Unlock()
	}
}

// Behind says whether the terminal is too slow for more pictures.
func (o *Writer) Behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending) > backlogMax
}

// RateExceeded says whether so much was written lately that the next picture can wait.
func (o *Writer) RateExceeded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.limit.Exceeded(time.Since(o.started), ScreenRate)
}

// Flush waits until all is written, but not for ever.
func (o *Writer) Flush() {
	for deadline := time.Now().Add(flushTimeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		o.mu.Lock()
		done := o.err != nil || len(o.pending) == 0 && !o.writing
		o.mu.Unlock()
		if done {
			return
		}
	}
}
