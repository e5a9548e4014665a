package check

import (
	"math"
	"time"

	"capsize/cluster/trace"
)

// judge reaches the verdicts on the clients' history. Its input alone determines them: it
// reads no clock, so the same batches get the same verdicts on every machine.
type judge struct {
	history opHistory
	latest  trace.Event   // the latest verdict
	resting time.Duration // until then, batches are only added to the history
	owing   time.Duration // when a verdict held back is due, never if there is none
}

// never is later than any event.
const never = math.MaxInt64

// batch is what a judge looks at in one go.
type batch struct {
	items       []workItem
	at          time.Duration // of the latest event
	undecidable string        // why nothing more can be checked, "" if it can
	last        bool          // somebody waits for a verdict on everything so far
}

const (
	// countDelay is the virtual time between two verdicts that only differ in their count.
	countDelay = time.Second
	// restPerStep is the virtual time that the judge rests for each step of porcupine. A
	// history that exhausts stepsMax stays hard for a while: trying again with every batch
	// would take most of the time of a run.
	restPerStep = 10 * time.Microsecond
)

func newJudge() judge {
	return judge{history: newHistory(), latest: trace.Event{Verdict: trace.VerdictOK}, owing: never} // firstVerdict says so
}

// judge adds a batch to the history and returns the verdict if it has changed.
func (j *judge) judge(b batch) (verdict trace.Event, changed bool) {
	if j.latest.Verdict == trace.VerdictViolated {
		return trace.Event{}, false
	}
	before := j.history.clients.steps
	for _, item := range b.items {
		j.history.add(item)
	}
	if j.restsDuring(&b) {
		j.owing = j.resting
		return trace.Event{}, false
	}
	now := j.history.verdict(b.at)
	j.resting, j.owing = b.at+time.Duration(j.history.clients.steps-before)*restPerStep, never
	if b.undecidable != "" && now.Verdict != trace.VerdictViolated { // the operations are from before
		now = trace.Event{At: b.at, Verdict: trace.VerdictUndecided, Text: b.undecidable, Count: now.Count}
	}
	now.Kind, now.Check = trace.KindVerdict, Linearizable
	if was := &j.latest; now.Verdict == was.Verdict && now.Text == was.Text {
		switch next := was.At + countDelay; {
		case now.Count == was.Count:
			return trace.Event{}, false
		case now.At < next && !b.last:
			j.owing = next
			return trace.Event{}, false
		}
	}
	j.latest = now
	return now, true
}

// restsDuring reports whether the judge still rests, and nothing in the batch is urgent.
func (j *judge) restsDuring(b *batch) bool {
	return b.at < j.resting && !b.last && b.undecidable == "" && j.history.last.Verdict != trace.VerdictViolated
}
