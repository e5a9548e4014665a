package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

func TestFailingDiskCrashesOnlyItsNode(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := open(t, 5, change)
		follower := tc.followers()[0]
		tc.setDisk(follower, faults.Fail{})
		tc.must(func() error { return tc.Kill(tc.leaderName()) }) // an election: terms and votes have to be stored
		tc.until("it has crashed", func(s *trace.State) bool { return s.Node(follower).Process == trace.Crashed })
		if why := tc.nodeState(follower).Why; !strings.Contains(why, "input/output error") || !strings.Contains(why, "storing key") {
			t.Errorf("it crashed because of %q", why)
		}
		tc.expectRefused(tc.do(func() error { return tc.Restart(follower) }), follower, "failed to start", "input/output error")
		tc.expectProcess(follower, trace.Crashed)
		tc.until("the others elect", func(s *trace.State) bool { return s.HasLeader() })
		tc.setDisk(follower, nil)
		tc.must(func() error { return tc.Restart(follower) })
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
		follower := tc.followers()[0]
		tc.must(func() error { return tc.Kill(follower) })
		tc.setDisk(follower, faults.Corrupt{})
		tc.expectRefused(tc.do(func() error { return tc.Restart(follower) }), follower, "failed to start", "damaged")
		why := tc.nodeState(follower).Why
		if tc.expectProcess(follower, trace.Crashed); !strings.Contains(why, "entry ") && !strings.Contains(why, "key ") {
			t.Errorf("%q does not say what is damaged", why)
		}
		tc.setDisk(follower, nil)
		tc.expectRefused(tc.do(func() error { return tc.Restart(follower) }), "damaged") // the damage stays
		tc.must(func() error { return tc.Wipe(follower) })
		tc.must(func() error { return tc.Restart(follower) })
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

// TestKilledProcessAnswersPendingFutures holds the trick that await relies on: raft
// itself would never answer these.
func TestKilledProcessAnswersPendingFutures(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	var answered atomic.Int64
	ask := func(name string, f func(r *raft.Raft) future) {
		p := tc.find(leader).running()
		tc.bubble.Go(func() {
			if err := p.awaitFuture(f(p.raft.Load())); err == nil && name == "apply" {
				t.Error("nothing is applied, but an apply has succeeded")
			}
			answered.Add(1)
		})
	}
	others := map[string]func(r *raft.Raft) future{
		"verify":   func(r *raft.Raft) future { return r.VerifyLeader() },
		"member":   func(r *raft.Raft) future { return r.AddVoter("n9", "n9", 0, 0) },
		"transfer": func(r *raft.Raft) future { return r.LeadershipTransfer() },
		"snapshot": func(r *raft.Raft) future { return r.Snapshot() },
		"barrier":  func(r *raft.Raft) future { return r.Barrier(0) },
	}
	tc.inBubble(func() { tc.find(leader).running().fsm.gate.close() })
	const applies = 50
	for range applies { // committed, and waiting for the counter
		tc.inBubble(func() {
			ask("apply", func(r *raft.Raft) future { return r.Apply([]byte{1, 2, 0, 0, 0}, 0) })
		})
		tc.pass(20 * time.Millisecond)
	}
	tc.inBubble(func() {
		for name, f := range others {
			ask(name, f)
		}
	})
	tc.pass(2 * time.Millisecond)
	tc.must(func() error { return tc.Kill(leader) })
	tc.pass(time.Millisecond)
	if got := answered.Load(); got != applies+int64(len(others)) {
		t.Errorf("%d of %d are answered", got, applies+len(others))
	}
}

func TestLateCrashDoesNotStopNewProcess(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	n := tc.find(follower)
	var first *process
	tc.inBubble(func() { first = n.running() })
	tc.must(func() error { return tc.Kill(follower) })
	tc.must(func() error { return tc.Restart(follower) })
	tc.must(func() error { return n.finishCrash(first, errors.New("late news")) })
	tc.expectProcess(follower, trace.Up)
	tc.inBubble(func() { n.crash(errors.New("news")) })
	tc.expectProcess(follower, trace.Crashed)
	if n := tc.nodeState(follower); n.Why != "news" {
		t.Errorf("it crashed because of %q", n.Why)
	}
	tc.must(func() error { return tc.Restart(follower) })
	tc.untilValue(0)
}
