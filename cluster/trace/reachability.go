package trace

import (
	"fmt"
	"slices"
	"strings"
)

// CanSend says whether packets from one node reach the other, as far as the
// faults that are set decide it: both run, and the link is not closed.
func (s *State) CanSend(from, to string) bool {
	a, b := s.Node(from), s.Node(to)
	if a == nil || b == nil || a.Process != Up || b.Process != Up {
		return false
	}
	return !s.Blocked(from, to)
}

// Blocked says whether a fault lets nothing at all pass on the link.
func (s *State) Blocked(from, to string) bool {
	return slices.ContainsFunc(s.Faults[Link{From: from, To: to}], closes)
}

// closes says whether a fault, as the command language writes it, lets nothing pass.
func closes(fault string) bool {
	return slices.Contains([]string{"cut", "refuse", "jam", "lose 100%"}, fault)
}

// Isolated says whether a running node can talk to none of the other running nodes.
func (s *State) Isolated(id string) bool {
	others := 0
	for i := range s.Nodes {
		if other := &s.Nodes[i]; other.ID != id && other.Process == Up {
			others++
			if !s.Blocked(id, other.ID) && !s.Blocked(other.ID, id) {
				return false
			}
		}
	}
	return others > 0
}

// NoLeader says in a few words why nobody leads, or "" while someone does who
// can still reach a quorum.
func (s *State) NoLeader() string {
	voters := s.Voters()
	need := Quorum(len(voters))
	if leader := s.LeaderNode(); leader != nil && s.ReachableVoters(leader.ID, voters) >= need {
		return ""
	}
	up, reach := 0, 0
	var candidates []string
	for _, id := range voters {
		n := s.Node(id)
		if n == nil || n.Process != Up {
			continue
		}
		up++
		reach = max(reach, s.ReachableVoters(id, voters))
		if n.Role == Candidate {
			candidates = append(candidates, id)
		}
	}
	switch {
	case len(voters) == 0:
		return "nobody is a voter yet"
	case up < need:
		return fmt.Sprintf("%d of %d nodes are up, %d needed", up, len(voters), need)
	case reach < need:
		return fmt.Sprintf("%d of %d nodes can talk, %d needed", reach, len(voters), need)
	case s.LeaderNode() != nil && s.LeaderNode().Process == Paused:
		return fmt.Sprintf("%s leads but is paused", s.LeaderNode().ID)
	case s.LeaderNode() != nil:
		return fmt.Sprintf("%s has lost its quorum", s.LeaderNode().ID)
	case len(candidates) > 2:
		return fmt.Sprintf("%d nodes asking for votes", len(candidates))
	case len(candidates) > 0:
		return strings.Join(candidates, " and ") + " asking for votes"
	}
	return "waiting for an election timeout"
}

// ReachableVoters returns how many of the voters the node can talk with in both
// directions, itself included.
func (s *State) ReachableVoters(id string, voters []string) int {
	reach := 0
	for _, other := range voters {
		if other == id || s.CanSend(id, other) && s.CanSend(other, id) {
			reach++
		}
	}
	return reach
}
