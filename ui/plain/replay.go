package plain

import (
	"fmt"
	"io"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/source"
)

// Replay writes the story of a recording, one line per sentence. It fails with a
// [source.RecordingError] if the recording cannot be read, or if its verdicts
// contradict its events.
func Replay(name string, out io.Writer) error {
	s, err := source.OpenRecording(name, source.HistoryMB, io.Discard)
	if err != nil {
		return err
	}
	defer s.Close()
	var state trace.State
	first, last := s.History.Span()
	if !s.History.StateAt(first.Seq, &state) {
		return nil
	}
	s.History.Events(first.Seq+1, last.Seq, func(e *trace.Event) bool {
		state.Apply(e)
		for _, line := range told(&state, e) {
			if _, err = fmt.Fprintf(out, "%s  %s\n", trace.Clock(e.At), canvas.Sanitize(line.Text)); err != nil {
				return false
			}
		}
		return true
	})
	if missing := s.Recording().Missing(); missing != "" && err == nil {
		_, err = fmt.Fprintf(out, "%s\n", canvas.Sanitize(missing))
	}
	if mismatch := s.Recording().Mismatch(); mismatch != nil && err == nil {
		return source.RecordingError{Err: fmt.Errorf("%s: %w", name, mismatch)}
	}
	return err
}
