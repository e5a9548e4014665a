package trace

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// kinds are all kinds of events, and one that there is not.
var kinds = []Kind{
	KindSettings, KindProcess, KindRole, KindTerm, KindVote, KindLeader, KindConfig, KindLoaded, KindAppended, KindTruncated,
	KindCompacted, KindCommitted, KindApplied, KindSnapshot, KindInstalled, KindPacket, KindLinkFault, KindDiskFault,
	KindClockFault, KindShape, KindHealed, KindInvoked, KindReturned, KindCommand, KindRefused, KindChapter, KindCaption,
	KindVerdict, KindLogLine, "nonsense",
}

// anyNumber draws small numbers, which make sense together, and monstrous ones.
func anyNumber() *rapid.Generator[uint64] {
	return rapid.OneOf(
		rapid.Uint64Range(0, 12), rapid.Uint64Range(0, 12), rapid.Uint64(),
		rapid.SampledFrom([]uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 62, 1<<62 + 1, 1 << 63, math.MaxInt64}),
	)
}

func anyNode() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"n1", "n2", "n3", "n10", "", "\x1b[2J", "99999999999999999999"})
}

// anyEvent draws events of all kinds, whether they make sense or not.
func anyEvent() *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		e := Event{
			Seq: anyNumber().Draw(t, "seq"), At: time.Duration(rapid.Int64().Draw(t, "at")),
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Node: anyNode().Draw(t, "node"), Peer: anyNode().Draw(t, "peer"),
			Process: rapid.SampledFrom([]ProcessState{Up, Up, Paused, Killed, Off, Crashed, Removed, Wiped, "?", ""}).Draw(t, "life"),
			Role:    rapid.SampledFrom([]Role{Follower, Candidate, Leader, "?"}).Draw(t, "role"),
			Term:    anyNumber().Draw(t, "term"), Index: anyNumber().Draw(t, "index"), Last: anyNumber().Draw(t, "last"),
			Value: rapid.Int64().Draw(t, "value"), Factor: rapid.Float64().Draw(t, "factor"), Text: rapid.SampledFrom([]string{"", "stall", "?%s"}).Draw(t, "text"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			e.Entries = append(e.Entries, Entry{Term: anyNumber().Draw(t, "entry"), Kind: rapid.SampledFrom([]EntryKind{EntryAdd, EntryNoop, "?"}).Draw(t, "entry kind")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "servers") {
			e.Servers = append(e.Servers, Server{ID: anyNode().Draw(t, "server"), Voter: rapid.Bool().Draw(t, "voter")})
		}
		e.Faults = rapid.SampledFrom([][]string{nil, {"cut"}, {"lose 100%", "?"}}).Draw(t, "faults")
		if rapid.Bool().Draw(t, "packet") {
			e.Packet = &Packet{
				ID: anyNumber().Draw(t, "id"), Status: rapid.SampledFrom([]PacketStatus{Sent, Delivered, Lost, "?"}).Draw(t, "fate"),
				From: anyNode().Draw(t, "from"), To: anyNode().Draw(t, "to"),
				Kind:  rapid.SampledFrom([]string{"append", "heartbeat", "vote", "prevote", "snapshot", "timeout-now", "?"}).Draw(t, "packet kind"),
				Reply: rapid.Bool().Draw(t, "reply"), OK: rapid.Bool().Draw(t, "ok"), Term: anyNumber().Draw(t, "packet term"), LastIndex: anyNumber().Draw(t, "last index"),
			}
		}
		if rapid.Bool().Draw(t, "op") {
			e.Op = &Op{ID: 1, Kind: EntryAdd, Outcome: rapid.SampledFrom([]Outcome{OK, Failed, Unknown, Pending, "?"}).Draw(t, "outcome")}
		}
		if rapid.Bool().Draw(t, "settings") {
			e.Settings = &Settings{PreVote: rapid.Bool().Draw(t, "prevote"), Lease: time.Second}
		}
		return e
	})
}

// deep returns a copy of a state that shares nothing with it, by way of text.
func deep(s *State) string {
	c := *s
	c.index = nil
	return fmt.Sprintf("%+v", c)
}

// look calls everything that reads a state, none of which may panic.
func look(s *State) {
	_ = s.NoLeader()
	_ = s.PacketsInFlight()
	for i := range s.Nodes {
		n := &s.Nodes[i]
		_, _ = n.Entry(n.LastIndex())
		_, _ = n.LastTerm(), s.Isolated(n.ID)
		_ = s.CanSend(n.ID, "n1")
	}
}

func TestNoEventMakesTheStatePanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		for _, e := range rapid.SliceOfN(anyEvent(), 0, 60).Draw(t, "events") {
			s.Apply(e)
			look(&s)
			for i := range s.Nodes {
				if at := s.Node(s.Nodes[i].ID); at != &s.Nodes[i] {
					t.Fatalf("Node(%q) is another one", s.Nodes[i].ID)
				}
			}
		}
	})
}

// FuzzApply is the same for the fuzzer, which draws longer and stranger ones.
func FuzzApply(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		var s State
		for _, e := range rapid.SliceOf(anyEvent()).Draw(t, "events") {
			s.Apply(e)
			look(&s)
		}
	}))
}

// TestACloneIsIndependent lets a state and its clone go different ways, neither
// of which may show in the other.
func TestACloneIsIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		for _, e := range rapid.SliceOfN(anyEvent(), 0, 40).Draw(t, "before") {
			s.Apply(e)
		}
		clone := s.Clone()
		was := deep(&s)
		if got := deep(&clone); got != was {
			t.Fatalf("the clone differs:\n%s\n%s", got, was)
		}
		ways := rapid.SliceOfN(anyEvent(), 1, 40)
		for _, e := range ways.Draw(t, "original") {
			s.Apply(e)
		}
		if got := deep(&clone); got != was {
			t.Fatalf("the original's way shows in the clone:\n%s\n%s", got, was)
		}
		now := deep(&s)
		for _, e := range ways.Draw(t, "clone") {
			clone.Apply(e)
		}
		if got := deep(&s); got != now {
			t.Fatalf("the clone's way shows in the original:\n%s\n%s", got, now)
		}
	})
}

// TestACloneMayBeReadWhileTheOriginalGoesOn is for the race detector.
func TestACloneMayBeReadWhileTheOriginalGoesOn(*testing.T) {
	var log Stream
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
					look(&s)
					_ = deep(&s)
				}
			}
		})
	}
	gen := anyEvent()
	for i := range 2000 {
		log.Emit(gen.Example(i))
	}
	close(stop)
	readers.Wait()
}

func TestEmitFromManyGoroutinesNumbersEveryEventOnce(t *testing.T) {
	var log Stream
	const goroutines, each = 8, 500
	var seen []Event
	log.Subscribe(func(e Event) { seen = append(seen, e) })
	var writers sync.WaitGroup
	for g := range goroutines {
		writers.Go(func() {
			for i := range each {
				if i%2 == 0 {
					log.EmitPacket(time.Duration(i), &Packet{ID: uint64(g*each + i), Status: Sent})
				} else {
					log.Emit(Event{At: time.Duration(i), Kind: KindTerm, Node: fmt.Sprintf("n%d", g), Term: uint64(i)})
				}
			}
		})
	}
	writers.Wait()
	state := log.State()
	if len(seen) != goroutines*each || state.Seq != goroutines*each || state.Traffic.Sent != goroutines*each/2 {
		t.Fatalf("%d events, the last is number %d, %d packets", len(seen), state.Seq, state.Traffic.Sent)
	}
	for i, e := range seen {
		if e.Seq != uint64(i+1) || i > 0 && e.At < seen[i-1].At {
			t.Fatalf("event %d has number %d and time %v after %v", i, e.Seq, e.At, seen[max(i-1, 0)].At)
		}
	}
	// What the subscribers see adds up to the same state.
	var folded State
	for _, e := range seen {
		folded.Apply(e)
	}
	if got, want := deep(&folded), deep(&state); got != want {
		t.Errorf("folded again the events give another state:\n%s\n%s", got, want)
	}
}

func TestNamesAreOrderedAsPeopleDo(t *testing.T) {
	want := []string{"a", "a1", "n", "n1", "n2", "n9", "n10", "n010", "n99", "n100", "n99999999999999999998", "n99999999999999999999", "zoe"}
	var s State
	for _, i := range []int{5, 0, 11, 3, 12, 7, 1, 9, 2, 10, 6, 4, 8} {
		s.Apply(Event{Kind: KindTerm, Node: want[i]})
	}
	var got []string
	for i := range s.Nodes {
		got = append(got, s.Nodes[i].ID)
	}
	slices.SortFunc(want, CompareNames)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i, a := range want {
		for j, b := range want {
			if got, want := CompareNames(a, b), compareInts(i, j); got != want {
				t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
			}
		}
	}
	if CompareNames("n2", "n10") >= 0 || CompareNames("n9", "n10") >= 0 || CompareNames("n1", "zoe") >= 0 {
		t.Error("n2 comes before n10")
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
