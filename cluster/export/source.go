package export

import (
	"fmt"

	"capsize/cluster/trace"
)

// budgetBytes is how much memory a recording that is exported may take: some ten
// million events.
const budgetBytes = 1 << 30

// Read reads a recording. Missing says in a line what of it could not be read, ""
// if all of it could; the errors are those of [trace.Open].
func Read(name string) (from Source, missing string, err error) {
	h := trace.NewHistory(budgetBytes)
	reader, _, err := trace.Open(name, h, nil)
	if err != nil {
		return Source{}, "", err
	}
	defer reader.Close()
	missing = reader.Missing()
	if n := h.Dropped(); n > 0 {
		missing = fmt.Sprintf("its first %d events are left out: it is too long; %s", n, missing)
	}
	first, last := h.Span()
	var before trace.State
	h.StateAt(first.Seq, &before)
	return Source{Before: &before, Events: func(yield func(*trace.Event) bool) {
		h.Events(first.Seq+1, last.Seq, yield)
	}}, missing, nil
}
