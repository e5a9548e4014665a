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

// Live is a recording of the screen, an asciicast that is written to a file as it
// goes: whole lines at a time, so that the file is whole whenever the program dies.
// The screen never waits for the disk: pictures that it cannot take are left out,
// and the next one makes up for them.
type Live struct {
	name      string
	file      *os.File
	cast      *asciicast
	keys      bool // keys that are pressed are recorded too
	started   time.Time
	markedSeq uint64 // the event up to which there are markers
	lines     chan []byte
	done      chan struct{}

	mu  sync.Mutex
	err error // the first one; nothing is written after it
}

const (
	// queueMax is how many lines may wait for the disk, and queuePictures with how
	// many waiting there is still room for a picture.
	queueMax, queuePictures = 1024, 256
	// closeTimeout is how long the disk has at the end to take what waits.
	closeTimeout = time.Second
)

// CreateLive begins a recording in a file, in place of what is there; with keys,
// the keys that are pressed are part of it.
func CreateLive(name string, keys bool) (*Live, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	t := &Live{
		name: name, file: file, keys: keys, started: time.Now(),
		lines: make(chan []byte, queueMax), done: make(chan struct{}),
	}
	t.cast = &asciicast{out: t}
	go t.run()
	return t, nil
}

// Write takes a line for the file.
func (t *Live) Write(line []byte) (int, error) {
	select {
	case t.lines <- append([]byte(nil), line...):
	default: // a disk that has taken nothing for so long
	}
	return len(line), nil
}

// run writes the lines to the file.
func (t *Live) run() {
	defer close(t.done)
	for line := range t.lines {
		if _, err := t.file.Write(line); err != nil {
			t.fail(err)
		}
	}
	if err := t.file.Close(); err != nil {
		t.fail(err)
	}
}

func (t *Live) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = fmt.Errorf("recording to %s: %w", t.name, err)
	}
}

// Err returns why nothing is recorded any more, nil if all is well.
func (t *Live) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Picture is what the screen shows at a moment.
type Picture struct {
	Canvas   *canvas.Canvas
	Theme    *style.Theme
	Title    string       // of the window
	State    *trace.State // that the picture shows
	Language string       // of the markers
}

// AddPicture records what the screen shows now, and what has happened since.
func (t *Live) AddPicture(s Picture) {
	if t.Err() != nil || s.Canvas == nil || len(t.lines) > queuePictures {
		return
	}
	now := time.Since(t.started)
	t.cast.title = s.Title
	_ = t.cast.picture(now, s.Canvas, s.Theme) // its writer is the tape, which keeps errors
	if t.cast.cols == 0 {
		return
	}
	for _, label := range markers(s.State, t.markedSeq, s.Language) {
		_ = t.cast.mark(now, label)
	}
	t.markedSeq = s.State.Seq
}

// AddKey records a key, as the terminal sent it.
func (t *Live) AddKey(sent string) {
	if t.keys {
		_ = t.cast.key(time.Since(t.started), sent)
	}
}

// Close ends the recording, and returns the first error there was.
func (t *Live) Close() error {
	_ = t.cast.end(time.Since(t.started))
	close(t.lines)
	select {
	case <-t.done:
	case <-time.After(closeTimeout):
		t.fail(fmt.Errorf("the disk takes nothing any more"))
	}
	return t.Err()
}
