package trace

import (
	"fmt"
	"testing"
	"time"
)

func TestOperationIsPendingFromCallToReturn(t *testing.T) {
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
		t.Errorf("its events are numbered %d and %d, want 2 and 4", op.CallSeq, op.ReturnSeq)
	}
	if p := clone.Clients.Pending; len(p) != 3 || p[1].ID != 2 {
		t.Errorf("pending in the clone are %v, want all three", p)
	}
}

func TestLogLinesAndPendingOperationsAreBounded(t *testing.T) {
	var s State
	s.Apply(&Event{Seq: 1, Kind: KindProcess, Node: "n1", Process: Up})
	for i := range uint64(10 * pendingMax) {
		s.Apply(&Event{Seq: i + 2, At: time.Duration(i), Kind: KindLogLine, Node: "n1", Text: fmt.Sprint(i)})
		s.Apply(&Event{Seq: i + 2, Kind: KindInvoked, Op: &Op{ID: i}})
	}
	lines, pending := s.Node("n1").LogLines, s.Clients.Pending
	if len(lines) != logLinesMax || lines[len(lines)-1].Text != fmt.Sprint(10*pendingMax-1) {
		t.Errorf("%d log lines, the last one %v", len(lines), lines[len(lines)-1])
	}
	if len(pending) != pendingMax || pending[len(pending)-1].ID != 10*pendingMax-1 {
		t.Errorf("%d pending operations, the last one %v", len(pending), pending[len(pending)-1].ID)
	}
	s.Apply(&Event{Kind: KindLogLine, Node: "n9", Text: "lost"})
	s.Apply(&Event{Kind: KindProcess, Node: "n1", Process: Wiped})
	if got := len(s.Node("n1").LogLines); got != logLinesMax || s.Node("n9") != nil {
		t.Errorf("after a wipe there are %d log lines; the unknown node is %v", got, s.Node("n9"))
	}
}

func TestAcknowledgedOperationsAreCountedBySecond(t *testing.T) {
	var s State
	at := func(d time.Duration, n int) {
		for range n {
			s.Apply(&Event{At: d, Kind: KindReturned, Op: &Op{Outcome: OK}})
		}
	}
	at(500*time.Millisecond, 2)
	at(3*time.Second, 1)
	at(21*time.Second, 4) // takes the slot of second 1
	for second, want := range map[int64]int{-1: 0, 0: 0, 1: 0, 2: 0, 3: 1, 20: 0, 21: 4, 22: 0} {
		if got := s.Clients.OKIn(second); got != want {
			t.Errorf("second %d: %d, want %d", second, got, want)
		}
	}
	at(time.Hour, 1)
	if s.Clients.OKIn(3581) != 0 || s.Clients.OKIn(3600) != 1 || s.Clients.OK != 8 {
		t.Errorf("after an hour: %+v", s.Clients)
	}
}
