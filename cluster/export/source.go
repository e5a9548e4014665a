package export

import (
	"fmt"
	"iter"

	"capsize/cluster/check"
	"capsize/cluster/trace"
)

// Source is a trace to export: its events, in order, and the state before the first
// one. Before is nil if the trace starts with the cluster. An event is only valid while
// the loop handles it.
type Source struct {
	Before *trace.State
	Events iter.Seq[*trace.Event]
}

// state returns the state before the first event.
func (s Source) state() trace.State {
	if s.Before == nil {
		return trace.State{}
	}
	return s.Before.Clone()
}

// historyBytesMax bounds the memory for an exported recording, at about ten million events.
const historyBytesMax = 1 << 30

// Read reads a recording. Missing describes in one line what of it could not be read,
// "" if nothing. Read fails with the errors of [check.OpenRecording], and if the
// recording's verdicts contradict its events, because an export would repeat the lie.
func Read(name string) (from Source, missing string, err error) {
	r, err := check.OpenRecording(name, historyBytesMax, nil)
	if err != nil {
		return Source{}, "", err
	}
	defer r.Close()
	if err := r.Recheck.Mismatch(); err != nil {
		return Source{}, "", fmt.Errorf("%s: %w", name, err)
	}
	first, last := r.History.Span()
	var before trace.State
	r.History.StateAt(first.Seq, &before)
	return Source{Before: &before, Events: func(yield func(*trace.Event) bool) {
		r.History.Events(first.Seq+1, last.Seq, yield)
	}}, r.Missing(), nil
}
