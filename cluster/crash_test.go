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
		tc.must(func() error { return tc.Kill(tc.leaderName()) }) // forces an election, which stores terms and votes
		tc.until(follower+" has crashed", func(s *trace.State) bool { return s.Node(follower).Process == trace.Crashed })
		why := tc.nodeState(follower).Why
		if !strings.Contains(why, "input/output error") || !strings.Contains(why, "storing key") {
			t.Errorf("got crash reason %q, want an input/output error while storing a key", why)
		}
		err := tc.do(func() error { return tc.Restart(follower) })
		tc.expectRefused(err, follower, "failed to start", "input/output error")
		tc.expectProcess(follower, trace.Crashed)
		tc.until("the other nodes have a leader", func(s *trace.State) bool { return s.HasLeader() })
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
			t.Errorf("got crash reason %q, want it to name the damaged entry or key", why)
		}
		tc.setDisk(follower, nil) // heals the disk, does not repair the data
		tc.expectRefused(tc.do(func() error { return tc.Restart(follower) }), "damaged")
		tc.must(func() error { return tc.Wipe(follower) })
		tc.must(func() error { return tc.Restart(follower) })
		tc.untilValue(20)
	})
}

// TestKilledNodeWritesNothing subscribes to the trace: once a process has stopped, no
// event comes from it and it sends no packet.
func TestKilledNodeWritesNothing(t *testing.T) {
	tc := open(t, 5)
	var mu sync.Mutex
	stopped := map[string]bool{}
	var wrong []string
	tc.Trace().Subscribe(func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Kind {
		case trace.KindProcess:
			stopped[e.Node] = !e.Process.Running()
		case trace.KindRole, trace.KindLeader, trace.KindConfig, trace.KindAppended, trace.KindTruncated, trace.KindCompacted,
			trace.KindCommitted, trace.KindApplied, trace.KindSnapshot, trace.KindInstalled, trace.KindLogLine:
			if stopped[e.Node] {
				wrong = append(wrong, fmt.Sprintf("%s event from %s at %v", e.Kind, e.Node, e.At))
			}
		case trace.KindPacket:
			if e.Packet.Status == trace.Sent && stopped[e.Packet.From] {
				wrong = append(wrong, fmt.Sprintf("%s packet from %s at %v", e.Packet.Kind, e.Packet.From, e.At))
			}
		default:
			// The remaining events describe the machine, not its process.
		}
	})
	tc.must(func() error { return tc.Load(200, 20, RouteLeader) })
	for i := range 40 {
		tc.pass(time.Duration(i) * time.Millisecond)
		name := tc.Names()[i%5]
		if i%2 == 0 {
			tc.until("a node leads", func(s *trace.State) bool { return s.LeaderNode() != nil })
			name = tc.leaderName()
		}
		stop := []func(string) error{tc.Kill, tc.PowerOff}[i/2%2]
		if i%3 == 0 {
			tc.must(func() error { return tc.Pause(name) })
			tc.pass(time.Duration(i) * 10 * time.Millisecond)
		}
		tc.must(func() error { return stop(name) })
		tc.pass(time.Second)
		tc.must(func() error { return tc.Restart(name) })
		tc.pass(2 * time.Second)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		slices.Sort(wrong)
		tc.fatal("got %d effects of stopped nodes, want none: %s",
			len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "; "))
	}
}

// TestKilledProcessAnswersPendingFutures checks the workaround in awaitFuture: raft
// alone never answers these futures after a shutdown.
func TestKilledProcessAnswersPendingFutures(t *testing.T) {
	tc := open(t, 3)
	leader := tc.leaderName()
	var answered atomic.Int64
	ask := func(name string, f func(r *raft.Raft) future) {
		p := tc.find(leader).running()
		tc.bubble.Go(func() {
			if err := p.awaitFuture(f(p.raft.Load())); err == nil && name == "apply" {
				t.Error("apply succeeded, want an error because the counter is blocked")
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
	for range applies { // each commits, then waits for the blocked counter
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
		t.Errorf("got %d futures answered, want %d", got, applies+len(others))
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
	tc.must(func() error { return n.finishCrash(first, errors.New("late disk error")) })
	tc.expectProcess(follower, trace.Up)
	tc.inBubble(func() { n.crash(errors.New("disk error")) })
	tc.expectProcess(follower, trace.Crashed)
	if n := tc.nodeState(follower); n.Why != "disk error" {
		t.Errorf("got crash reason %q, want %q", n.Why, "disk error")
	}
	tc.must(func() error { return tc.Restart(follower) })
	tc.untilValue(0)
}
