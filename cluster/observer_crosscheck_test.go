package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"capsize/cluster/trace"

	"github.com/hashicorp/raft"
)

// crossCheck compares the state folded from events with raft's own state on every
// running node. It runs inside the bubble, where no virtual time passes.
func (tc *testCluster) crossCheck() {
	tc.t.Helper()
	var wrong []string
	err := tc.clock.Do(func() {
		for _, n := range tc.allNodes() {
			if p := n.running(); p != nil && p.raft.Load() != nil {
				wrong = append(wrong, crossCheckNode(tc.Trace(), p, !tc.faultyDisks[n.name])...)
			}
		}
	})
	if err != nil {
		tc.t.Fatal(err)
	}
	if len(wrong) > 0 {
		tc.fatal("at %v events and raft differ, want the same state:\n%s", tc.clock.Now(), strings.Join(wrong, "\n"))
	}
}

// crossCheckNode returns a line for each difference between the folded state of a node
// and raft's own state. It compares the last index only if the disk stayed healthy.
func crossCheckNode(log *trace.Stream, p *process, diskHealthy bool) (wrong []string) {
	r := p.raft.Load()
	if p.isPaused() {
		return nil // its events come when it resumes
	}
	var servers []trace.Server
	if future := r.GetConfiguration(); future.Error() == nil {
		for _, s := range future.Configuration().Servers {
			servers = append(servers, trace.Server{ID: string(s.ID), Voter: s.Suffrage == raft.Voter})
		}
	}
	log.Read(func(s *trace.State) {
		n := s.Node(p.node.name)
		compare := func(what string, folded, actual any) {
			if folded != actual {
				wrong = append(wrong, fmt.Sprintf("%s: %s: got %v from the events, want %v from raft", n.ID, what, folded, actual))
			}
		}
		compare("role", n.Role, roleOf(r.State()))
		compare("term", n.Term, r.CurrentTerm())
		compare("commit index", n.Commit, r.CommitIndex())
		// Raft truncates its log, then appends the new entries. If the disk stalls or
		// fails in between, raft's last index stays too high until its next append
		// (hashicorp/raft raft.go, appendEntries).
		if diskHealthy {
			compare("last index", n.LastIndex(), r.LastIndex())
		}
		compare("value", n.Value, p.fsm.counter.Value())
		_, leader := r.LeaderWithID()
		compare("leader", n.Leader, string(leader))
		if !slices.Equal(n.Servers, servers) {
			wrong = append(wrong, fmt.Sprintf("%s: configuration: got %v from the events, want %v from raft",
				n.ID, n.Servers, servers))
		}
		if n.DiskFault == "stall" {
			return // reading from this disk would block
		}
		for i, e := range n.Entries {
			var entry raft.Log
			if err := p.disk.Logs().GetLog(n.First+uint64(i), &entry); err != nil || !reflect.DeepEqual(entryOf(&entry), e) {
				wrong = append(wrong, fmt.Sprintf("%s: entry %d: got %+v from the events, want %+v from disk (%v)",
					n.ID, n.First+uint64(i), e, entryOf(&entry), err))
				break
			}
		}
	})
	return wrong
}

// trackDiskFaults keeps faultyDisks up to date.
func (tc *testCluster) trackDiskFaults() {
	tc.faultyDisks = map[string]bool{}
	faulty := map[string]bool{}                // nodes whose disk has a fault now
	tc.Trace().Subscribe(func(e trace.Event) { // runs under the trace lock; crossCheck runs while time stands still
		switch {
		case e.Kind == trace.KindDiskFault:
			faulty[e.Node] = e.Text != ""
			tc.faultyDisks[e.Node] = tc.faultyDisks[e.Node] || faulty[e.Node]
		case e.Kind == trace.KindProcess && !e.Process.Running():
			tc.faultyDisks[e.Node] = faulty[e.Node]
		}
	})
}

func (p *process) isPaused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hold.on
}
