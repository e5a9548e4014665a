package history

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/tracetest"

	"pgregory.net/rapid"
)

// kept is a history with the plain lists of events and states that it must agree with.
type kept struct {
	h      *History
	events []trace.Event
	states []trace.State // states[i] follows events[i-1]
}

func keep(budget int64, events []trace.Event) *kept {
	k := &kept{h: New(budget)}
	var l trace.Stream
	l.AddSink(k.h)
	l.Subscribe(func(e trace.Event) { k.events = append(k.events, e) })
	k.states = append(k.states, l.State())
	for _, e := range events {
		if e.Kind == trace.KindPacket && e.Packet != nil {
			l.EmitPacket(e.At, e.Packet)
		} else {
			l.Emit(e)
		}
		k.states = append(k.states, l.State())
	}
	return k
}

// TestHistoryReturnsEveryMomentItHolds compares a history with plain lists of events and
// states, for budgets that hold everything and budgets that hold little.
func TestHistoryReturnsEveryMomentItHolds(t *testing.T) {
	chunks, dropped := 0, uint64(0)
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.SampledFrom([]int64{1 << 10, 1 << 13, 1 << 15, 1 << 30}).Draw(t, "budget")
		// Repeated, so the state stays small, as in a real run, and there are several
		// chunks.
		events := slices.Repeat(rapid.SliceOfN(tracetest.AnyEvent(), 0, 60).Draw(t, "events"), 20)
		k := keep(budget, events)
		first, last := k.h.Span()
		if last.Seq != uint64(len(k.events)) || last.At != k.states[len(k.events)].At {
			t.Fatalf("the history ends at %+v", last)
		}
		if first.Seq != k.h.Dropped() || first.At != k.states[first.Seq].At || budget == 1<<30 && first.Seq != 0 {
			t.Fatalf("the history begins at %+v with %d events dropped", first, k.h.Dropped())
		}
		if bytes := k.h.Bytes(); bytes > budget && len(k.h.chunks) > 1 {
			t.Fatalf("the history takes %d bytes of %d in %d chunks", bytes, budget, len(k.h.chunks))
		}
		k.checkStates(t, first.Seq)
		k.checkEvents(t, first.Seq)
		chunks, dropped = max(chunks, len(k.h.chunks)), max(dropped, first.Seq)
	})
	if chunks < 4 || dropped == 0 {
		t.Errorf("at most %d chunks and %d events dropped: the test covers too little", chunks, dropped)
	}
}

// some calls f with some numbers below a limit, in any order.
func some(t *rapid.T, below int, f func(n uint64)) {
	for _, n := range rapid.SliceOfN(rapid.Uint64Range(0, uint64(below-1)), 1, 40).Draw(t, "numbers") {
		f(n)
	}
}

// emptied returns a state with nil for every empty list: a copy may keep the empty list of
// an earlier state.
func emptied(s trace.State) trace.State {
	for _, list := range []any{&s.Nodes, &s.Faults, &s.InFlight, &s.Story, &s.LeaderTerms, &s.Checks, &s.Clients.Pending} {
		if v := reflect.ValueOf(list).Elem(); v.Len() == 0 {
			v.SetZero()
		}
	}
	return s
}

func (k *kept) checkStates(t *rapid.T, first uint64) {
	var state trace.State
	// In any order, so cursors are left and returned to.
	some(t, len(k.states)+1, func(seq uint64) {
		i := int(seq)
		held := k.h.StateAt(seq, &state)
		if want := seq >= first && i < len(k.states); held != want {
			t.Fatalf("event %d: held is %t", seq, held)
		}
		if held && !reflect.DeepEqual(emptied(state), emptied(k.states[i])) {
			t.Fatalf("the state after event %d is\n%+v, want\n%+v", seq, state, k.states[i])
		}
	})
	some(t, len(k.states), func(before uint64) {
		// True now and then, so the last match may be chunks ago.
		is := func(e *trace.Event) bool { return e.Seq%509 < 9 && e.Kind != trace.KindVote }
		want, found := uint64(0), false
		for i := range k.events {
			if e := &k.events[i]; e.Seq > first && e.Seq < before && trace.IsSignificant(e) && is(e) {
				want, found = e.Seq, true
			}
		}
		if got, ok := k.h.FindLast(before, is); got != want || ok != found {
			t.Fatalf("the last match before %d is %d (%t), want %d (%t)", before, got, ok, want, found)
		}
	})
}

