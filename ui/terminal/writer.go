package terminal

import (
	"bytes"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Writer writes to the terminal without blocking. A terminal whose reader has stopped
// accepts no bytes; a blocked program could not even be quit. So bytes are queued, and
// the model draws no picture while the queue is not empty.
//
// When Bubble Tea leaves the alternate screen, Writer drops the queue and writes the
// sequences that restore the terminal instead. They undo what the terminal was really sent,
// not what Bubble Tea wrote: most of that may still be in the queue.
type Writer struct {
	*os.File // Bubble Tea needs it for the size of the terminal

	mu       sync.Mutex
	pending  []byte        // not written yet
	writing  bool          // run is writing
	modes    modes         // of the terminal, after everything written so far
	left     bool          // the terminal is restored: only a new screen is written
	disabled bool          // nothing more is written
	changed  chan struct{} // wakes run; has room for one signal
	err      error         // the first one
	remote   bool          // see isRemote
	limit    RateLimit
	started  time.Time
}

const (
	// chunkMax is how many bytes are written at once: bytes already written to the
	// terminal cannot be dropped.
	chunkMax = 1 << 10
	// writablePoll is how long run waits for the terminal before it checks whether the
	// queue has been dropped.
	writablePoll = 20 * time.Millisecond
	// leaveTimeout limits how long a terminal may take to accept the restoring sequences.
	leaveTimeout = time.Second
)

// isRemote reports whether the terminal is reached over SSH. Its buffers take more than a slow line
// can carry, and each answer to a key waits behind that.
func isRemote() bool { return os.Getenv("SSH_CONNECTION") != "" }

// NewWriter returns a writer to a terminal.
func NewWriter(terminal *os.File) *Writer {
	w := newWriter(terminal)
	go w.run()
	return w
}

// newWriter returns a writer that only queues, until it runs.
func newWriter(terminal *os.File) *Writer {
	return &Writer{File: terminal, modes: newModes(), changed: make(chan struct{}, 1), remote: isRemote(), started: time.Now()}
}

// Write queues bytes. It returns the first error of the terminal, if there was one.
// Bytes that leave the alternate screen make it call Leave instead.
func (w *Writer) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(ansi.ResetModeAltScreenSaveCursor)) {
		w.Leave()
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	w.left = w.left && !bytes.Contains(p, []byte(ansi.SetModeAltScreenSaveCursor))
	if w.left || w.disabled {
		return len(p), nil
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
		for w.writeNext() {
		}
	}
}

// writeNext writes the next chunk if the terminal accepts it now, and reports whether
// there was one.
func (w *Writer) writeNext() bool {
	ready := writable(w.File, writablePoll)
	w.mu.Lock()
	if len(w.pending) == 0 {
		w.mu.Unlock()
		return false
	}
	if !ready {
		w.mu.Unlock()
		return true
	}
	n := w.modes.take(w.pending, chunkMax)
	chunk := w.pending[:n]
	w.pending, w.writing = w.pending[n:], true
	w.mu.Unlock()
	_, err := w.File.Write(chunk)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = false
	if err != nil {
		w.err, w.pending = err, nil
	}
	return true
}

// Behind reports whether the terminal is too slow for another picture: the last one has not
// been written completely.
func (w *Writer) Behind() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending) > 0
}

// RateExceeded reports whether more was written lately to a remote terminal than RemoteRate
// allows: the next picture can wait.
func (w *Writer) RateExceeded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remote && w.limit.Exceeded(time.Since(w.started), RemoteRate)
}

// Leave drops the queue and restores the terminal. If the terminal accepts nothing for
// leaveTimeout, Leave also drops the output that the system has buffered, which makes room.
// After Leave, nothing is written until a new screen begins.
func (w *Writer) Leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left {
		return
	}
	w.left = true
	if w.accepts(w.modes.restore()) {
		return
	}
	discardOutput(w.File)
	w.accepts(w.modes.restoreAfterLoss())
}

// accepts replaces the queue with text, and reports whether the terminal accepts it within
// leaveTimeout.
func (w *Writer) accepts(text string) bool {
	w.pending = []byte(text)
	w.wake()
	for deadline := time.Now().Add(leaveTimeout); time.Now().Before(deadline); {
		if w.err != nil || len(w.pending) == 0 && !w.writing {
			return true
		}
		w.mu.Unlock()
		time.Sleep(time.Millisecond)
		w.mu.Lock()
	}
	return false
}

// Disable makes the writer drop everything from now on, because the terminal belongs to
// another program.
func (w *Writer) Disable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disabled, w.pending = true, nil
}
