package check

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// commitUpTo makes three nodes commit entries up to last, a thousand at a time, and take
// snapshots that cover them. The node behind, if any, gets nothing.
func commitUpTo(r *historyBuilder, from, last uint64, behind string) {
	for ; from < last; from += 1000 {
		entries := make([]trace.Entry, 1000)
		for i := range entries {
			entries[i] = plus(1, "c1", from+uint64(i))
		}
		end := from + 999
		for _, id := range []string{"n1", "n2", "n3"} {
			if id == behind {
				continue
			}
			r.append(id, from, entries...)
			r.commit(id, end)
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: id, Index: end, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: id, Index: from, Last: end - 10})
		}
	}
}

func TestEntriesThatEverySnapshotCoversArePruned(t *testing.T) {
	r := twoIncrements(t)
	commitUpTo(r, 4, 200_000, "")
	h := r.state.lineages[0]
	if s := &r.state; len(s.entries) > 4*pruneAboveMin || len(h.commits) > 4*pruneAboveMin || len(h.increments) > 4*pruneAboveMin {
		t.Errorf("kept %d entries, %d commits, %d increments", len(s.entries), len(h.commits), len(h.increments))
	}
	for _, name := range Names() {
		if v := r.latest[name]; v.Verdict != trace.VerdictOK || v.Text != "" {
			t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
		}
	}
	// A wiped node that commits other entries at pruned indexes is still caught.
	r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Wiped})
	r.elect("n2", 9, "n3")
	r.append("n2", 1, noop(9))
	r.commit("n2", 1)
	for _, name := range []string{StateMachineSafety, LeaderCompleteness, AckedDurable} {
		if v := r.latest[name]; v.Verdict != trace.VerdictViolated {
			t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
		}
	}
}

// An acknowledgement may come after its entry is forgotten.
func TestAcknowledgementOfAForgottenEntryIsExcused(t *testing.T) {
	for _, attempts := range []int{1, 2} {
		r := twoIncrements(t)
		op := r.call(add("c2", 1))
		for _, node := range []string{"n1", "n2", "n3"} {
			r.append(node, 4, plus(1, "c2", 1))
			r.apply(node, 4, 3)
			r.state.pruneAbove = 0
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 4, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: node, Index: 1, Last: 4})
		}
		r.append("n1", 5, noop(1))
		if attempts == 2 { // the retry has an entry, too
			r.append("n1", 6, plus(1, "c2", 1))
			r.apply("n1", 6, 3)
		}
		op.Attempts = attempts
		r.reply(op, 3)
		r.append("n1", 7-uint64(2-attempts), noop(1))
		r.commit("n1", 7-uint64(2-attempts))
		r.append("n2", 5, noop(2))
		r.commit("n2", 5) // and is replaced
		r.expect(t, AckedDurable, trace.VerdictOK, "")
	}
}

// Entries that a log still has are kept, and so is the side that a node is on.
func TestWhatNodesHoldIsKept(t *testing.T) {
	r := twoSides(t)
	for _, node := range []string{"n1", "n2"} {
		r.append(node, 5, noop(1))
		r.commit(node, 5)
		r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 5, Term: 1})
		r.emit(trace.Event{Kind: trace.KindCompacted, Node: node, Index: 1, Last: 5})
	}
	r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 4, Term: 2})
	for _, upTo := range []uint64{2, 4} {
		r.state.pruneAbove = 0
		r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: upTo})
		if r.state.prunedUpTo != upTo || len(r.state.lineages) != 2 {
			t.Errorf("pruned up to %d, %d lineages left; want %d, 2", r.state.prunedUpTo, len(r.state.lineages), upTo)
		}
	}
}

// A side keeps its ancestors, also those that are no longer kept apart.
func TestForgettingReachesTheAncestors(t *testing.T) {
	parent := forkOf(nil, 1, unknownTerm)
	for i := range uint64(3) {
		parent.commits[i+1] = commit{term: 1, ackSeq: 1}
		parent.increments[trace.OpKey{Client: "c1", Seq: i}] = i + 1
	}
	side := forkOf(parent, 3, unknownTerm)
	if side.forgetUpTo(2); parent.prunedAcks != 2 || len(parent.commits) != 1 || len(parent.increments) != 1 {
		t.Errorf("forgot %d acknowledged increments, %d commits and %d increments are left; want 2, 1, 1",
			parent.prunedAcks, len(parent.commits), len(parent.increments))
	}
}

// A log may be replaced from below where it begins.
func TestLogReplacedFromBelowItsBeginning(t *testing.T) {
	r := twoIncrements(t)
	r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 2, Term: 1})
	r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: 2})
	r.append("n3", 2, noop(2), noop(2))
	if n := r.state.nodes["n3"]; n.first != 2 || n.lastEntry() != 3 || n.termAt(3) != 2 {
		t.Errorf("the log goes from %d to %d", n.first, n.lastEntry())
	}
}

