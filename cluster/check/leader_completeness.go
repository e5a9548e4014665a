package check

import "capsize/cluster/trace"

// leaderCompleteness is leader-completeness: if a log entry is committed in a given term,
// then that entry will be present in the logs of the leaders for all higher-numbered
// terms (Raft paper, section 5.4). By log-matching it is enough to look at the last
// entry that was committed in an earlier term.
type leaderCompleteness struct{ report }

func (c *leaderCompleteness) observe(s *state, e *trace.Event) {
	n := s.step.node
	if e.Role != trace.Leader || !n.loaded {
		return
	}
	term := n.leadTerm(e.Term)
	index := s.committedUpTo
	at, ok := s.committed[index]
	for ok && at.atTerm >= term { // committed in the same term, or in a later one that it missed
		index--
		at, ok = s.committed[index]
	}
	if !ok || index < n.first-1 && index <= n.snapshot {
		return
	}
	switch has := n.termAt(index); {
	case index > n.lastIndex():
		c.violate([]uint64{at.seq, e.Seq}, "%s leads term %d, and its log ends at %d: entry %d was committed in term %d, so every later leader must hold it",
			n.id, term, n.lastIndex(), index, at.atTerm)
	case has != unknownTerm && has != at.term:
		c.violate([]uint64{at.seq, e.Seq}, "%s leads term %d, and its entry %d is of term %d: the one that was committed there is of term %d, and every later leader must hold it",
			n.id, term, index, realTerm(has), realTerm(at.term))
	}
}
