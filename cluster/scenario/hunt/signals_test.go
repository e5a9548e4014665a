package hunt

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

// pair returns the state of two nodes that both lead, n2 in the later term, with logs of the given
// terms.
func pair(first, second []trace.Entry) *trace.State {
	s := &trace.State{Commit: 1, Nodes: []trace.Node{
		{ID: "n1", Process: trace.Up, Role: trace.Leader, Term: 2, First: 1, Entries: first, Commit: 1},
		{ID: "n2", Process: trace.Up, Role: trace.Leader, Term: 3, First: 1, Entries: second, Commit: 1},
	}}
	s.IndexNodes()
	return s
}

func entries(kind trace.EntryKind, terms ...uint64) []trace.Entry {
	all := []trace.Entry{{Term: 1, Kind: trace.EntryConfig}}
	for _, term := range terms {
		all = append(all, trace.Entry{Term: term, Kind: kind})
	}
	return all
}

func TestSignalsOfAState(t *testing.T) {
	same := pair(entries(trace.EntryAdd, 2), entries(trace.EntryAdd, 2))
	if got := standing(same); got != 0 {
		t.Errorf("equal logs: %s", got)
	}
	differing := pair(entries(trace.EntryAdd, 2), entries(trace.EntryAdd, 3, 3))
	if got := standing(differing); got != Conflict {
		t.Errorf("different terms at one index: %s", got)
	}
	member := pair(entries(trace.EntryConfig, 2), entries(trace.EntryConfig, 2))
	if got := standing(member); got != MemberInFlight {
		t.Errorf("an uncommitted change of the members: %s", got)
	}
}

func TestSignalsOfAnEvent(t *testing.T) {
	s := pair(entries(trace.EntryAdd, 2), entries(trace.EntryAdd, 3))
	s.Nodes[1].DiskFault = "slow"
	for _, test := range []struct {
		event trace.Event
		want  Signals
	}{
		{trace.Event{Kind: trace.KindAppended, Node: "n1"}, DeposedAppends},
		{trace.Event{Kind: trace.KindAppended, Node: "n2", Seq: 100}, 0},
		{trace.Event{Kind: trace.KindInstalled, Node: "n2", Seq: 120}, SnapshotOverAppend},
		{trace.Event{Kind: trace.KindInstalled, Node: "n2", Seq: 100 + justAppended}, 0},
		{trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 3}, NearlyLost},
		{trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 4}, 0},
		{trace.Event{Kind: trace.KindVote, Node: "n2"}, VoteOnBrokenDisk},
		{trace.Event{Kind: trace.KindVote, Node: "n1"}, 0},
	} {
		appended := map[string]uint64{"n2": 100}
		if got := passing(&test.event, s, appended); got != test.want {
			t.Errorf("%s on %s: got %s, want %s", test.event.Kind, test.event.Node, got, test.want)
		}
	}
}

func TestSignalsThatTakeTime(t *testing.T) {
	s := pair(entries(trace.EntryAdd, 2), entries(trace.EntryAdd, 3))
	l := newLasting()
	see := func(at time.Duration, e trace.Event) Signals {
		e.At = at
		return l.see(&e, s)
	}
	const start = 10 * time.Second
	for _, step := range []struct {
		after time.Duration
		want  Signals
	}{
		{0, 0}, {brief, 0}, {brief + 1, TwoLeaders}, {long, TwoLeaders}, {long + 1, TwoLeaders | TwoLeadersLong | CannotCommit},
	} {
		if got := see(start+step.after, trace.Event{Kind: trace.KindInvoked}); got != step.want {
			t.Errorf("after %s: got %s, want %s", step.after, got, step.want)
		}
	}
}

func TestLeaderThatStepsDownBesideItsMainLoop(t *testing.T) {
	follow := func(l *lasting, s *trace.State, at time.Duration, e trace.Event) Signals {
		e.Node, e.At = "n1", at
		return l.see(&e, s) & HalfDeposed
	}
	for name, disk := range map[string]string{"healthy disk": "", "slow disk": "slow"} {
		s := pair(entries(trace.EntryAdd, 2), entries(trace.EntryAdd, 2))
		s.Nodes[0].DiskFault = disk
		l := newLasting()
		follow(&l, s, time.Second, trace.Event{Kind: trace.KindRole, Role: trace.Leader})
		if got := follow(&l, s, 2*time.Second, trace.Event{Kind: trace.KindRole, Role: trace.Follower}); got != 0 {
			t.Errorf("%s, at once: %s", name, got)
		}
		got := follow(&l, s, 2*time.Second+1, trace.Event{Kind: trace.KindTerm, Term: 3})
		if want := disk == ""; (got == HalfDeposed) != want {
			t.Errorf("%s, a moment later: %s", name, got)
		}
		if got := follow(&l, s, 3*time.Second, trace.Event{Kind: trace.KindLogLine, Text: "[INFO]  entering follower state: x"}); got != 0 {
			t.Errorf("%s, once the main loop has noticed: %s", name, got)
		}
	}
}
