package ui

import (
	"os"
	"sync"
	"time"
)

// output is the terminal as the program writes to it. A terminal that takes
// nothing, because its reader has stopped, must not stop the program too, or no
// key could ever end it: what is written waits, and while much waits no more
// pictures are drawn.
type output struct {
	*os.File // what asks for the size of the terminal needs it

	mu      sync.Mutex
	waiting []byte        // to be written
	writing bool          // something is being written
	changed chan struct{} // has room for one: something happened to what is above
	err     error         // the first one
	spent   budget
	started time.Time
}

const (
	// outputBehind is with how many bytes waiting a terminal is too slow for more
	// pictures; one picture is smaller.
	outputBehind = 64 << 10
	// outputEnds is how long a terminal has at the end to take what waits.
	outputEnds = time.Second
)

func newOutput(terminal *os.File) *output {
	o := &output{File: terminal, changed: make(chan struct{}, 1), started: time.Now()}
	go o.run()
	return o
}

// Write takes what is to be written.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.waiting = append(o.waiting, p...)
	o.spent.spend(len(p))
	o.wake()
	return len(p), nil
}

// WriteString is Write for a string.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

func (o *output) wake() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// run writes what waits, for as long as the program lives.
func (o *output) run() {
	for range o.changed {
		o.mu.Lock()
		next := o.waiting
		o.waiting, o.writing = nil, len(next) > 0
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

// behind says whether the terminal is too slow for more pictures.
func (o *output) behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) > outputBehind
}

// overdrawn says whether so much was written lately that the next picture can wait.
func (o *output) overdrawn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.spent.overdrawn(time.Since(o.started), screenRate)
}

// flush waits until all is written, but not for ever.
func (o *output) flush() {
	for deadline := time.Now().Add(outputEnds); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		o.mu.Lock()
		done := o.err != nil || len(o.waiting) == 0 && !o.writing
		o.mu.Unlock()
		if done {
			return
		}
	}
}
