package source

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/charmbracelet/x/term"

	"capsize/cluster/engine"
	"capsize/ui/canvas"
)

// RecordingError reports why a file cannot be read as a recording.
type RecordingError struct{ Err error }

func (e RecordingError) Error() string { return e.Err.Error() }
func (e RecordingError) Unwrap() error { return e.Err }

// OpenRecording reads a recording and checks it again. It shows its progress on to if
// that is a terminal. The error is a [RecordingError]; the caller closes the source.
func OpenRecording(name string, historyMB int64, to io.Writer) (Source, error) {
	LimitMemory(1, historyMB, 0, engine.RecordingMode)
	file, isFile := to.(*os.File)
	shown := -1
	r, err := engine.OpenRecording(name, historyMB<<20, attended, func(read, size int64) {
		if part := int(100 * read / max(size, 1)); isFile && term.IsTerminal(file.Fd()) && part != shown {
			shown = part
			_, _ = fmt.Fprintf(to, "\rreading %s: %d %%", canvas.Sanitize(filepath.Base(name)), min(part, 100))
		}
	})
	if shown >= 0 {
		_, _ = fmt.Fprint(to, "\r\x1b[K")
	}
	if err != nil {
		return Source{}, RecordingError{Err: err}
	}
	return Source{Engine: r, History: r.History()}, nil
}

// Recording returns the recording that is shown, nil for a cluster.
func (s Source) Recording() *engine.Recording {
	r, _ := s.Engine.(*engine.Recording)
	return r
}

// Close closes the file of a recording. A cluster belongs to others.
func (s Source) Close() {
	if r := s.Recording(); r != nil {
		_ = r.Close() // it is nil
	}
}
