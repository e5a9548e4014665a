package ui

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"capsize/ui/source"
)

// Replay shows a recording on the terminal until the user quits or ctx ends, also while
// the recording is still being written. It fails with a [source.RecordingError] if the
// file cannot be read.
func Replay(ctx context.Context, name string, o Options) error {
	s, err := source.OpenRecording(name, o.HistoryMB, os.Stderr)
	if err != nil {
		return err
	}
	defer s.Close()
	m := newScreen(o)
	m.replay(s, filepath.Base(name))
	return errors.Join(runOnTerminal(ctx, m), m.closeAllBut(nil))
}

// replay shows a recording from its beginning.
func (m *model) replay(s source.Source, name string) {
	m.showSource(s, nil)
	m.branches[0].name = name
	m.firstMoment()
	m.setPlaying(!m.paused)
	m.refresh(0)
	if missing := s.Reader.Missing(); missing != "" {
		m.setToast("", "recording: "+missing, true)
	}
	if err := s.Recheck.Mismatch(); err != nil {
		m.setToast("", "this recording contradicts itself: "+err.Error(), true)
	}
}
