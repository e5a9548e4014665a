package export

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
)

// A soak of a day would make a log of gigabytes.
func TestShiVizLogIsBounded(t *testing.T) {
	var events int
	endless := Source{Events: func(yield func(*trace.Event) bool) {
		for ; ; events++ {
			e := &trace.Event{
				Seq: uint64(events + 1), At: time.Duration(events) * time.Millisecond, Kind: trace.KindCommitted,
				Node: fmt.Sprintf("n%d", events%9), Index: uint64(events),
			}
			if !yield(e) {
				return
			}
		}
	}}
	var log strings.Builder
	err := Write(&log, "shiviz", endless, Span{})
	if !errors.Is(err, ErrTruncated) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got error %v, want one line that wraps %v", err, ErrTruncated)
	}
	if size := log.Len(); size < shivizBytesMax || size > shivizBytesMax+1000 {
		t.Errorf("got a log of %d bytes, want about %d", size, shivizBytesMax)
	}
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, "capsize {\"capsize\":1} the log ends here: more than 16 MB") {
		t.Errorf("the log does not say that it is cut off: its last line is %q", last)
	}
}

// A hold keeps a message in flight: the arrow of one that is delivered later is drawn.
func TestHeldMessageIsDrawnOnceItIsDelivered(t *testing.T) {
	m := messageLog{inFlight: map[uint64]message{}}
	for at, status := range []trace.PacketStatus{trace.Sent, trace.Waiting, trace.Expired, trace.Delivered} {
		m.add(time.Duration(at)*time.Second, &trace.Packet{ID: 1, From: "n1", To: "n2", Kind: "vote", Status: status}, time.Millisecond)
	}
	if votes := m.kept[spacetime.Votes]; len(votes) != 1 || votes[0].end != 3*time.Second || votes[0].lost {
		t.Errorf("messages: %+v", votes)
	}
}
