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

func TestAFailingDiskCrashesTheNodeAndNotTheProgram(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 5, change)
		one := w.followers()[0]
		w.setDisk(one, faults.Fail{})
		w.must(func() error { return w.Kill(w.leaderName()) }) // an election: terms and votes have to be stored
		w.until("it has crashed", func(s *trace.State) bool { return s.Node(one).Process == trace.Crashed })
		if why := w.at(one).Why; !strings.Contains(why, "input/output error") || !strings.Contains(why, "storing key") {
			t.Errorf("it crashed because of %q", why)
		}
		w.refused(w.do(func() error { return w.Restart(one) }), one, "failed to start", "input/output error")
		w.life(one, trace.Crashed)
		w.until("the others elect", func(s *trace.State) bool { return s.HasLeader() })
		w.setDisk(one, nil)
		w.must(func() error { return w.Restart(one) })
		w.add(2, RouteLeader)
		w.untilAll(2)
	})
}

func TestACorruptDiskRefusesToStartAndSaysWhich(t *testing.T) {
	storages(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		w := open(t, 3, change)
		for range 20 {
			w.add(1, RouteLeader)
		}
		one := w.followers()[0]
		w.must(func() error { return w.Kill(one) })
		w.setDisk(one, faults.Corrupt{})
		w.refused(w.do(func() error { return w.Restart(one) }), one, "failed to start", "damaged")
		why := w.at(one).Why
		if w.life(one, trace.Crashed); !strings.Contains(why, "entry ") && !strings.Contains(why, "key ") {
			t.Errorf("%q does not say what is damaged", why)
		}
		w.setDisk(one, nil)
		w.refused(w.do(func() error { return w.Restart(one) }), "damaged") // the damage stays
		w.must(func() error { return w.Wipe(one) })
		w.must(func() error { return w.Restart(one) })
		w.untilAll(20)
	})
}

// TestNothingADeadNodeDoesHasAnEffect watches the events: after its death comes
// none of that process, and no packet of it is sent.
func TestNothingADeadNodeDoesHasAnEffect(t *testing.T) {
	w := open(t, 5)
	var mu sync.Mutex
	dead := map[string]bool{}
	var wrong []string
	w.Trace().Subscribe(func(e trace.Event) {
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
	w.must(func() error { return w.Load(200, 20, RouteLeader) })
	for i := range 40 {
		w.pass(time.Duration(i) * time.Millisecond)
		name := w.Names()[i%5]
		if i%2 == 0 {
			w.until("someone leads", func(s *trace.State) bool { return s.LeaderNode() != nil })
			name = w.leaderName()
		}
		end := []func(string) error{w.Kill, w.PowerOff}[i/2%2]
		if i%3 == 0 {
			w.must(func() error { return w.Pause(name) })
			w.pass(time.Duration(i) * 10 * time.Millisecond)
		}
		w.must(func() error { return end(name) })
		w.pass(time.Second)
		w.must(func() error { return w.Restart(name) })
		w.pass(2 * time.Second)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		slices.Sort(wrong)
		w.fatal("%d effects of dead nodes: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "; "))
	}
}
