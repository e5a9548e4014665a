package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// report holds a check's verdict until it is passed on as an event.
type report struct {
	name       string
	verdict    trace.Verdict // "" before the first event
	text       string
	proof      []uint64     // the events that prove a violation, sorted
	lostRanges []entryRange // acknowledged entries that are lost and not reported yet
	unreported bool
}

// entryRange is consecutive entries, the first at index.
type entryRange struct {
	index   uint64
	entries []trace.Entry
}

func (r *report) result() *report { return r }

// violate reports a violation. Only the first one counts, because later ones may be
// mere consequences; an undecided check accuses nobody.
func (r *report) violate(proof []uint64, format string, args ...any) {
	if r.verdict != "" && r.verdict != trace.VerdictOK {
		return
	}
	slices.Sort(proof)
	r.verdict, r.text, r.proof = trace.VerdictViolated, fmt.Sprintf(format, args...), slices.Compact(proof)
	r.unreported = true
}

// giveUp makes the check undecided unless it is violated. The first reason counts.
func (r *report) giveUp(why string) {
	if r.verdict == "" || r.verdict == trace.VerdictOK {
		r.verdict, r.text, r.unreported = trace.VerdictUndecided, why, true
	}
}

// update reports whether there is a verdict to pass on. An ok carries the text
// that limits it: validFrom, "" if it covers the whole trace.
func (r *report) update(validFrom string) bool {
	if r.verdict == "" || r.verdict == trace.VerdictOK && r.text != validFrom {
		r.verdict, r.text, r.unreported = trace.VerdictOK, validFrom, true
	}
	return r.unreported
}

// events returns the verdict as events: one, or one for each range of lost entries.
func (r *report) events(at time.Duration) []trace.Event {
	e := trace.Event{At: at, Kind: trace.KindVerdict, Check: r.name, Verdict: r.verdict, Text: r.text, Proof: r.proof}
	all := make([]trace.Event, max(1, len(r.lostRanges)))
	for i := range all {
		all[i] = e
		if i < len(r.lostRanges) {
			all[i].Index, all[i].Entries = r.lostRanges[i].index, r.lostRanges[i].entries
		}
	}
	r.unreported, r.lostRanges = false, nil
	return all
}
