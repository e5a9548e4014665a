package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// Recheck judges a recording anew. The verdicts that stand in it are no evidence:
// whoever made it may lie, and where it is cut short the last of them are missing.
// It is used by one goroutine.
type Recheck struct {
	checker         *Checker
	recorded, found trace.State // nothing but verdicts: those of the recording, and those of its events
	first, last     uint64      // the numbers of the first event and of the latest
	gap             bool        // events are missing
}

// NewRecheck returns a recount of a recording that is about to be read. Close
// ends it.
func NewRecheck() *Recheck { return &Recheck{checker: New(nil)} }

// Observe takes in the next event. It keeps nothing of it that is used again.
func (r *Recheck) Observe(e *trace.Event) {
	switch {
	case r.last == 0:
		r.first = e.Seq
	case e.Seq > r.last+1 && !r.gap:
		r.gap = true
		r.checker.giveUp(fmt.Sprintf("events %d to %d are missing", r.last+1, e.Seq-1))
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

func (r *Recheck) addVerdicts(verdicts []trace.Event) {
	for _, v := range verdicts {
		v.Seq = r.last
		r.found.Apply(&v)
	}
}

// Await waits, in real time, until all that was observed so far has been judged.
func (r *Recheck) Await() {
	r.checker.Await()
	r.addVerdicts(r.checker.asyncVerdicts())
}

// Understated returns what the recording's events say that is worse than what its own
// verdicts say of the same checks.
func (r *Recheck) Understated() []trace.Check {
	r.addVerdicts(r.checker.asyncVerdicts())
	var worse []trace.Check
	for _, found := range r.found.Checks {
		told := r.recorded.Check(found.Name)
		if severity(&found) > severity(told) {
			worse = append(worse, found)
		}
	}
	return worse
}

// severity orders verdicts. A recording that says nothing of a check says that it
// is well: nobody who looks at it sees anything else.
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

// Mismatch returns an error if the recording's events show that a promise was broken of
// which its verdicts say nothing, or that one was kept which they say was broken.
func (r *Recheck) Mismatch() error {
	for _, found := range r.found.Checks {
		told := r.recorded.Check(found.Name)
		switch {
		case found.Verdict == trace.VerdictViolated && severity(told) < 2:
			return fmt.Errorf("its verdicts contradict its events: %s is violated: %s", found.Name, found.Text)
		case found.Verdict == trace.VerdictOK && severity(told) == 2 && r.first == 1:
			return fmt.Errorf("its verdicts contradict its events: %s is reported as violated, but is not", found.Name)
		}
	}
	return nil
}

// Close ends the recount.
func (r *Recheck) Close() { r.checker.Close() }
