package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// twoSides is twoIncrements after an unsafe recovery: n3 continues alone, with a no-op of
// term 2 at index 4, and n1 and n2 continue with a no-op of term 1.
func twoSides(t *testing.T) *historyBuilder {
	t.Helper()
	r := twoIncrements(t)
	r.emit(trace.Event{Kind: trace.KindTerm, Node: "n3", Term: 2})
	r.append("n3", 4, noop(2))
	r.commit("n3", 4)
	for _, node := range []string{"n1", "n2"} {
		r.append(node, 4, noop(1))
		r.commit(node, 4)
	}
	return r
}

// cutOff makes a node replace its log from index on, as a follower does.
func (r *historyBuilder) cutOff(node string, index, last uint64, entries ...trace.Entry) {
	r.emit(trace.Event{Kind: trace.KindTruncated, Node: node, Index: index, Last: last})
	r.append(node, index, entries...)
}

// expect checks the verdict of a check, and that its text contains some words.
func (r *historyBuilder) expect(t *testing.T, name string, verdict trace.Verdict, text string) {
	t.Helper()
	if v := r.latest[name]; v.Verdict != verdict || !strings.Contains(v.Text, text) {
		t.Errorf("%s is %s (%s), want %s (%s)", name, v.Verdict, v.Text, verdict, text)
	}
}

// An increment acknowledged on one side is lost once the other side commits more, or
// once a node that had committed it changes sides.
func TestIncrementOfOneSideIsLostOnTheOther(t *testing.T) {
	for name, loses := range map[string]func(*historyBuilder) string{
		"the other side commits more": func(r *historyBuilder) string {
			r.append("n1", 6, noop(1))
			r.commit("n1", 6)
			return "c2's acknowledged +1 (entry 5) is lost: n1 commits entry 6 without it"
		},
		"the node changes sides": func(r *historyBuilder) string {
			r.cutOff("n3", 4, 5, noop(1))
			r.commit("n3", 4)
			return "c2's acknowledged +1 (entry 5) is lost: n3 commits entry 4 without it"
		},
		"a third side begins": func(r *historyBuilder) string {
			r.cutOff("n2", 5, 5, noop(3))
			r.commit("n2", 5)
			return "c2's acknowledged +1 (entry 5) is lost: n2 commits entry 5 without it"
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := twoSides(t)
			for _, node := range []string{"n1", "n2"} {
				r.append(node, 5, noop(1))
				r.commit(node, 5)
			}
			op := r.call(add("c2", 1))
			r.append("n3", 5, plus(2, "c2", 1))
			r.apply("n3", 5, 3)
			r.reply(op, 3)
			acked := r.seq
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Killed})
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Up})
			r.commit("n2", 4) // what it had committed before
			r.commit("n2", 5)
			r.expect(t, AckedDurable, trace.VerdictOK, "")
			want := loses(r)
			r.expect(t, AckedDurable, trace.VerdictViolated, want)
			v := r.latest[AckedDurable]
			if !slices.Equal(v.Proof, []uint64{acked, r.seq}) || v.Index != 5 || len(v.Entries) != 1 || v.Entries[0].Client != "c2" {
				t.Errorf("it is proved by %v and loses entry %d: %v", v.Proof, v.Index, v.Entries)
			}
		})
	}
}

// An increment that both sides commit is not lost, whichever side acknowledged it.
func TestIncrementOfBothSidesIsNotLost(t *testing.T) {
	r := twoSides(t)
	op := r.call(add("c2", 1))
	r.append("n3", 5, plus(2, "c2", 1))
	r.apply("n3", 5, 3)
	r.reply(op, 3)
	r.append("n1", 5, plus(1, "c2", 1), noop(1))
	r.apply("n1", 5, 3)
	r.commit("n1", 6)
	r.expect(t, AckedDurable, trace.VerdictOK, "")
	// Nor does the side that acknowledged nothing lose it unnoticed.
	r.cutOff("n2", 4, 4, noop(3))
	r.commit("n2", 4)
	r.expect(t, AckedDurable, trace.VerdictViolated, "c2's acknowledged +1 (entry 5) is lost: n2 commits")
}

