package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/trace"
)

// What was acknowledged and then lost is told entry by entry, also what is lost later.
func TestLostEntriesAreNamed(t *testing.T) {
	r := begun(t)
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

// A stale read is proved by two answers: itself, and the greatest one that somebody
// was given before it was asked for, also if that was judged long ago.
func TestAStaleReadIsProvedByTwoAnswers(t *testing.T) {
	r := begun(t)
	told := r.seq
	r.settle()
	r.end(r.call(read("c2")), 1)
	stale := r.seq
	r.settle()
	if v := r.said[Linearizable]; !slices.Equal(v.Proof, []uint64{told, stale}) || !strings.Contains(v.Text, "although 2 had been acknowledged to c1 at 27ms") {
		t.Errorf("%v: %s", v.Proof, v.Text)
	}
}

// A check that has nothing to say yet says so, at the first event and not again.
func TestAllIsWellFromTheFirstEventOn(t *testing.T) {
	r := record(t, 3)
	if len(r.all) != len(Names()) {
		t.Errorf("%d verdicts", len(r.all))
	}
	for _, name := range Names() {
		if v := r.said[name]; v.Verdict != trace.VerdictOK || v.Kind != trace.KindVerdict || v.Text != "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A vote that was stored for one candidate and is granted to another is a second one.
func TestAVoteIsGrantedToWhomItWasStoredFor(t *testing.T) {
	r := begun(t)
	r.emit(trace.Event{Kind: trace.KindVote, Node: "n3", Term: 2, Peer: "n2"})
	stored := r.seq
	r.packet(trace.Packet{Kind: "vote", Reply: true, OK: true, From: "n3", To: "n1", Term: 2})
	if v := r.said[VoteOnce]; v.Verdict != trace.VerdictViolated || !slices.Equal(v.Proof, []uint64{stored, stored + 1}) || !strings.Contains(v.Text, "had voted for n2") {
		t.Errorf("%s by %v: %s", v.Verdict, v.Proof, v.Text)
	}
}

// Of a trace that begins in the middle it is not known what was under way before, so
// that answers which no order explains prove nothing.
func TestWhatWasUnderWayBeforeATraceMayExplainAnything(t *testing.T) {
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
		r.at += time.Minute // whatever was under way has ended
		r.commit("n1", 1)
		r.append("n1", 2, noop(1))
		r.commit("n1", 2)
		r.end(r.call(read("c1")), 3)
		r.end(r.call(read("c1")), 2)
		r.settle()
		if v := r.said[Linearizable]; v.Verdict != c.want {
			t.Errorf("a trace that begins with event %d: %s: %s", c.begins, v.Verdict, v.Text)
		}
	}
}

// What waits for its answer is bounded: of more it is said that nothing can be said.
func TestMoreThanCanBeJudgedTogetherIsUndecided(t *testing.T) {
	r := begun(t)
	for i := range openMax + 1 {
		r.call(add(fmt.Sprintf("d%d", i), 1))
	}
	r.settle()
	if v := r.said[Linearizable]; v.Verdict != trace.VerdictUndecided || !strings.Contains(v.Text, "more operations are under way") {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// A count is told now and then while operations come, and to the last one when no more do.
func TestTheLastOperationsAreCountedWhenNoMoreCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := begun(t)
		for count := uint64(2); count <= 4; count++ {
			time.Sleep(2 * time.Second)
			r.emit(trace.Event{Kind: trace.KindCaption, Text: "so far"})
			if v := r.said[Linearizable]; v.Count != count {
				t.Errorf("%d operations are counted, of %d", v.Count, count)
			}
			r.end(r.call(read("c2")), 2)
		}
	})
}
