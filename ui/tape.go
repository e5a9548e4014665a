package ui

import (
	"fmt"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// tape is a recording of the screen, an asciicast that is written to a file as it
// goes: whole lines at a time, so that the file is whole whenever the program dies.
// The screen never waits for the disk: pictures that it cannot take are left out,
// and the next one makes up for them.
type tape struct {
	name    string
	file    *os.File
	cast    *cast
	keys    bool // keys that are pressed are recorded too
	started time.Time
	told    uint64 // the event up to which there are markers
	lines   chan []byte
	ended   chan struct{}

	mu  sync.Mutex
	err error // the first one; nothing is written after it
}

const (
	// tapeLines is how many lines may wait for the disk, and tapePictures with how
	// many waiting there is still room for a picture.
	tapeLines, tapePictures = 1024, 256
	// tapeEnds is how long the disk has at the end to take what waits.
	tapeEnds = time.Second
)

// createTape begins a recording in a file, in place of what is there; with keys,
// the keys that are pressed are part of it.
func createTape(name string, keys bool) (*tape, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	t := &tape{
		name: name, file: file, keys: keys, started: time.Now(),
		lines: make(chan []byte, tapeLines), ended: make(chan struct{}),
	}
	t.cast = &cast{out: t}
	go t.run()
	return t, nil
}

// Write takes a line for the file.
func (t *tape) Write(line []byte) (int, error) {
	select {
	case t.lines <- append([]byte(nil), line...):
	default: // a disk that has taken nothing for so long
	}
	return len(line), nil
}

// run writes the lines to the file.
func (t *tape) run() {
	defer close(t.ended)
	for line := range t.lines {
		if _, err := t.file.Write(line); err != nil {
			t.fail(err)
		}
	}
	if err := t.file.Close(); err != nil {
		t.fail(err)
	}
}

func (t *tape) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = fmt.Errorf("recording to %s: %w", t.name, err)
	}
}

// Err returns why nothing is recorded any more, nil if all is well.
func (t *tape) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// take records what the screen shows now, and what has happened since.
func (t *tape) take(m *model) {
	if t.Err() != nil || m.shown.canvas == nil || len(t.lines) > tapePictures {
		return
	}
	now := time.Since(t.started)
	t.cast.title = m.title()
	_ = t.cast.picture(now, m.shown.canvas, m.theme) // its writer is the tape, which keeps errors
	if t.cast.cols == 0 {
		return
	}
	for _, label := range markers(&m.state, t.told, m.options.Lang) {
		_ = t.cast.mark(now, label)
	}
	t.told = m.state.Seq
}

// press records a key.
func (t *tape) press(msg tea.KeyPressMsg) {
	if t.keys {
		_ = t.cast.key(time.Since(t.started), typed(msg))
	}
}

// typed returns what a terminal sends for a key.
func typed(msg tea.KeyPressMsg) string {
	if msg.Text != "" {
		return msg.Text
	}
	sent := map[string]string{
		"enter": "\r", "tab": "\t", "esc": "\x1b", "backspace": "\x7f", "space": " ", "shift+tab": "\x1b[Z",
		"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
		"pgup": "\x1b[5~", "pgdown": "\x1b[6~", "ctrl+c": "\x03",
	}
	if text, ok := sent[msg.String()]; ok {
		return text
	}
	return msg.String()
}

// Close ends the recording, and returns the first error there was.
func (t *tape) Close() error {
	_ = t.cast.end(time.Since(t.started))
	close(t.lines)
	select {
	case <-t.ended:
	case <-time.After(tapeEnds):
		t.fail(fmt.Errorf("the disk takes nothing any more"))
	}
	return t.Err()
}
