package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// Each acknowledged entry that is lost is reported, also those lost later.
func TestLostEntriesAreNamed(t *testing.T) {
	r := twoIncrements(t)
	r.append("n2", 3, noop(2))
	r.commit("n2", 3)
	r.append("n3", 2, noop(3))
	r.commit("n3", 2)
	var lost []string
	for _, v := range r.all {
		for i, entry := range v.Entries {
			lost = append(lost, fmt.Sprintf("%d:%s/%d", v.Index+uint64(i), entry.Client, entry.Seq))
		}
	}
	if want := []string{"3:c1/2", "2:c1/1"}; !slices.Equal(lost, want) {
		t.Errorf("lost %v, want %v", lost, want)
	}
}

// An event holds consecutive entries only: others between them are not lost.
func TestLostEntriesApartAreReportedApart(t *testing.T) {
	r := twoIncrements(t)
	op := r.call(add("c2", 1))
	r.append("n1", 4, noop(1), plus(1, "c2", 1))
	r.apply("n1", 5, 3)
	r.reply(op, 3)
	r.append("n2", 3, noop(2))
	r.commit("n2", 3)
	var lost []string
	for _, v := range r.all {
		for i, entry := range v.Entries {
			lost = append(lost, fmt.Sprintf("%d:%s", v.Index+uint64(i), entry.Client))
		}
	}
	if want := []string{"3:c1", "5:c2"}; !slices.Equal(lost, want) {
		t.Errorf("lost %v, want %v", lost, want)
	}
}

// An operation called before the trace begins may have been committed before it.
func TestAcknowledgementFromBeforeTheTraceIsExcused(t *testing.T) {
	r := blank(t)
	r.seq, r.at = 99, time.Minute
	r.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{Sessions: true}})
	r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n1", Index: 1})
	r.append("n1", 1, noop(1))
	op := add("c1", 1)
	op.ID = 1
	r.reply(op, 1)
	r.append("n1", 2, noop(1))
	r.commit("n1", 2)
	if v := r.latest[AckedDurable]; v.Verdict != trace.VerdictOK {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// Two replies prove a stale read: its own, and the greatest one before its call, even
// if that was judged long ago.
func TestStaleReadIsProvedByTwoReplies(t *testing.T) {
	r := twoIncrements(t)
	told := r.seq
	r.settle()
	r.reply(r.call(read("c2")), 1)
	stale := r.seq
	r.settle()
	if v := r.latest[Linearizable]; !slices.Equal(v.Proof, []uint64{told, stale}) || !strings.Contains(v.Text, "but 2 was already acknowledged to c1 at 27ms") {
		t.Errorf("%v: %s", v.Proof, v.Text)
	}
}

// Each check reports ok once, at the first event.
func TestEveryCheckReportsOKAtTheFirstEvent(t *testing.T) {
	r := record(t, 3)
	if len(r.all) != len(Names()) {
		t.Errorf("%d verdicts", len(r.all))
	}
	for _, name := range Names() {
		if v := r.latest[name]; v.Verdict != trace.VerdictOK || v.Kind != trace.KindVerdict || v.Text != "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A vote stored for one candidate and granted to another counts as two votes.
func TestVoteIsGrantedToItsStoredCandidate(t *testing.T) {
	r := twoIncrements(t)
	r.emit(trace.Event{Kind: trace.KindVote, Node: "n3", Term: 2, Peer: "n2"})
	stored := r.seq
	r.packet(trace.Packet{Kind: "vote", Reply: true, OK: true, From: "n3", To: "n1", Term: 2})
	if v := r.latest[VoteOnce]; v.Verdict != trace.VerdictViolated || !slices.Equal(v.Proof, []uint64{stored, stored + 1}) || !strings.Contains(v.Text, "after voting for n2") {
		t.Errorf("%s by %v: %s", v.Verdict, v.Proof, v.Text)
	}
}

// A trace that starts mid-run does not show the operations in flight before it, so
// replies that no order explains prove nothing.
func TestOperationsBeforeATraceExplainAnything(t *testing.T) {
	for _, c := range []struct {
		begins uint64
		want   trace.Verdict
	}{{1, trace.VerdictViolated}, {100, trace.VerdictUndecided}} {
		r := blank(t)
		r.seq = c.begins - 1
		r.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{ClientTimeout: time.Second, Sessions: true}})
		for _, id := range []string{"n1", "n2", "n3"} {
			r.emit(trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1})
			r.emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
		}
		r.elect("n1", 1, "n2")
		r.append("n1", 1, noop(1))
		r.at += time.Minute // every operation in flight has ended
		r.commit("n1", 1)
		r.append("n1", 2, noop(1))
		r.commit("n1", 2)
		r.reply(r.call(read("c1")), 3)
		r.reply(r.call(read("c1")), 2)
		r.settle()
		if v := r.latest[Linearizable]; v.Verdict != c.want {
			t.Errorf("a trace that starts with event %d: %s: %s", c.begins, v.Verdict, v.Text)
		}
	}
}

// The number of pending operations is limited: beyond the limit the verdict is
// undecided.
func TestTooManyPendingOperationsAreUndecided(t *testing.T) {
	r := twoIncrements(t)
	for i := range openMax + 1 {
		r.call(add(fmt.Sprintf("d%d", i), 1))
	}
	r.settle()
	if v := r.latest[Linearizable]; v.Verdict != trace.VerdictUndecided || !strings.Contains(v.Text, "too many operations are in flight") {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}
