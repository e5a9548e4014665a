package check

import "capsize/cluster/trace"

// leaderCompleteness checks leader-completeness: if a log entry is committed in a
// given term, then that entry will be present in the logs of the leaders for all
// higher-numbered terms (Raft paper, section 5.4). By log matching it suffices to
// look at the last entry committed in an earlier term.
type leaderCompleteness struct{ report }

func (c *leaderCompleteness) observe(s *state, e *trace.Event) {
	n := s.step.node
	if e.Role != trace.Leader || !n.loaded {
		return
	}
	term := n.leadTerm(e.Term)
	index := s.committedUpTo
	at, ok := s.committed[index]
	for ok && at.atTerm >= term { // committed in this term, or in a later one that the node missed
		index--
		at, ok = s.committed[index]
	}
	if !ok || index < n.first-1 && index <= n.snapshot {
		return
	}
	switch has := n.termAt(index); {
	case index > n.lastIndex():
		c.violate([]uint64{at.seq, e.Seq}, "%s leads term %d but its log ends at %d: entry %d, committed in term %d, must be in every later leader's log",
			n.id, term, n.lastIndex(), index, at.atTerm)
	case has != unknownTerm && has != at.term:
		c.violate([]uint64{at.seq, e.Seq}, "%s leads term %d with an entry of term %d at index %d: the one committed there, of term %d, must be in every later leader's log",
			n.id, term, realTerm(has), index, realTerm(at.term))
	}
}
