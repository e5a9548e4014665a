package trace

import (
	"fmt"
	"strings"
)

// This file holds the lines about a node's raft: roles, votes, the log, snapshots.

// votesListed is how many voters the line of an election names at most: more would make it
// too long to read.
const votesListed = 7

func (s *State) narrateRole(n *Node, e *Event) {
	switch {
	case e.Role == Leader:
		s.narrateElected(n, e)
	case e.Role == Follower && n.Role == Leader:
		s.addLine(TopicStepDown, n.ID, "%s steps down%s", n.ID, because(e.Reason, (*Reason).stepDown))
	}
}

func (s *State) narrateElected(n *Node, e *Event) {
	r := e.Reason
	switch {
	case r == nil:
		s.addLine(TopicLeader, n.ID, "%s becomes leader of term %d", n.ID, e.Term)
	case r.Total == 1:
		s.addLine(TopicLeader, n.ID, "%s becomes leader of term %d: it is the only voter", n.ID, e.Term)
	default:
		from := ""
		if len(r.Voters) > 0 && len(r.Voters) <= votesListed {
			from = ": " + strings.Join(r.Voters, ", ")
		}
		s.addLine(TopicLeader, n.ID, "%s becomes leader of term %d with %d of %d votes%s", n.ID, e.Term, r.Count, r.Total, from)
	}
}

// because returns ": " and the reason, to end a sentence with, or "" if there is none.
func because(r *Reason, words func(*Reason) string) string {
	if r == nil {
		return ""
	}
	if text := words(r); text != "" {
		return ": " + text
	}
	return ""
}

// narrateReason adds the line for a decision that no other event reports.
func (s *State) narrateReason(n *Node, r *Reason) {
	switch r.Decision {
	case DenyVote, DenyPreVote:
		what := "its vote"
		if r.Decision == DenyPreVote {
			what = "a pre-vote"
		}
		s.addLine(TopicElection, n.ID, "%s denies %s %s%s", n.ID, r.Peer, what,
			because(r, func(r *Reason) string { return r.Denial(n.ID) }))
	case StepDown:
		s.explainStepDown(n, r)
	case StartPreVote:
		another := "a"
		if r.Cause == ElectionTimeout {
			another = "another"
		}
		s.addLine(TopicElection, n.ID, "%s starts %s pre-vote%s", n.ID, another, because(r, (*Reason).campaign))
	case StartElection:
		switch {
		case r.Cause == Transferred && r.Peer != "":
			s.addLine(TopicElection, n.ID, "%s hands leadership to %s, which starts an election at once", r.Peer, n.ID)
		case r.Cause == Transferred:
			s.addLine(TopicElection, n.ID, "%s starts an election at once: the leader hands leadership to it", n.ID)
		default:
			s.addLine(TopicElection, n.ID, "%s starts an election for term %d%s", n.ID, r.Term, because(r, (*Reason).campaign))
		}
	case SendSnapshot:
		s.addLine(TopicLog, n.ID, "%s sends %s a snapshot: its log no longer holds the entries that %s needs", n.ID, r.Peer, r.Peer)
	case WinElection, Truncate, InstallSnapshot: // other events carry these reasons
	}
}

// explainStepDown adds the reason to the line of a leader that has stepped down. The reason may
// come later than the line, because raft stores the new term in between.
func (s *State) explainStepDown(n *Node, r *Reason) {
	text := n.ID + " steps down"
	for i := len(s.Story) - 1; i >= 0; i-- {
		if line := &s.Story[i]; line.Topic == TopicStepDown && line.Node == n.ID {
			if line.Text == text {
				line.Text += because(r, (*Reason).stepDown)
			}
			return
		}
	}
}

func (s *State) narrateTruncated(n *Node, e *Event) {
	which := fmt.Sprintf("entries %d-%d", e.Index, e.Last)
	if e.Index == e.Last {
		which = fmt.Sprintf("entry %d", e.Index)
	}
	if entry, ok := n.Entry(e.Index); ok {
		which += fmt.Sprintf(" (term %d)", entry.Term)
	}
	fate := s.fate(n, e.Index, e.Last)
	if fate != "" {
		fate += ", "
	}
	leader := "the leader"
	if e.Reason != nil && e.Reason.Peer != "" {
		leader = e.Reason.Peer
	}
	s.addLine(TopicLog, n.ID, "%s truncates %s: %sin conflict with %s's log", n.ID, which, fate, leader)
}

// fate returns what is known about the entries that a node truncates, "" if nothing is certain.
// Acknowledged entries count as lost only once other entries are committed in their place, and
// a truncation may come before that.
func (s *State) fate(n *Node, first, last uint64) string {
	never := true
	for index := max(first, n.First); index <= last; index++ {
		entry, ok := n.Entry(index)
		if !ok {
			break
		}
		for i := range s.Lost {
			if s.Lost[i].Index == index && s.Lost[i].Entry.Term == entry.Term {
				return "acknowledged to clients"
			}
		}
		committed, known := s.committed(index, entry.Term)
		switch {
		case committed && first == last:
			return "committed"
		case committed:
			return "some of them committed"
		}
		never = never && known
	}
	if never {
		return "never committed"
	}
	return ""
}

func (s *State) narrateInstalled(n *Node, e *Event) {
	if e.Reason == nil {
		s.addLine(TopicLog, n.ID, "%s installs a snapshot up to entry %d", n.ID, e.Index)
		return
	}
	s.addLine(TopicLog, n.ID, "%s reinstalls the snapshot up to entry %d%s", n.ID, e.Index, because(e.Reason, (*Reason).again))
}

func (s *State) narrateRecovered(n *Node, servers []Server) {
	if len(servers) == 1 {
		s.addLine(TopicMembers, n.ID, "%s becomes the whole cluster, by force (unsafe recovery)", n.ID)
		return
	}
	ids := make([]string, len(servers))
	for i := range servers {
		ids[i] = servers[i].ID
	}
	s.addLine(TopicMembers, n.ID, "%s is forced into a cluster of %s (unsafe recovery)", n.ID, strings.Join(ids, ", "))
}