// A side that committed an increment may lose it, whether it did so before or after the other
// side acknowledged it, and whether it has moved it since.
func TestSideThatAcknowledgedNothingMayLoseAnIncrement(t *testing.T) {
	for _, before := range []bool{true, false} {
		for _, moves := range []bool{true, false} {
			r := twoSides(t)
			op := r.call(add("c2", 1))
			r.append("n3", 5, plus(2, "c2", 1))
			r.apply("n3", 5, 3)
			if !before {
				r.reply(op, 3)
			}
			r.append("n1", 5, plus(1, "c2", 1))
			r.apply("n1", 5, 3)
			if before {
				r.reply(op, 3)
			}
			index := uint64(5)
			if moves {
				r.append("n2", 5, noop(3), plus(3, "c2", 1))
				r.commit("n2", 6)
				index = 6
			}
			r.expect(t, AckedDurable, trace.VerdictOK, "")
			r.append("n2", index, noop(4))
			r.commit("n2", index)
			r.expect(t, AckedDurable, trace.VerdictViolated, fmt.Sprintf("c2's acknowledged +1 (entry %d) is lost: n2 commits", index))
		}
	}
}

// An acknowledgement may come after its increment has been replaced on every node.
func TestIncrementReplacedBeforeItsAcknowledgementIsLost(t *testing.T) {
	for _, everywhere := range []bool{true, false} {
		r := twoSides(t)
		op := r.call(add("c2", 1))
		r.append("n3", 5, plus(2, "c2", 1))
		r.apply("n3", 5, 3)
		if everywhere {
			r.cutOff("n3", 4, 5, noop(1))
			r.commit("n3", 4)
		}
		r.reply(op, 3)
		if everywhere {
			r.expect(t, AckedDurable, trace.VerdictViolated, "c2's acknowledged +1 (entry 5) is lost: every node that had committed it")
		} else {
			r.expect(t, AckedDurable, trace.VerdictOK, "")
		}
	}
}

// The commit of an increment may be seen after its acknowledgement. By then the other
// side may have committed more.
func TestLateCommitOfOneSideIsLostOnTheOther(t *testing.T) {
	r := twoSides(t)
	r.append("n2", 5, noop(1), noop(1), noop(1)) // the longest log ends at 7
	op := r.call(add("c2", 1))
	r.append("n3", 5, plus(2, "c2", 1))
	r.reply(op, 3)
	r.commit("n2", 6)
	r.expect(t, AckedDurable, trace.VerdictOK, "")
	r.commit("n3", 5)
	r.expect(t, AckedDurable, trace.VerdictViolated, "c2's acknowledged +1 (entry 5) is lost: n2 commits entry 6 without it")
}

// An increment may count once on each side.
func TestIncrementCountsOnceOnEachSide(t *testing.T) {
	r := twoSides(t)
	r.append("n3", 5, plus(2, "c2", 1))
	r.apply("n3", 5, 3)
	r.append("n1", 5, noop(1), plus(1, "c2", 1), plus(1, "c2", 1))
	r.apply("n1", 6, 3)
	r.apply("n1", 7, 3) // a retry
	r.expect(t, ExactlyOnce, trace.VerdictOK, "")
	r.append("n3", 6, plus(2, "c2", 1))
	r.apply("n3", 6, 4)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "c2's +1 (seq 1) counts twice on n3, with entry 5 and again with entry 6")
}

// A side owes an increment even if a later one of the client counted on the other side.
func TestLaterIncrementOfTheOtherSideExcusesNothing(t *testing.T) {
	r := twoSides(t)
	r.append("n3", 5, plus(2, "c2", 2))
	r.apply("n3", 5, 3)
	r.append("n1", 5, plus(1, "c2", 1))
	r.apply("n1", 5, 2)
	r.expect(t, ExactlyOnce, trace.VerdictViolated, "entry 5 is +1 by c2, but n1's counter stays at 2")
}

