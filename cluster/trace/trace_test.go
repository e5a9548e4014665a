package trace_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/tracetest"

	"pgregory.net/rapid"
)

func TestApplyNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s trace.State
		for _, e := range rapid.SliceOfN(tracetest.AnyEvent(), 0, 60).Draw(t, "events") {
			s.Apply(&e)
			tracetest.Read(&s)
			for i := range s.Nodes {
				if at := s.Node(s.Nodes[i].ID); at != &s.Nodes[i] {
					t.Fatalf("Node(%q) returns another node", s.Nodes[i].ID)
				}
			}
		}
	})
}

// FuzzApply is TestApplyNeverPanics for the fuzzer, which draws longer and stranger events.
func FuzzApply(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		var s trace.State
		for _, e := range rapid.SliceOf(tracetest.AnyEvent()).Draw(t, "events") {
			s.Apply(&e)
			tracetest.Read(&s)
		}
	}))
}

// TestCloneIsIndependent applies different events to a state and to its clone.
func TestCloneIsIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s trace.State
		for _, e := range rapid.SliceOfN(tracetest.AnyEvent(), 0, 40).Draw(t, "before") {
			s.Apply(&e)
		}
		clone := s.Clone()
		was := tracetest.Text(&s)
		if got := tracetest.Text(&clone); got != was {
			t.Fatalf("the clone differs:\n%s\n%s", got, was)
		}
		ways := rapid.SliceOfN(tracetest.AnyEvent(), 1, 40)
		for _, e := range ways.Draw(t, "original") {
			s.Apply(&e)
		}
		if got := tracetest.Text(&clone); got != was {
			t.Fatalf("events of the original show in the clone:\n%s\n%s", got, was)
		}
		now := tracetest.Text(&s)
		for _, e := range ways.Draw(t, "clone") {
			clone.Apply(&e)
		}
		if got := tracetest.Text(&s); got != now {
			t.Fatalf("events of the clone show in the original:\n%s\n%s", got, now)
		}
	})
}

// TestCloneCanBeReadWhileTheOriginalChanges is for the race detector.
func TestCloneCanBeReadWhileTheOriginalChanges(*testing.T) {
	var log trace.Stream
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s := log.State()
					tracetest.Read(&s)
					_ = tracetest.Text(&s)
				}
			}
		})
	}
	gen := tracetest.AnyEvent()
	for i := range 2000 {
		log.Emit(gen.Example(i))
	}
	close(stop)
	readers.Wait()
}

func TestConcurrentEmitNumbersEveryEventOnce(t *testing.T) {
	var log trace.Stream
	const goroutines, each = 8, 500
	var seen []trace.Event
	log.Subscribe(func(e trace.Event) { seen = append(seen, e) })
	var writers sync.WaitGroup
	for g := range goroutines {
		writers.Go(func() {
			for i := range each {
				if i%2 == 0 {
					log.EmitPacket(time.Duration(i), &trace.Packet{ID: uint64(g*each + i), Status: trace.Sent})
				} else {
					log.Emit(trace.Event{At: time.Duration(i), Kind: trace.KindTerm, Node: fmt.Sprintf("n%d", g), Term: uint64(i)})
				}
			}
		})
	}
	writers.Wait()
	state := log.State()
	if len(seen) != goroutines*each || state.Seq != goroutines*each || state.Traffic.Sent != goroutines*each/2 {
		t.Fatalf("%d events, the last one numbered %d, %d packets", len(seen), state.Seq, state.Traffic.Sent)
	}
	for i, e := range seen {
		if e.Seq != uint64(i+1) || i > 0 && e.At < seen[i-1].At {
			t.Fatalf("event %d has number %d and time %v after %v", i, e.Seq, e.At, seen[max(i-1, 0)].At)
		}
	}
	// The events that subscribers get add up to the same state.
	var folded trace.State
	for _, e := range seen {
		folded.Apply(&e)
	}
	if got, want := tracetest.Text(&folded), tracetest.Text(&state); got != want {
		t.Errorf("applied again, the events add up to another state:\n%s\n%s", got, want)
	}
}

func TestNamesSortInNaturalOrder(t *testing.T) {
	want := []string{"a", "a1", "n", "n1", "n2", "n9", "n10", "n010", "n99", "n100", "n99999999999999999998", "n99999999999999999999", "zoe"}
	var s trace.State
	for _, i := range []int{5, 0, 11, 3, 12, 7, 1, 9, 2, 10, 6, 4, 8} {
		s.Apply(&trace.Event{Kind: trace.KindTerm, Node: want[i]})
	}
	var got []string
	for i := range s.Nodes {
		got = append(got, s.Nodes[i].ID)
	}
	slices.SortFunc(want, trace.CompareNames)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i, a := range want {
		for j, b := range want {
			if got, want := trace.CompareNames(a, b), compareInts(i, j); got != want {
				t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
			}
		}
	}
	if trace.CompareNames("n2", "n10") >= 0 || trace.CompareNames("n9", "n10") >= 0 || trace.CompareNames("n1", "zoe") >= 0 {
		t.Error("n2 must come before n10")
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
