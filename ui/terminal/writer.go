package terminal

import (
	"os"
	"sync"
	"time"
)

// Writer writes to the terminal without blocking. A terminal whose reader has stopped
// accepts no bytes; a blocked program could not even be quit. So bytes are queued, and
// the model draws no picture while the queue is long.
type Writer struct {
	*os.File // Bubble Tea needs it for the size of the terminal

	mu      sync.Mutex
	pending []byte        // not written yet
	writing bool          // run is writing
	changed chan struct{} // wakes run; has room for one signal
	err     error         // the first one
	limit   RateLimit
	started time.Time
}

const (
	// backlogMax is the length of the queue, in bytes, at which the terminal is behind;
	// one picture is shorter.
	backlogMax = 64 << 10
	// flushTimeout limits how long Flush waits.
	flushTimeout = time.Second
)

// NewWriter returns a writer to a terminal.
func NewWriter(terminal *os.File) *Writer {
	w := &Writer{File: terminal, changed: make(chan struct{}, 1), started: time.Now()}
	go w.run()
	return w
}

// Write queues bytes. It returns the first error of the terminal, if there was one.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	w.pending = append(w.pending, p...)
	w.limit.Add(len(p))
	w.wake()
	return len(p), nil
}

// WriteString is Write for a string.
func (w *Writer) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *Writer) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// run writes the queue to the terminal, as long as the program lives.
func (w *Writer) run() {
	for range w.changed {
		w.mu.Lock()
		next := w.pending
		w.pending, w.writing = nil, len(next) > 0
		w.mu.Unlock()
		_, err := w.File.Write(next)
		w.mu.Lock()
		w.writing = false
		if w.err == nil {
			w.err = err
		}
		w.mu.Unlock()
	}
}

// Behind reports whether the terminal is too slow for another picture now.
func (w *Writer) Behind() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending) > backlogMax
}

// RateExceeded reports whether more was written lately than ScreenRate allows: the next
// picture can wait.
func (w *Writer) RateExceeded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit.Exceeded(time.Since(w.started), ScreenRate)
}

// Flush waits until the queue is empty, at most for flushTimeout.
func (w *Writer) Flush() {
	for deadline := time.Now().Add(flushTimeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		w.mu.Lock()
		done := w.err != nil || len(w.pending) == 0 && !w.writing
		w.mu.Unlock()
		if done {
			return
		}
	}
}
