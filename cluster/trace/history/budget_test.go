package history

import (
	"fmt"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// TestFullHistoryUsesItsBudget fills a history several times over with names and texts that never recur. It
// must hold about as much as fits, not only the latest chunk.
func TestFullHistoryUsesItsBudget(t *testing.T) {
	const budget = 1 << 20
	h := New(budget)
	var s trace.Stream
	s.AddSink(h)
	for i := range 60_000 {
		s.Emit(trace.Event{At: time.Duration(i), Kind: trace.KindCommand, Peer: fmt.Sprint("client-", i), Text: fmt.Sprintf("command number %d, and no other", i)})
	}
	if h.Dropped() < 20_000 {
		t.Fatalf("only %d events were dropped: the test fills too little", h.Dropped())
	}
	if got := h.Bytes(); got > budget || got < budget/2 {
		t.Errorf("the history takes %d bytes, want at most its budget of %d and at least half of it", got, budget)
	}
	// A command takes about as much as its text, the table's entry, and its time.
	first, last := h.Span()
	if held := last.Seq - first.Seq; held < budget/2/150 {
		t.Errorf("the history holds %d events, want at least %d", held, budget/2/150)
	}
}

// TestConsecutiveEventsNeedNoNumber holds what makes a million events fit: the number of an event
// is only written where it does not follow from the one before.
func TestConsecutiveEventsNeedNoNumber(t *testing.T) {
	size := func(step uint64) int {
		var all stringTable
		w := deltaCodec{table: &all}
		for i := range uint64(100) {
			w.event(&trace.Event{Seq: 1000 + i*step, Kind: trace.KindTerm, Node: "n1", Term: 7}, false)
		}
		return len(w.buf)
	}
	// The first number is written in either case.
	if one, apart := size(1), size(2); apart-one < 99 || apart-one > 200 {
		t.Errorf("100 events in a row take %d bytes, with gaps between them %d, want a byte or two less for each", one, apart)
	}
}
