package cluster

import (
	"errors"
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// ErrUnknown marks a request whose outcome is unknown: it may have taken effect, or may still.
var ErrUnknown = errors.New("outcome unknown")

// isUncertain reports whether err leaves the outcome of a request to a leader unknown. The entry
// may be in the log of a deposed leader, and the next leader commits it or truncates it.
func isUncertain(err error) bool {
	return slices.ContainsFunc([]error{
		errNoReply, raft.ErrLeadershipLost, raft.ErrRaftShutdown, raft.ErrAbortedByRestore,
		faults.ErrIO, faults.ErrNoSpace, faults.ErrDamaged, faults.ErrKilled,
	}, func(uncertain error) bool { return errors.Is(err, uncertain) })
}

// memberChange is a request to add or remove a node, with the state when a leader got it.
type memberChange struct {
	node   *node
	add    bool
	term   uint64 // only an entry of this term can hold the change
	commit uint64 // the highest commit index of any node
}

// changeMember makes a request about a node of the leader, like onLeader. If the outcome is
// unknown, a goroutine discards the node once the committed configuration says that it is not
// a member.
func (c *Inside) changeMember(n *node, add bool, ask leaderRequest) error {
	change := memberChange{node: n, add: add}
	verb := "remove"
	if add {
		verb = "add"
	}
	err := c.onLeader(verb+" "+n.name, func(_ *node, leader standing) {
		change.term = leader.term
		// The trace may not show yet what the leader has just committed.
		c.stream.Read(func(s *trace.State) { change.commit = max(s.Commit, leader.commit) })
	}, ask)
	if errors.Is(err, ErrUnknown) {
		c.bubble.Go(func() { c.settle(change) })
	}
	return err
}

// settle waits until a membership change with an unknown outcome is decided, and discards the
// node if it is not a member.
func (c *Inside) settle(change memberChange) {
	for c.find(change.node.name) == change.node && !c.isClosing.Load() {
		var isMember, decided bool
		c.stream.Read(func(s *trace.State) { isMember, decided = change.outcome(s) })
		switch {
		case decided && (isMember || change.node.isKept.Load()):
			return
		case decided:
			why := removed
			if change.add {
				why = notAdded
			}
			c.emitRefused(c.discard(change.node, why))
			return
		}
		c.Sleep(pollEvery)
	}
}

// outcome reports whether the node is a member after the change, and whether that is final.
//
// A committed entry of a later term decides it, even if the change is lost: every later leader
// has that entry (Raft paper, section 5.4, Leader Completeness), so no entry of the change's
// term can follow it.
func (m memberChange) outcome(s *trace.State) (isMember, decided bool) {
	var newest *trace.Node
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Commit >= m.commit && (newest == nil || n.Commit > newest.Commit) {
			newest = n
		}
	}
	if newest == nil {
		return false, false
	}
	members, term := committedMembers(newest)
	isMember = isMemberOf(members, m.node.name)
	return isMember, len(members) > 0 && (isMember == m.add || term > m.term)
}

// committedMembers returns the last committed configuration that a node knows, empty if it
// knows none, and the term of its last committed entry.
func committedMembers(n *trace.Node) (members []trace.Server, term uint64) {
	term, members = n.SnapshotTerm, n.SnapshotServers
	if e, ok := n.Entry(n.Commit); ok {
		term = e.Term
	}
	for i := n.Commit; i >= n.First && i > 0; i-- {
		if e, ok := n.Entry(i); ok && e.Kind == trace.EntryConfig {
			return e.Servers, term
		}
	}
	return members, term
}

// isMemberOf reports whether a configuration has a member of that name.
func isMemberOf(servers []trace.Server, name string) bool {
	return slices.ContainsFunc(servers, func(s trace.Server) bool { return s.ID == name })
}

// refuseKept returns an error if the name belongs to a node that runs on after its removal.
func (c *Inside) refuseKept(name string) error {
	n := c.find(name)
	if servers := c.leaderServers(); n == nil || len(servers) == 0 || isMemberOf(servers, name) {
		return nil // newNode refuses a name that a member has
	}
	still := "is still there"
	if n.server() != nil {
		still = "still runs"
	}
	return fmt.Errorf("node %s already exists: it is not a member but %s; remove-node %s discards it", name, still, name)
}

// requireMember returns an error unless the node is a member with or without a vote. Without a
// leader, it returns nil.
func (c *Inside) requireMember(command, name string, voter bool) error {
	servers := c.leaderServers()
	i := slices.IndexFunc(servers, func(s trace.Server) bool { return s.ID == name })
	switch {
	case len(servers) == 0:
		return nil
	case i < 0:
		return fmt.Errorf("cannot %s %s: it is not a member; remove-node %s discards it, then add it again", command, name, name)
	case servers[i].Voter && !voter:
		return fmt.Errorf("cannot %s %s: it is already a voter", command, name)
	case !servers[i].Voter && voter:
		return fmt.Errorf("cannot %s %s: it is already a non-voter", command, name)
	}
	return nil
}
