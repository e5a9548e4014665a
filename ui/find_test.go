package ui

import (
	"testing"
	"time"

	"capsize/cluster/trace"
)

func TestTheLastOfAKindIsFoundInThePast(t *testing.T) {
	s, old := killed(t)
	s.press("i")
	s.until("2 everywhere", func(st *trace.State) bool { return st.LeaderNode().Value == 2 })
	newest := newestIndex(&s.state)
	event := func() trace.Event {
		e, ok := s.history.Event(s.moment().Seq)
		if !ok || !s.travel.inPast() {
			t.Fatalf("no event of the past is shown:\n%s", s.screen())
		}
		return e
	}
	s.press("f", "a")
	if e := event(); e.Kind != trace.KindAppended || e.Index > newest || newest >= e.Index+uint64(len(e.Entries)) {
		t.Errorf("the last append of %d is %+v", newest, e)
	}
	s.press("f", "e")
	second := event()
	if second.Kind != trace.KindRole || second.Role != trace.Leader || second.Node == old {
		t.Errorf("the last election is %+v", second)
	}
	s.wants(second.Node + " becomes leader of term")
	s.press("f", "e")
	if e := event(); e.Role != trace.Leader || e.Node != old || e.Term >= second.Term {
		t.Errorf("the election before is %+v", e)
	}
	s.press("f", "e")
	s.wants("there is no election before")
	s.press("end", "f", "d")
	if e := event(); e.Process != trace.Killed || e.Node != old {
		t.Errorf("the last death is %+v", e)
	}
	for _, key := range []string{"u", "t", "v"} {
		before := s.moment()
		s.press("f", key)
		if s.moment() != before {
			t.Errorf("%s finds %+v", key, event())
		}
	}
}

func TestAnAnswerThatWasUnknownIsFound(t *testing.T) {
	s := newStage(t, 3)
	s.press("i")
	s.pass(2 * time.Second)
	for _, op := range s.state.Clients.Recent {
		op.Outcome = trace.Unknown
		s.cluster.Trace().Emit(trace.Event{Kind: trace.KindReturned, At: s.cluster.Clock().Now(), Op: &op})
	}
	s.pass(5 * time.Second)
	s.press("f", "u")
	if e, ok := s.history.Event(s.moment().Seq); !ok || e.Op == nil || e.Op.Outcome != trace.Unknown {
		t.Errorf("it finds %+v", e)
	}
}
