package cluster

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestFailingDiskCrashesOnlyItsNode(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 5, change)
		one := tc.followers()[0]
		tc.setDisk(one, faults.Fail{})
		tc.must(func() error { return tc.Kill(tc.leaderName()) }) // an election: terms and votes have to be stored
		tc.until("it has crashed", func(s *trace.State) bool { return s.Node(one).Process == trace.Crashed })
		if why := tc.nodeState(one).Why; !strings.Contains(why, "input/output error") || !strings.Contains(why, "storing key") {
			t.Errorf("it crashed because of %q", why)
		}
		tc.expectRefused(tc.do(func() error { return tc.Restart(one) }), one, "failed to start", "input/output error")
		tc.expectProcess(one, trace.Crashed)
		tc.until("the others elect", func(s *trace.State) bool { return s.HasLeader() })
		tc.setDisk(one, nil)
		tc.must(func() error { return tc.Restart(one) })
		tc.add(2, RouteLeader)
		tc.untilValue(2)
	})
}

func TestCorruptDiskPreventsStartAndNamesTheDamage(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 3, change)
		for range 20 {
			tc.add(1, RouteLeader)
		}
		one := tc.followers()[0]
		tc.must(func() error { return tc.Kill(one) })
		tc.setDisk(one, faults.Corrupt{})
		tc.expectRefused(tc.do(func() error { return tc.Restart(one) }), one, "failed to start", "damaged")
		why := tc.nodeState(one).Why
		if tc.expectProcess(one, trace.Crashed); !strings.Contains(why, "entry ") && !strings.Contains(why, "key ") {
			t.Errorf("%q does not say what is damaged", why)
		}
		tc.setDisk(one, nil)
		tc.expectRefused(tc.do(func() error { return tc.Restart(one) }), "damaged") // the damage stays
		tc.must(func() error { return tc.Wipe(one) })
		tc.must(func() error { return tc.Restart(one) })
		tc.untilValue(20)
	})
}

// TestKilledNodeWritesNothing watches the events: after its death comes
// none of that process, and no packet of it is sent.
func TestKilledNodeWritesNothing(t *testing.T) {
	tc := open(t, 5)
	var mu sync.Mutex
	dead := map[string]bool{}
	var wrong []string
	tc.Trace().Subscribe(func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Kind {
		case trace.KindProcess:
			dead[e.Node] = !e.Process.Running()
		case trace.KindRole, trace.KindLeader, trace.KindConfig, trace.KindAppended, trace.KindTruncated, trace.KindCompacted,
			trace.KindCommitted, trace.KindApplied, trace.KindSnapshot, trace.KindInstalled, trace.KindLogLine:
			if dead[e.Node] {
				wrong = append(wrong, fmt.Sprintf("%s at %v of %s", e.Kind, e.At, e.Node))
			}
		case trace.KindPacket:
			if e.Packet.Status == trace.Sent && dead[e.Packet.From] {
				wrong = append(wrong, fmt.Sprintf("%s packet at %v of %s", e.Packet.Kind, e.At, e.Packet.From))
			}
		default:
			// What is told of a machine, not of its process.
		}
	})
	tc.must(func() error { return tc.Load(200, 20, RouteLeader) })
	for i := range 40 {
		tc.pass(time.Duration(i) * time.Millisecond)
		name := tc.Names()[i%5]
		if i%2 == 0 {
			tc.until("someone leads", func(s *trace.State) bool { return s.LeaderNode() != nil })
			name = tc.leaderName()
		}
		end := []func(string) error{tc.Kill, tc.PowerOff}[i/2%2]
		if i%3 == 0 {
			tc.must(func() error { return tc.Pause(name) })
			tc.pass(time.Duration(i) * 10 * time.Millisecond)
		}
		tc.must(func() error { return end(name) })
		tc.pass(time.Second)
		tc.must(func() error { return tc.Restart(name) })
		tc.pass(2 * time.Second)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		slices.Sort(wrong)
		tc.fatal("%d effects of dead nodes: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "; "))
	}
}
