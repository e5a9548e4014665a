package check

import (
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// staleRead is a history in which a client reads less than was acknowledged.
func staleRead(t *testing.T) []trace.Event {
	t.Helper()
	r := twoIncrements(t)
	r.reply(r.call(read("c3")), 1)
	r.settle()
	if v := r.latest[Linearizable]; v.Verdict != trace.VerdictViolated {
		t.Fatalf("the read is %s: %s", v.Verdict, v.Text)
	}
	return r.events
}

// rechecked checks again events that include a verdict of linearizable.
func rechecked(t *testing.T, told trace.Verdict, events []trace.Event) *Recheck {
	t.Helper()
	r := NewRecheck()
	t.Cleanup(r.Close)
	var op trace.Op // reused for every event, as the reader of a recording does
	for _, e := range events {
		if e.Op != nil {
			op, e.Op = *e.Op, &op
		}
		r.Observe(&e)
	}
	last := events[len(events)-1]
	r.Observe(&trace.Event{Seq: last.Seq + 1, At: last.At, Kind: trace.KindVerdict, Check: Linearizable, Verdict: told, Text: "so it says"})
	r.Await()
	return r
}

func worst(r *Recheck) trace.Check {
	worse := r.Understated()
	if len(worse) == 0 {
		return trace.Check{}
	}
	return worse[0]
}

func TestRecordedVerdictsAreNoEvidence(t *testing.T) {
	stale, well := staleRead(t), twoIncrements(t).events
	if r := rechecked(t, trace.VerdictViolated, stale); r.Mismatch() != nil || len(r.Understated()) > 0 {
		t.Errorf("an honest recording of a violation: %v, %v", r.Mismatch(), r.Understated())
	}
	if r := rechecked(t, trace.VerdictOK, well); r.Mismatch() != nil || len(r.Understated()) > 0 {
		t.Errorf("an honest recording without a violation: %v, %v", r.Mismatch(), r.Understated())
	}
	for _, told := range []trace.Verdict{trace.VerdictOK, trace.VerdictUndecided, "fine"} {
		r := rechecked(t, told, stale)
		if err := r.Mismatch(); err == nil || !strings.Contains(err.Error(), "linearizable is violated: c3 read 1") {
			t.Errorf("verdict %q on a stale read: %v", told, err)
		}
		if c := worst(r); c.Name != Linearizable || c.Verdict != trace.VerdictViolated || len(c.Proof) != 2 {
			t.Errorf("verdict %q on a stale read: understated %v", told, c)
		}
	}
	if err := rechecked(t, trace.VerdictViolated, well).Mismatch(); err == nil || !strings.Contains(err.Error(), "but it is not") {
		t.Errorf("violated, on a history without violation: %v", err)
	}
}

// A recording may begin after what proves a violation.
func TestViolationFromBeforeARecordingIsBelieved(t *testing.T) {
	events := record(t, 1).events
	for i := range events {
		events[i].Seq += 10
	}
	if err := rechecked(t, trace.VerdictViolated, events).Mismatch(); err != nil {
		t.Error(err)
	}
}

func TestRecordingWithAGapIsNeverOK(t *testing.T) {
	stale := staleRead(t)
	r := rechecked(t, trace.VerdictOK, slices.Delete(slices.Clone(stale), 9, 10))
	if worse := r.Understated(); len(worse) != len(Names()) || r.Mismatch() != nil {
		t.Errorf("%v, %v", worse, r.Mismatch())
	}
	for _, c := range r.Understated() {
		if c.Verdict != trace.VerdictUndecided || !strings.Contains(c.Text, "event 10 is missing") {
			t.Errorf("%s is %s: %s", c.Name, c.Verdict, c.Text)
		}
	}
}
