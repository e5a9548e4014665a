package check

import (
	"fmt"

	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// Recording is an open recording, checked again.
type Recording struct {
	Header  recording.Header
	History *history.History
	Reader  *recording.Reader
	Recheck *Recheck
}

// OpenRecording reads a recording into a history of at most budgetBytes and checks it
// again, as far as the file goes now. It calls progress, if not nil, from time to time.
// Its errors are those of [recording.Open]; damage to parts of the file is not an
// error, see [Recording.Missing]. The caller must close the recording.
func OpenRecording(name string, budgetBytes int64, progress func(bytesRead, size int64)) (*Recording, error) {
	r := &Recording{History: history.New(budgetBytes), Recheck: NewRecheck()}
	reader, header, err := recording.Open(name, r.History, r.Recheck.Observe, progress)
	if err != nil {
		r.Recheck.Close()
		return nil, err
	}
	r.Reader, r.Header = reader, header
	r.Recheck.Await()
	return r, nil
}

// Missing describes in one line what of the recording was not read or did not fit into
// the history; it is "" if nothing is missing.
func (r *Recording) Missing() string {
	missing := r.Reader.Missing()
	n := r.History.Dropped()
	if n == 0 {
		return missing
	}
	dropped := fmt.Sprintf("the first %d events are left out: the recording is too long", n)
	if missing == "" {
		return dropped
	}
	return dropped + "; " + missing
}

// Close closes the file and stops checking. The history stays usable.
func (r *Recording) Close() {
	r.Reader.Close()
	r.Recheck.Close()
}
