package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// Recheck checks a recording again. The verdicts in a recording are no evidence: it may
// be forged, and one that ends early lacks the last of them. Only one goroutine may use
// a Recheck.
type Recheck struct {
	checker         *Checker
	recorded, found trace.State // only the verdicts: those in the recording, those of its events
	first, last     uint64      // event numbers
	gap             bool        // events are missing
}

// NewRecheck returns a Recheck for a recording that is about to be read. The caller
// must close it.
func NewRecheck() *Recheck { return &Recheck{checker: New(nil)} }

// Observe checks the next event. It retains nothing of e that the caller may reuse.
func (r *Recheck) Observe(e *trace.Event) {
	switch {
	case r.last == 0:
		r.first = e.Seq
	case e.Seq > r.last+1 && !r.gap:
		r.gap = true
		r.checker.giveUp(missingEvents(r.last+1, e.Seq-1))
		r.addVerdicts(r.checker.changedVerdicts(e))
	}
	r.last = e.Seq
	if e.Kind == trace.KindVerdict {
		r.recorded.Apply(e)
		return
	}
	kept := *e
	if e.Op != nil {
		op := *e.Op
		kept.Op = &op
	}
	r.addVerdicts(r.checker.Observe(&kept))
}

func missingEvents(first, last uint64) string {
	if first == last {
		return fmt.Sprintf("event %d is missing", first)
	}
	return fmt.Sprintf("events %d to %d are missing", first, last)
}

func (r *Recheck) addVerdicts(verdicts []trace.Event) {
	for _, v := range verdicts {
		v.Seq = r.last
		r.found.Apply(&v)
	}
}

// Await waits, in real time, until everything observed so far is checked.
func (r *Recheck) Await() {
	r.checker.Await()
	r.addVerdicts(r.checker.worker.take())
}

// Understated returns the verdicts found that are worse than the recorded ones.
func (r *Recheck) Understated() []trace.Check {
	r.addVerdicts(r.checker.worker.take())
	var worse []trace.Check
	for _, found := range r.found.Checks {
		if severity(&found) > severity(r.recorded.Check(found.Name)) {
			worse = append(worse, found)
		}
	}
	return worse
}

// severity orders verdicts. A missing verdict counts as ok, because a reader of the
// recording sees nothing wrong.
func severity(c *trace.Check) int {
	switch {
	case c != nil && c.Verdict == trace.VerdictViolated:
		return 2
	case c != nil && c.Verdict == trace.VerdictUndecided:
		return 1
	default:
		return 0
	}
}

// Mismatch returns an error if the events show a violation that the recorded verdicts
// omit, or if those claim a violation that the events do not show.
func (r *Recheck) Mismatch() error {
	for _, found := range r.found.Checks {
		recorded := severity(r.recorded.Check(found.Name))
		switch {
		case found.Verdict == trace.VerdictViolated && recorded < 2:
			return fmt.Errorf("its verdicts contradict its events: %s is violated: %s", found.Name, found.Text)
		case found.Verdict == trace.VerdictOK && recorded == 2 && r.first == 1:
			return fmt.Errorf("its verdicts contradict its events: they claim that %s is violated, but it is not", found.Name)
		}
	}
	return nil
}

// Close stops checking.
func (r *Recheck) Close() { r.checker.Close() }