func (k *kept) checkEvents(t *rapid.T, first uint64) {
	events := k.events[first:] // those the history holds
	some(t, len(k.events)+2, func(seq uint64) {
		got, ok := k.h.Event(seq)
		if held := seq > first && seq <= uint64(len(k.events)); ok != held {
			t.Fatalf("event %d: held is %t", seq, ok)
		}
		if ok && !reflect.DeepEqual(got, k.events[seq-1]) {
			t.Fatalf("event %d is %+v, want %+v", seq, got, k.events[seq-1])
		}
		want, found := slices.IndexFunc(events, func(e trace.Event) bool { return e.Seq > seq && trace.IsSignificant(&e) }), uint64(0)
		if want >= 0 {
			found = events[want].Seq
		}
		if got, ok := k.h.Next(seq); got != found || ok != (want >= 0) {
			t.Fatalf("Next(%d) = %d (%t), want %d", seq, got, ok, found)
		}
		found, ok = 0, false
		for _, e := range events {
			if e.Seq < seq && trace.IsSignificant(&e) {
				found, ok = e.Seq, true
			}
		}
		if got, held := k.h.Prev(seq); got != found || ok != held {
			t.Fatalf("Prev(%d) = %d (%t), want %d", seq, got, held, found)
		}
	})
	from := rapid.Uint64Range(0, uint64(len(k.events)+1)).Draw(t, "from")
	to := rapid.Uint64Range(0, uint64(len(k.events)+1)).Draw(t, "to")
	most := rapid.IntRange(1, len(k.events)+1).Draw(t, "most")
	var all, significant []uint64
	for _, e := range events {
		if e.Seq < from || e.Seq > to {
			continue
		}
		if len(all) < most {
			all = append(all, e.Seq)
		}
		if len(significant) < most && trace.IsSignificant(&e) {
			significant = append(significant, e.Seq)
		}
	}
	collect := func(each func(uint64, uint64, func(*trace.Event) bool)) (seqs []uint64) {
		each(from, to, func(e *trace.Event) bool {
			seqs = append(seqs, e.Seq)
			return len(seqs) < most
		})
		return seqs
	}
	if got := collect(k.h.Events); !slices.Equal(got, all) {
		t.Fatalf("Events(%d, %d) = %v, want %v", from, to, got, all)
	}
	if got := collect(k.h.Significant); !slices.Equal(got, significant) {
		t.Fatalf("Significant(%d, %d) = %v, want %v", from, to, got, significant)
	}
}

func TestSeqAtFindsTheLastEventAtOrBeforeATime(t *testing.T) {
	for _, budget := range []int64{1 << 12, 1 << 30} {
		var events []trace.Event
		for i := range 1000 {
			e := trace.Event{At: time.Duration(i/3*10 + 10), Kind: trace.KindTerm, Node: "n1", Term: 7}
			if i%2 == 0 {
				e = trace.Event{At: e.At, Kind: trace.KindPacket, Packet: &trace.Packet{ID: uint64(i + 1), Kind: "heartbeat", Status: trace.Sent}}
			}
			events = append(events, e)
		}
		k := keep(budget, events)
		first, last := k.h.Span()
		if (budget == 1<<12) != (first.Seq > 0) {
			t.Errorf("with a budget of %d bytes the history begins at %+v", budget, first)
		}
		for at := time.Duration(-1); at < 3500; at++ {
			want := first.Seq
			for _, e := range k.events {
				if e.At <= at && e.Seq > first.Seq {
					want = e.Seq
				}
			}
			if got := k.h.SeqAt(at); got != want {
				t.Fatalf("SeqAt(%d) = %d, want %d of %d to %d", at, got, want, first.Seq, last.Seq)
			}
		}
	}
}

func TestEmptyHistoryHoldsNothing(t *testing.T) {
	h := New(DefaultBudget)
	var s trace.State
	if h.StateAt(0, &s) {
		t.Error("StateAt returns a state")
	}
	if first, last := h.Span(); first != last || first != (trace.Position{}) || h.SeqAt(5) != 0 || h.Bytes() != 0 {
		t.Errorf("the span is %+v to %+v", first, last)
	}
	if _, ok := h.Next(0); ok {
		t.Error("Next returns an event")
	}
	if _, ok := h.Prev(5); ok {
		t.Error("Prev returns an event")
	}
	if _, ok := h.FindLast(5, func(*trace.Event) bool { return true }); ok {
		t.Error("FindLast returns an event")
	}
}

// TestHistoryCanBeReadWhileItGrows is for the race detector.
func TestHistoryCanBeReadWhileItGrows(t *testing.T) {
	h := New(1 << 15)
	var l trace.Stream
	l.AddSink(h)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for g := range uint64(3) {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(g, 0))
			var s trace.State
			for {
				select {
				case <-stop:
					return
				default:
				}
				first, last := h.Span()
				seq := first.Seq + rng.Uint64N(last.Seq-first.Seq+1)
				// The moment may be evicted by now, but must never be another one.
				if h.StateAt(seq, &s) && s.Seq != seq {
					t.Errorf("asked for event %d, got %d", seq, s.Seq)
				}
				tracetest.Read(&s)
				if e, ok := h.Event(seq); ok && e.Seq != seq {
					t.Errorf("asked for event %d, got %d", seq, e.Seq)
				}
				h.Significant(seq, seq+50, func(*trace.Event) bool { return true })
				_, _ = h.Prev(seq)
			}
		})
	}
	gen := tracetest.AnyEvent()
	for i := range 3000 {
		e := gen.Example(i)
		e.At = time.Duration(i)
		l.Emit(e)
	}
	close(stop)
	readers.Wait()
}
