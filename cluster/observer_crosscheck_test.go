package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"capsize/cluster/trace"

	"github.com/hashicorp/raft"
)

// crossCheck compares, at a quiet moment, the state folded from events with what
// raft says of itself, on every node that runs.
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
		tc.fatal("at %v the events and raft differ:\n%s", tc.clock.Now(), strings.Join(wrong, "\n"))
	}
}

func crossCheckNode(log *trace.Stream, p *process, sound bool) (wrong []string) {
	r := p.raft.Load()
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
				wrong = append(wrong, fmt.Sprintf("%s: %s is %v by the events, %v by raft", n.ID, what, folded, actual))
			}
		}
		compare("role", n.Role, roleOf(r.State()))
		compare("term", n.Term, r.CurrentTerm())
		compare("commit index", n.Commit, r.CommitIndex())
		// Raft cuts entries off and then stores others in their place. If the disk
		// lets it wait in between, or fails, raft does not know that its log has
		// become shorter, until it stores something again (raft.go, appendEntries).
		if sound && n.Process == trace.Up {
			compare("last index", n.LastIndex(), r.LastIndex())
		}
		compare("value", n.Value, p.fsm.counter.Value())
		_, leader := r.LeaderWithID()
		compare("leader", n.Leader, string(leader))
		if !slices.Equal(n.Servers, servers) {
			wrong = append(wrong, fmt.Sprintf("%s: configuration is %v by the events, %v by raft", n.ID, n.Servers, servers))
		}
		if n.Process == trace.Paused || n.DiskFault == "stall" {
			return // its disk does not answer now
		}
		for i, e := range n.Entries {
			var entry raft.Log
			if err := p.disk.Logs().GetLog(n.First+uint64(i), &entry); err != nil || !reflect.DeepEqual(entryOf(&entry), e) {
				wrong = append(wrong, fmt.Sprintf("%s: entry %d is %+v by the events, %+v on disk (%v)", n.ID, n.First+uint64(i), e, entryOf(&entry), err))
				break
			}
		}
	})
	return wrong
}

// trackDiskFaults notes which nodes' disks had a fault since their processes started.
func (tc *testCluster) trackDiskFaults() {
	tc.faultyDisks = map[string]bool{}
	faulty := map[string]bool{}                // at this moment
	tc.Trace().Subscribe(func(e trace.Event) { // the trace is locked meanwhile, and time stands still at the checks
		switch {
		case e.Kind == trace.KindDiskFault:
			faulty[e.Node] = e.Text != ""
			tc.faultyDisks[e.Node] = tc.faultyDisks[e.Node] || faulty[e.Node]
		case e.Kind == trace.KindProcess && !e.Process.Running():
			tc.faultyDisks[e.Node] = faulty[e.Node]
		}
	})
}
