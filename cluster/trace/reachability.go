package trace

import (
	"fmt"
	"slices"
	"strings"
)

// CanSend reports whether packets from one node reach the other, as far as faults
// decide it: both nodes may be up, and no fault blocks the link.
func (s *State) CanSend(from, to string) bool {
	return s.mayBeUp(from) && s.mayBeUp(to) && !s.Blocked(from, to)
}

// mayBeUp reports whether a node is up, or unreachable for us: the other nodes may still reach it.
func (s *State) mayBeUp(id string) bool {
	n := s.Node(id)
	return n != nil && (n.Process == Up || n.Process == Unreachable)
}

// Blocked reports whether a fault stops every packet on the link.
func (s *State) Blocked(from, to string) bool {
	return slices.ContainsFunc(s.Faults[Link{From: from, To: to}], blocks)
}

// blocks reports whether a fault, as the command language writes it, stops every packet.
func blocks(fault string) bool {
	return slices.Contains([]string{"cut", "refuse", "jam", "lose 100%"}, fault)
}

// Isolated reports whether other nodes are up but the node can exchange packets with
// none of them.
func (s *State) Isolated(id string) bool {
	others := 0
	for i := range s.Nodes {
		if other := &s.Nodes[i]; other.ID != id && s.mayBeUp(other.ID) {
			others++
			if !s.Blocked(id, other.ID) && !s.Blocked(other.ID, id) {
				return false
			}
		}
	}
	return others > 0
}

// HasLeader reports whether a node leads that can reach a quorum.
func (s *State) HasLeader() bool {
	leader, voters := s.LeaderNode(), s.Voters()
	return leader != nil && s.ReachableVoters(leader.ID, voters) >= Quorum(len(voters))
}

// LeaderProblem returns in a few words why [State.HasLeader] does not hold, "" if it
// does.
func (s *State) LeaderProblem() string {
	if s.HasLeader() {
		return ""
	}
	voters := s.Voters()
	quorum := Quorum(len(voters))
	up, reach, unreachable := 0, 0, 0
	var candidates []string
	for _, id := range voters {
		n := s.Node(id)
		if n != nil && n.Process == Unreachable {
			unreachable++
		}
		if n == nil || n.Process != Up {
			continue
		}
		up++
		reach = max(reach, s.ReachableVoters(id, voters))
		if n.Role == Candidate {
			candidates = append(candidates, id)
		}
	}
	leader := s.LeaderNode()
	switch {
	case len(voters) == 0:
		return "no voters yet"
	case up < quorum && unreachable > 0:
		return fmt.Sprintf("%d of %d voters up, %d unreachable, %d needed", up, len(voters), unreachable, quorum)
	case up < quorum:
		return fmt.Sprintf("%d of %d voters up, %d needed", up, len(voters), quorum)
	case reach < quorum:
		return fmt.Sprintf("no node reaches %d of %d voters", quorum, len(voters))
	case leader != nil && leader.Process == Paused:
		return fmt.Sprintf("%s leads but is paused", leader.ID)
	case leader != nil:
		return fmt.Sprintf("%s has lost its quorum", leader.ID)
	case len(candidates) > 2:
		return fmt.Sprintf("%d candidates", len(candidates))
	case len(candidates) == 2:
		return strings.Join(candidates, " and ") + " are candidates"
	case len(candidates) == 1:
		return candidates[0] + " is a candidate"
	}
	return "waiting for an election timeout"
}

// ReachableVoters returns how many of the voters the node can exchange packets with in
// both directions, itself included.
func (s *State) ReachableVoters(id string, voters []string) int {
	reach := 0
	for _, other := range voters {
		if other == id || s.CanSend(id, other) && s.CanSend(other, id) {
			reach++
		}
	}
	return reach
}
