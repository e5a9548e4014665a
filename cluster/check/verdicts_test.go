package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
