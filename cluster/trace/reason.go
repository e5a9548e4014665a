package trace

import (
	"fmt"
	"slices"
	"time"
)

// The reasons that the story gives. The library does not report its own, so these are
// concluded from the state at the moment of the event; "" means that none is known.

// transferredFrom returns the leader that has just told the node to start an election,
// "" if none has.
func (s *State) transferredFrom(n *Node) string {
	for i := range s.InFlight {
		f := &s.InFlight[i]
		if f.Kind == "timeout-now" && f.To == n.ID && !f.Reply && f.Status == Delivered && f.EndedAt == s.At {
			return f.From
		}
	}
	return ""
}

// electionReason returns why a node starts an election.
func (n *Node) electionReason(now time.Duration) string {
	silence := Seconds(now - n.LastHeard)
	switch n.LastHeardFrom {
	case "":
		return fmt.Sprintf("no heartbeat since it started %s ago", silence)
	case n.ID:
		return fmt.Sprintf("no heartbeat since it stepped down %s ago", silence)
	}
	return fmt.Sprintf("no heartbeat from %s for %s", n.LastHeardFrom, silence)
}

// stepDownReason returns why a leader becomes a follower.
func (s *State) stepDownReason(n *Node) string {
	// A packet that has just brought a later term (Raft paper, section 5.1). The term of
	// a pre-vote request does not count: it may never come.
	var newer *InFlight
	for i := range s.InFlight {
		f := &s.InFlight[i]
		if f.To == n.ID && f.Status == Delivered && f.EndedAt == s.At && f.Term > n.Term && (f.Reply || f.Kind != "prevote") {
			newer = f
		}
	}
	voters := s.Voters()
	heard := 0
	for _, id := range voters {
		if id == n.ID || n.Peers[id].LastHeard > 0 && s.At-n.Peers[id].LastHeard <= s.Settings.Lease {
			heard++
		}
	}
	switch {
	case newer != nil:
		return fmt.Sprintf("it learns from %s that term %d has begun", newer.From, newer.Term)
	case heard < Quorum(len(voters)):
		return fmt.Sprintf("lost contact with its quorum for %s (heard from %d of %d)", Seconds(s.Settings.Lease), heard, len(voters))
	case len(voters) > 0 && !slices.Contains(voters, n.ID):
		return "it is no longer a voter"
	case n.DiskFault != "":
		return fmt.Sprintf("it could not write its log (disk fault: %s)", n.DiskFault)
	}
	return ""
}

// refusalReason returns why voter denies candidate its vote (Raft paper, sections 5.2
// and 5.4.1).
func refusalReason(voter, candidate *Node) string {
	vi, vt, ci, ct := voter.LastIndex(), voter.LastTerm(), candidate.LastIndex(), candidate.LastTerm()
	switch {
	case voter.Leader == voter.ID:
		return "it is the leader"
	case voter.Leader != "" && voter.Leader != candidate.ID:
		return fmt.Sprintf("it still follows leader %s", voter.Leader)
	case vt == ct && vi > ci:
		return fmt.Sprintf("%s's log ends at %d, its own at %d (both term %d)", candidate.ID, ci, vi, vt)
	case vt > ct:
		return fmt.Sprintf("%s's log ends at %d (term %d), its own at %d (term %d)", candidate.ID, ci, ct, vi, vt)
	case voter.Term > candidate.Term:
		return fmt.Sprintf("it is already in term %d", voter.Term)
	case voter.VoteTerm == candidate.Term && voter.Vote != candidate.ID && voter.Vote != "":
		return fmt.Sprintf("it voted for %s in term %d", voter.Vote, voter.VoteTerm)
	}
	return ""
}