// An unsafe recovery commits the whole log of a node, although the trace shows no node apply
// it: a retry must not count.
func TestRecoveredIncrementCounts(t *testing.T) {
	for _, counts := range []bool{false, true} {
		r := twoIncrements(t)
		r.append("n3", 4, plus(1, "c2", 1))
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
		r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n3", Index: 5, Last: 4, Term: 1})
		r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Up})
		r.apply("n3", 4, 3)
		r.append("n3", 5, plus(2, "c2", 1))
		if counts {
			r.apply("n3", 5, 4)
			r.expect(t, ExactlyOnce, trace.VerdictViolated, "with entry 4 and again with entry 5")
		} else {
			r.apply("n3", 5, 3)
			r.expect(t, ExactlyOnce, trace.VerdictOK, "")
		}
	}
}

// A node that truncates committed entries never applies the entries that replace them, and
// its state machine may still apply the old ones. Its events contradict Raft, but not each
// other.
func TestNodeThatCutsCommittedEntriesIsJudged(t *testing.T) {
	for name, c := range map[string]struct {
		committed []trace.Entry
		late      func(*historyBuilder)
	}{
		"after it applied them": {[]trace.Entry{noop(1)}, func(*historyBuilder) {}},
		"before its counter got to them": {[]trace.Entry{plus3("c2", 7)}, func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindApplied, Node: "n3", Index: 4, Term: 1, Value: 5})
			r.expect(t, StateMachineSafety, trace.VerdictOK, "") // the entry in its place is not committed yet
		}},
		"before its commit index was seen": {[]trace.Entry{noop(1), noop(1)}, func(r *historyBuilder) { r.commit("n3", 5) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := twoIncrements(t)
			r.append("n3", 4, c.committed...)
			r.commit("n3", 4)
			r.cutOff("n3", 4, 3+uint64(len(c.committed)), plus(2, "c3", 1))
			c.late(r)
			r.append("n3", 5, plus(2, "c4", 1))
			value := int64(3)
			if c.committed[0].Kind == trace.EntryAdd {
				value = 6
			}
			r.emit(trace.Event{Kind: trace.KindApplied, Node: "n3", Index: 5, Term: 2, Value: value})
			r.settle()
			for _, name := range Names() {
				if v := r.latest[name]; (v.Verdict == trace.VerdictViolated) != (name == StateMachineSafety) || v.Verdict == trace.VerdictUndecided {
					t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
				}
			}
		})
	}
}

// A leader must hold what each side has committed.
func TestLeaderHoldsTheEntriesOfEverySide(t *testing.T) {
	r := twoSides(t)
	r.elect("n2", 2, "n1")
	r.expect(t, LeaderCompleteness, trace.VerdictOK, "")
	r.elect("n1", 3, "n2")
	r.expect(t, LeaderCompleteness, trace.VerdictViolated, "n1 leads term 3 with an entry of term 1 at index 4: the one committed there, of term 2")
}

// Acknowledgements are judged in their order, whatever the clients' names are.
func TestUnconfirmedAcknowledgementsAreJudgedInOrder(t *testing.T) {
	for _, clients := range [][]string{{"a", "b", "c", "d"}, {"d", "c", "b", "a"}} {
		r := twoIncrements(t)
		for _, client := range clients {
			r.reply(r.call(add(client, 1)), 3)
		}
		r.append("n1", 4, noop(1))
		r.commit("n1", 4)
		r.expect(t, AckedDurable, trace.VerdictViolated, clients[0]+"'s increment (seq 1) was acknowledged, but no node has committed it up to entry 4")
	}
}

// The number of lineages is limited. One that no node is in is dropped.
func TestLineagesAreLimited(t *testing.T) {
	r := twoIncrements(t)
	for i := range uint64(3 * lineagesMax) {
		r.cutOff("n3", 3, 3, noop(2+i))
		r.commit("n3", 3)
	}
	if n := len(r.state.lineages); n > lineagesMax {
		t.Errorf("%d lineages are kept", n)
	}
	r.cutOff("n3", 3, 3, plus(1, "c1", 2), noop(1))
	r.commit("n3", 4)
	if n := r.state.nodes["n3"]; n.lineage != r.state.nodes["n1"].lineage || n.lineage.upTo != 4 {
		t.Errorf("a node back on the first lineage is on another one")
	}
}
