package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/charmbracelet/x/term"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/ui/canvas"
)

// RecordingError says why a file cannot be read as a recording.
type RecordingError struct{ error }

func (e RecordingError) Unwrap() error { return e.error }

// Replay shows a recording on the terminal until the user quits or ctx ends, also
// while it is still being written. The error says why it cannot be read.
func Replay(ctx context.Context, name string, o Options) error {
	s, err := openRecording(name, o.HistoryMB, os.Stderr)
	if err != nil {
		return err
	}
	defer s.close()
	m := newScreen(o)
	m.replay(s, filepath.Base(name))
	return errors.Join(runOnTerminal(ctx, m), m.closeAllBut(nil))
}

// ReplayPlain writes the story that a recording tells, a line each. The error says
// why it cannot be read, or that its verdicts are not what its events show.
func ReplayPlain(name string, out io.Writer) error {
	s, err := openRecording(name, HistoryMB, io.Discard)
	if err != nil {
		return err
	}
	defer s.close()
	var state trace.State
	first, last := s.history.Span()
	if !s.history.StateAt(first.Seq, &state) {
		return nil
	}
	s.history.Events(first.Seq+1, last.Seq, func(e *trace.Event) bool {
		state.Apply(e)
		if end := len(state.Story) - 1; end >= 0 && state.Story[end].Seq == e.Seq {
			_, err = fmt.Fprintf(out, "%s  %s\n", canvas.Clock(e.At), canvas.Sanitize(state.Story[end].Text))
		}
		return err == nil
	})
	if missing := s.reader.Missing(); missing != "" && err == nil {
		_, err = fmt.Fprintf(out, "%s\n", canvas.Sanitize(missing))
	}
	if lie := s.recount.Mismatch(); lie != nil && err == nil {
		return RecordingError{fmt.Errorf("%s: %w", name, lie)}
	}
	return err
}

// openRecording reads a recording, and says on a terminal how far it is.
func openRecording(name string, historyMB int64, to io.Writer) (source, error) {
	s := source{history: history.New(historyMB << 20), recount: check.NewRecheck()}
	file, isFile := to.(*os.File)
	told := -1
	reader, _, err := recording.Open(name, s.history, s.recount.Observe, func(read, size int64) {
		if part := int(100 * read / max(size, 1)); isFile && term.IsTerminal(file.Fd()) && part != told {
			told = part
			_, _ = fmt.Fprintf(to, "\rreading %s: %d %%", canvas.Sanitize(filepath.Base(name)), min(part, 100))
		}
	})
	if told >= 0 {
		_, _ = fmt.Fprint(to, "\r\x1b[K")
	}
	if err != nil {
		s.recount.Close()
		return s, RecordingError{err}
	}
	s.reader = reader
	s.recount.Await()
	return s, nil
}

// replay makes a recording what is shown, from its beginning.
func (m *model) replay(s source, name string) {
	m.attach(s, nil)
	m.branches[0].name = name
	m.firstMoment()
	m.playPast(!m.paused)
	m.refresh(0)
	if missing := s.reader.Missing(); missing != "" {
		m.say("", "of this recording, "+missing, true)
	}
	if err := s.recount.Mismatch(); err != nil {
		m.say("", "do not believe this recording: "+err.Error(), true)
	}
}
