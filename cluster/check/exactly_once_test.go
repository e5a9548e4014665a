package check

import (
	"testing"

	"capsize/cluster/trace"
)

// A retry is found after the entry of the first attempt is forgotten.
func TestRetryIsFoundAfterPruning(t *testing.T) {
	r := twoIncrements(t)
	r.state.pruneAbove = 0
	for _, node := range []string{"n1", "n2", "n3"} {
		r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 3, Term: 1})
		r.emit(trace.Event{Kind: trace.KindCompacted, Node: node, Index: 1, Last: 3})
		r.state.pruneAbove = 0
	}
	if len(r.state.entries) > 0 {
		t.Fatalf("%d entries are kept", len(r.state.entries))
	}
	r.append("n1", 4, plus(1, "c1", 2), plus(1, "c1", 1))
	r.apply("n1", 4, 2)
	r.apply("n1", 5, 2)
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
	r.append("n1", 6, plus(1, "c1", 2))
	r.apply("n1", 6, 3)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "c1's +1 (seq 2) counts twice on n1, with entry 3 and again with entry 6")
}

// The trace does not show what counted before its start, so an increment that changes
// nothing may be a retry.
func TestIncrementBeforeTheTraceMayHaveCounted(t *testing.T) {
	r := blank(t)
	r.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{Sessions: true}})
	r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n1", Index: 4, Last: 3, Term: 1})
	r.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Up})
	r.apply("n1", 3, 2)
	r.append("n1", 4, plus(1, "c1", 2))
	r.apply("n1", 4, 2)
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
}

// The latest increments of a client are remembered, whenever the older ones are forgotten.
func TestLatestIncrementsOfAClientAreRemembered(t *testing.T) {
	r := twoIncrements(t)
	index, value := uint64(4), int64(2)
	for seq := uint64(3); seq < 3*seqsMax; seq++ {
		r.append("n1", index, plus(1, "c1", seq))
		value++
		r.apply("n1", index, value)
		index++
		if n := len(r.checks[7].(*exactlyOnce).clients["c1"].firsts); n > seqsMax+1 || seq > seqsMax && n < seqsMax/2 {
			t.Fatalf("%d increments are remembered after %d", n, seq)
		}
	}
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
	r.append("n1", index, plus(1, "c1", 3*seqsMax-seqsMax/4))
	r.apply("n1", index, value+1)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "counts twice")
}

// A node that recovers unsafely restores an increment that no node was seen to apply. Its
// retry is found after the entry is forgotten.
func TestRecoveredIncrementIsFoundAfterPruning(t *testing.T) {
	for _, counts := range []bool{false, true} {
		r := record(t, 2)
		r.append("n2", 1, noop(1), plus(1, "c1", 1))
		r.state.pruneAbove, r.inline.state.pruneAbove = 0, 0
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Killed})
		r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n2", Index: 3, Last: 2, Term: 1})
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Up})
		r.apply("n2", 2, 1)
		r.append("n1", 1, noop(2), noop(2))
		r.emit(trace.Event{Kind: trace.KindInstalled, Node: "n1", Index: 2, Term: 1, Value: 1})
		r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n1", Index: 1, Last: 2})
		if r.state.prunedUpTo != 2 {
			t.Fatalf("pruned up to %d, want 2", r.state.prunedUpTo)
		}
		r.append("n2", 3, noop(3), plus(3, "c1", 1))
		if counts {
			r.apply("n2", 4, 2)
			r.expect(t, ExactlyOnce, trace.VerdictViolated, "c1's +1 (seq 1) counts twice on n2, with entry 2 and again with entry 4")
		} else {
			r.apply("n2", 4, 1)
			r.expect(t, ExactlyOnce, trace.VerdictOK, "")
		}
	}
}

// The counter rejects an increment after a later one of the client, whether a node was seen
// to apply that or not. One that comes after it in the log excuses nothing.
func TestOnlyAnEarlierEntryOvertakesAnIncrement(t *testing.T) {
	r := twoIncrements(t)
	r.append("n3", 4, plus(1, "c2", 2))
	r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
	r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n3", Index: 5, Last: 4, Term: 1})
	r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Up})
	r.apply("n3", 4, 3)
	r.append("n3", 5, plus(2, "c2", 1))
	r.apply("n3", 5, 3)
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")

	r = twoIncrements(t)
	for _, node := range []string{"n1", "n3"} {
		r.append(node, 4, plus(1, "c2", 1), plus(1, "c2", 2))
	}
	r.apply("n1", 4, 3)
	r.apply("n1", 5, 4)
	r.apply("n3", 4, 2)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "entry 4, +1 by c2, counted on another node but changes nothing on n3")
}

// An increment may be forgotten because its client went on in another lineage.
func TestRetryOfAForgottenIncrementIsExcused(t *testing.T) {
	r := twoSides(t)
	r.append("n3", 5, plus(2, "c2", 1))
	r.apply("n3", 5, 3)
	value := int64(2)
	for seq := uint64(1); seq <= seqsMax+1; seq++ {
		r.append("n1", seq+4, plus(1, "c2", seq))
		value++
		r.apply("n1", seq+4, value)
	}
	r.append("n3", 6, plus(2, "c2", 1))
	r.apply("n3", 6, 3)
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
}
