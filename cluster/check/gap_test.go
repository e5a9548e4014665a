package check

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// gaps are the events after which events of n2 may be missing.
var gaps = map[string]trace.Event{
	"events of n2 may be missing from": {Kind: trace.KindGap, Node: "n2", Text: "what it reports comes late"},
	"events of n2 are missing from":    {Kind: trace.KindProcess, Node: "n2", Process: trace.Unreachable},
}

// Nothing is ok any more once events may be missing, and nothing that follows is a violation.
func TestNoCheckIsOKAfterAGap(t *testing.T) {
	for why, gap := range gaps {
		r := twoIncrements(t)
		r.settle()
		for _, name := range Names() {
			if v := r.latest[name].Verdict; v != trace.VerdictOK {
				t.Fatalf("%s is %s before the gap", name, v)
			}
		}
		r.emit(gap)
		r.elect("n2", 1, "n3")         // two leaders of a term
		r.reply(r.call(read("c2")), 1) // less than was acknowledged
		r.settle()
		for _, name := range Names() {
			if v := r.latest[name]; v.Verdict != trace.VerdictUndecided || !strings.Contains(v.Text, why) {
				t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
			}
		}
	}
}

// What the events before a gap prove stays proved, also if nobody has judged it yet.
func TestViolationBeforeAGapStays(t *testing.T) {
	for _, gap := range gaps {
		r := twoIncrements(t)
		r.elect("n2", 1, "n3")
		r.reply(r.call(read("c2")), 1)
		r.emit(gap)
		r.settle()
		for _, name := range []string{ElectionSafety, Linearizable} {
			if v := r.latest[name]; v.Verdict != trace.VerdictViolated {
				t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
			}
		}
		if v := r.latest[AckedDurable]; v.Verdict != trace.VerdictUndecided {
			t.Errorf("%s is %s: %s", AckedDurable, v.Verdict, v.Text)
		}
	}
}

// A recording with a gap claims no more than its events show.
func TestRecordedGapIsFoundAgain(t *testing.T) {
	r := twoIncrements(t)
	r.emit(trace.Event{Kind: trace.KindGap, Node: "n2", Text: "what it reports comes late"})
	if worse := rechecked(t, trace.VerdictOK, r.events).Understated(); len(worse) != len(Names()) {
		t.Errorf("understated: %v", worse)
	}
}

// Operations that come after others were dropped could look like a violation.
func TestOperationsAfterAMissingOneAreNotJudged(t *testing.T) {
	w := newWorker(nil)
	w.enqueue(workItem{kind: historySettled})
	w.giveUp("some are missing")
	w.enqueue(workItem{kind: opInvoked})
	if len(w.queue) != 1 {
		t.Errorf("%d items are judged", len(w.queue))
	}
}
