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
		if n := len(r.checks[7].(*exactlyOnce).clients["c1"].applied); n > seqsMax+1 || seq > seqsMax && n < seqsMax/2 {
			t.Fatalf("%d increments are remembered after %d", n, seq)
		}
	}
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
	r.append("n1", index, plus(1, "c1", 3*seqsMax-seqsMax/4))
	r.apply("n1", index, value+1)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "counts twice")
}