// A side may begin below the forgotten entries. Its commits there are remembered.
func TestSideThatBeginsBelowWhatIsForgottenHasItsEntries(t *testing.T) {
	for _, holds := range []bool{true, false} {
		r := record(t, 3)
		for _, node := range []string{"n1", "n3"} {
			r.append(node, 1, noop(1), noop(1), noop(1))
			r.commit(node, 3)
			r.state.pruneAbove = 0
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 3, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: node, Index: 1, Last: 3})
		}
		op := r.call(add("c2", 1))
		r.append("n1", 4, plus(1, "c2", 1))
		r.apply("n1", 4, 1)
		r.reply(op, 1)
		if r.append("n2", 1, noop(9)); holds {
			r.append("n2", 2, plus(9, "c2", 1))
		} else {
			r.append("n2", 2, noop(9))
		}
		r.commit("n2", 2)
		lineages := len(r.state.lineages)
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Killed})
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Up})
		r.commit("n2", 2) // the same again
		if lineages != 2 || len(r.state.lineages) != 2 {
			t.Errorf("%d lineages, then %d", lineages, len(r.state.lineages))
		}
		r.expect(t, StateMachineSafety, trace.VerdictViolated, "where a different entry of an earlier term was committed long ago")
		if holds {
			r.expect(t, AckedDurable, trace.VerdictOK, "")
		} else {
			r.expect(t, AckedDurable, trace.VerdictViolated, "c2's acknowledged +1 (entry 4) is lost")
		}
	}
}

// A side that begins below the forgotten entries may grow one entry at a time.
func TestSideThatGrowsBelowWhatIsForgottenHasItsEntries(t *testing.T) {
	r := record(t, 3)
	r.append("n3", 1, noop(1), noop(1))
	r.commit("n3", 2)
	r.state.pruneAbove = 0
	r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 2, Term: 1})
	r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: 2})
	op := r.call(add("c2", 1))
	r.append("n2", 1, noop(9), plus(9, "c2", 1), plus(9, "c2", 1))
	r.commit("n2", 1)
	r.commit("n2", 3)
	r.apply("n2", 2, 1)
	r.reply(op, 1)
	r.apply("n2", 3, 1) // a retry
	r.append("n2", 4, noop(9), noop(9))
	r.commit("n2", 5)
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
	r.expect(t, AckedDurable, trace.VerdictOK, "")
	r.append("n1", 1, noop(9), noop(10))
	r.commit("n1", 2)
	r.expect(t, AckedDurable, trace.VerdictViolated, "c2's acknowledged +1 (entry 2) is lost: n1 commits a different entry at index 2")
}

// A node that installs a snapshot of forgotten entries is on the side that committed them.
func TestForgottenSnapshotIsOfItsSide(t *testing.T) {
	for _, c := range []struct {
		term uint64
		want trace.Verdict
	}{{2, trace.VerdictOK}, {3, trace.VerdictViolated}} {
		r := record(t, 3)
		for i, node := range []string{"n1", "n2"} {
			term := uint64(i + 1)
			r.append(node, 1, noop(1), noop(term))
			r.commit(node, 2)
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 2, Term: term})
		}
		for _, node := range []string{"n1", "n2"} {
			r.state.pruneAbove = 0
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: node, Index: 1, Last: 2})
		}
		op := r.call(add("c1", 1))
		r.append("n2", 3, plus(2, "c1", 1))
		r.apply("n2", 3, 1)
		r.reply(op, 1)
		if r.state.prunedUpTo != 2 || len(r.state.lineages) != 2 {
			t.Fatalf("pruned up to %d, %d lineages; want 2, 2", r.state.prunedUpTo, len(r.state.lineages))
		}
		r.emit(trace.Event{Kind: trace.KindInstalled, Node: "n3", Index: 2, Term: c.term})
		r.expect(t, AckedDurable, c.want, "")
	}
}

func TestPrunedHistoryLimitsTheVerdict(t *testing.T) {
	r := twoIncrements(t)
	r.state.commitsMax = 20_000
	commitUpTo(r, 4, 100_000, "n3")
	if len(r.state.entries) > 3*20_000 {
		t.Errorf("kept %d entries", len(r.state.entries))
	}
	v := r.latest[LogMatching]
	if v.Verdict != trace.VerdictOK || !strings.Contains(v.Text, "checked from entry") {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
	// The node that lagged behind may catch up.
	r.append("n3", 4, plus(1, "c1", 4))
	r.commit("n3", 4)
	if v := r.latest[StateMachineSafety]; v.Verdict != trace.VerdictOK {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// A snapshot shows one entry committed. Those before it are judged once a node commits them.
func TestEntriesBelowASnapshotAreJudged(t *testing.T) {
	r := blank(t)
	r.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{Sessions: true}})
	r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n1", Index: 4, Last: 3, Term: 1})
	r.apply("n1", 3, 1)
	for i, node := range []string{"n2", "n3"} {
		r.emit(trace.Event{Kind: trace.KindLoaded, Node: node, Index: 1})
		r.append(node, 1, noop(1), plus(1, "c1", 1), noop(1))
		r.expect(t, StateMachineSafety, trace.VerdictOK, "")
		r.apply(node, 2, 1-int64(i))
	}
	r.expect(t, StateMachineSafety, trace.VerdictViolated, "entry 2")
}

// Another side may begin with a retry of what is forgotten.
func TestForgottenIncrementMayBeCommittedAgain(t *testing.T) {
	for _, c := range []struct {
		second trace.Entry
		want   trace.Verdict
	}{{plus(2, "c1", 1), trace.VerdictOK}, {noop(2), trace.VerdictViolated}} {
		r := record(t, 2)
		op := r.call(add("c1", 1))
		r.append("n1", 1, noop(1), plus(1, "c1", 1))
		r.apply("n1", 2, 1)
		r.reply(op, 1)
		r.state.pruneAbove = 0
		r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n1", Index: 2, Term: 1})
		r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n1", Index: 1, Last: 2})
		r.append("n2", 1, noop(2), c.second)
		r.commit("n2", 2)
		r.expect(t, AckedDurable, c.want, "")
	}
}
