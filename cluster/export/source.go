package export

import (
	"fmt"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// budgetBytes is how much memory a recording that is exported may take: some ten
// million events.
const budgetBytes = 1 << 30

// Read reads a recording. Missing says in a line what of it could not be read, ""
// if all of it could. The errors are those of [trace.Open], and that of a recording
// whose verdicts are not what its events show: what is made of it would lie, too.
func Read(name string) (from Source, missing string, err error) {
	h := history.New(budgetBytes)
	recount := check.NewRecheck()
	defer recount.Close()
	reader, _, err := recording.Open(name, h, recount.Observe, nil)
	if err != nil {
		return Source{}, "", err
	}
	defer reader.Close()
	recount.Await()
	if err := recount.Mismatch(); err != nil {
		return Source{}, "", fmt.Errorf("%s: %w", name, err)
	}
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
