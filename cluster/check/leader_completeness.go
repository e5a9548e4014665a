package check

import "capsize/cluster/trace"

// leaderCompleteness checks leader-completeness: if a log entry is committed in a
// given term, then that entry will be present in the logs of the leaders for all
// higher-numbered terms (Raft paper, section 5.4). By log matching it suffices to
// look at the last entry committed in an earlier term.
// If the committed entries have forked, a leader must hold those of every lineage.
type leaderCompleteness struct{ report }

func (c *leaderCompleteness) observe(s *state, e *trace.Event) {
	n := s.step.node
	if e.Role != trace.Leader || !n.loaded {
		return
	}
	for _, h := range s.lineages {
		c.checkLog(n, n.leadTerm(e.Term), h, e)
	}
}

// checkLog checks the log of a new leader against the entries that a lineage has
// committed in earlier terms.
func (c *leaderCompleteness) checkLog(n *node, term uint64, h *lineage, e *trace.Event) {
	index := h.upTo
	at, ok := h.at(index)
	for ok && at.atTerm >= term { // committed in this term, or in a later one that the node missed
		index--
		at, ok = h.at(index)
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
