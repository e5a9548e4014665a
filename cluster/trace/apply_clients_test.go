package trace

import (
	"fmt"
	"testing"
	"time"
)

func TestAnOperationIsPendingFromItsCallToItsAnswer(t *testing.T) {
	var s State
	for id := uint64(1); id <= 3; id++ {
		s.Apply(&Event{Seq: id, Kind: KindInvoked, Op: &Op{ID: id, Client: fmt.Sprintf("c%d", id)}})
	}
	clone := s.Clone()
	s.Apply(&Event{Seq: 4, Kind: KindReturned, Op: &Op{ID: 2, Outcome: OK}})
	if p := s.Clients.Pending; len(p) != 2 || p[0].ID != 1 || p[1].ID != 3 || s.Clients.InFlight != 2 {
		t.Errorf("pending are %v, %d in flight; want 1 and 3", p, s.Clients.InFlight)
	}
	if op := s.Clients.Recent[0]; op.CallSeq != 2 || op.ReturnSeq != 4 {
		t.Errorf("its events are %d and %d, want 2 and 4", op.CallSeq, op.ReturnSeq)
	}
	if p := clone.Clients.Pending; len(p) != 3 || p[1].ID != 2 {
		t.Errorf("in the clone pending are %v, want all three", p)
	}
}

func TestWhatIsRememberedHasALimit(t *testing.T) {
	var s State
	s.Apply(&Event{Seq: 1, Kind: KindProcess, Node: "n1", Process: Up})
	for i := range uint64(10 * pendingMax) {
		s.Apply(&Event{Seq: i + 2, At: time.Duration(i), Kind: KindLogLine, Node: "n1", Text: fmt.Sprint(i)})
		s.Apply(&Event{Seq: i + 2, Kind: KindInvoked, Op: &Op{ID: i}})
	}
	lines, pending := s.Node("n1").LogLines, s.Clients.Pending
	if len(lines) != logLinesMax || lines[len(lines)-1].Text != fmt.Sprint(10*pendingMax-1) {
		t.Errorf("%d lines, the last %v", len(lines), lines[len(lines)-1])
	}
	if len(pending) != pendingMax || pending[len(pending)-1].ID != 10*pendingMax-1 {
		t.Errorf("%d pending, the last %v", len(pending), pending[len(pending)-1].ID)
	}
	s.Apply(&Event{Kind: KindLogLine, Node: "nobody", Text: "lost"})
	s.Apply(&Event{Kind: KindProcess, Node: "n1", Process: Wiped})
	if got := len(s.Node("n1").LogLines); got != logLinesMax || s.Node("nobody") != nil {
		t.Errorf("after the disk was wiped there are %d lines; nobody is %v", got, s.Node("nobody"))
	}
}
