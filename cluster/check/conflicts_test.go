package check

import (
	"maps"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// violatedBy returns the checks that these events violate on a new cluster of three
// nodes.
func violatedBy(t *testing.T, events ...trace.Event) map[string]bool {
	t.Helper()
	first := []trace.Event{{Kind: trace.KindSettings, Settings: &trace.Settings{Sessions: true}}}
	for _, id := range []string{"n1", "n2", "n3"} {
		first = append(first, trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1}, trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	c := New(nil)
	defer c.Close()
	violated := map[string]bool{}
	for i, e := range append(first, events...) {
		e.Seq, e.At = uint64(i+1), time.Duration(i)*time.Millisecond
		for _, v := range c.Observe(&e) {
			if v.Verdict != trace.VerdictOK {
				t.Logf("event %d: %s %s: %s", e.Seq, v.Check, v.Verdict, v.Text)
				violated[v.Check] = true
			}
		}
	}
	return violated
}

// The entries a follower had before it installed a snapshot stay in its log, and mean
// nothing any more (hashicorp/raft #697).
func TestSnapshotReplacesAnOlderLog(t *testing.T) {
	entry := func(term uint64, client string) trace.Entry {
		return trace.Entry{Term: term, Kind: trace.EntryAdd, Delta: 1, Client: client, Seq: 1}
	}
	events := []trace.Event{
		{Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: []trace.Entry{entry(1, "c1"), entry(1, "c2"), entry(1, "c3"), entry(1, "c4")}},
		{Kind: trace.KindAppended, Node: "n2", Index: 1, Entries: []trace.Entry{entry(2, "c5"), entry(2, "c6")}},
		{Kind: trace.KindCommitted, Node: "n2", Index: 2},
		{Kind: trace.KindInstalled, Node: "n1", Index: 2, Term: 2, Value: 2},
		{Kind: trace.KindCommitted, Node: "n1", Index: 2},
		{Kind: trace.KindAppended, Node: "n3", Index: 1, Entries: []trace.Entry{entry(2, "c5")}},
		{Kind: trace.KindCommitted, Node: "n3", Index: 1},
	}
	for range 2 {
		if got := violatedBy(t, events...); len(got) > 0 {
			t.Errorf("violated: %v", got)
		}
		events[2], events[3] = events[3], events[2] // the sender's commit may be seen after it
	}
}

func TestEntriesOfOneIndexAndTermAreToldApart(t *testing.T) {
	one := trace.Entry{Term: 1, Kind: trace.EntryAdd, Delta: 1, Client: "c1", Seq: 1}
	ten := trace.Entry{Term: 1, Kind: trace.EntryAdd, Delta: 10, Client: "c2", Seq: 1}
	op := trace.Op{ID: 1, Client: "c1", Kind: trace.EntryAdd, Delta: 1, Seq: 1}
	told := op
	told.Outcome, told.Value = trace.OK, 1
	events := []trace.Event{
		{Kind: trace.KindInvoked, Op: &op},
		{Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: []trace.Entry{one}},
		{Kind: trace.KindCommitted, Node: "n1", Index: 1},
		{Kind: trace.KindApplied, Node: "n1", Index: 1, Value: 1},
		{Kind: trace.KindReturned, Op: &told},
	}
	if got := violatedBy(t, events...); len(got) > 0 {
		t.Errorf("violated: %v", got)
	}
	for _, id := range []string{"n2", "n3"} {
		events = append(events,
			trace.Event{Kind: trace.KindAppended, Node: id, Index: 1, Entries: []trace.Entry{ten}},
			trace.Event{Kind: trace.KindCommitted, Node: id, Index: 1},
			trace.Event{Kind: trace.KindApplied, Node: id, Index: 1, Value: 10},
		)
	}
	want := map[string]bool{LogMatching: true, StateMachineSafety: true, AckedDurable: true}
	if got := violatedBy(t, events...); !maps.Equal(got, want) {
		t.Errorf("violated: %v, not %v", got, want)
	}
}
