package record

import (
	"fmt"
	"os"
	"sync"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Live records the screen to an asciicast while the program runs. It writes whole lines,
// so the file is valid whenever the program dies. The screen never waits for the disk:
// while too many lines are queued, pictures are skipped.
//
// The model calls AddPicture, AddKey and Close from one goroutine; another one writes to
// the file.
type Live struct {
	name      string
	file      *os.File
	cast      *asciicast
	keys      bool // keys that are pressed are recorded too
	started   time.Time
	markedSeq uint64 // the last event with its markers written
	lines     chan []byte
	done      chan struct{}

	mu  sync.Mutex
	err error // the first one; AddPicture does nothing after it
}

const (
	// queueMax is the number of lines that may wait for the disk; while more than
	// queuePictures do, pictures are skipped.
	queueMax, queuePictures = 1024, 256
	// closeTimeout limits how long Close waits for the disk.
	closeTimeout = time.Second
)

// CreateLive starts a recording to a file, which it truncates; keys records pressed keys
// too.
func CreateLive(name string, keys bool) (*Live, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	l := &Live{
		name: name, file: file, keys: keys, started: time.Now(),
		lines: make(chan []byte, queueMax), done: make(chan struct{}),
	}
	l.cast = &asciicast{out: l}
	go l.run()
	return l, nil
}

// Write queues a line for the file. It drops the line if the queue is full, and never
// fails.
func (l *Live) Write(line []byte) (int, error) {
	select {
	case l.lines <- append([]byte(nil), line...):
	default: // the disk is stuck
	}
	return len(line), nil
}

// run writes the queued lines to the file.
func (l *Live) run() {
	defer close(l.done)
	for line := range l.lines {
		if _, err := l.file.Write(line); err != nil {
			l.fail(err)
		}
	}
	if err := l.file.Close(); err != nil {
		l.fail(err)
	}
}

func (l *Live) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("recording to %s: %w", l.name, err)
	}
}

// Err returns the error that ended the recording, nil while it works.
func (l *Live) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Picture is what the screen shows now.
type Picture struct {
	Canvas   *canvas.Canvas
	Theme    *style.Theme
	Title    string       // of the window
	State    *trace.State // the state shown
	Language string       // of the markers
}

// AddPicture records a picture, and markers for what happened since the last one.
func (l *Live) AddPicture(p Picture) {
	if l.Err() != nil || p.Canvas == nil || len(l.lines) > queuePictures {
		return
	}
	now := time.Since(l.started)
	l.cast.title = p.Title
	_ = l.cast.picture(now, p.Canvas, p.Theme) // l.Write never fails
	if l.cast.cols == 0 {
		return
	}
	for _, label := range markers(p.State, l.markedSeq, p.Language) {
		_ = l.cast.mark(now, label)
	}
	l.markedSeq = p.State.Seq
}

// AddKey records a key, as the terminal sent it, if keys are recorded.
func (l *Live) AddKey(sent string) {
	if l.keys {
		_ = l.cast.key(time.Since(l.started), sent)
	}
}

// Skip leaves a span of real time out of the recording.
func (l *Live) Skip(passed time.Duration) { l.started = l.started.Add(passed) }

// Close ends the recording, and returns its first error.
func (l *Live) Close() error {
	_ = l.cast.end(time.Since(l.started))
	close(l.lines)
	select {
	case <-l.done:
	case <-time.After(closeTimeout):
		l.fail(fmt.Errorf("the disk accepted no data for %s: the end is missing", closeTimeout))
	}
	return l.Err()
}
