package check

import "capsize/cluster/trace"

// stateMachineSafety checks state-machine-safety: if a server has applied a log entry
// at a given index to its state machine, no other server will ever apply a different
// log entry for the same index (Raft paper, section 5.4.3). The counter is
// deterministic, so no two counters may differ after the same entry either.
type stateMachineSafety struct{ report }

func (c *stateMachineSafety) observe(s *state, _ *trace.Event) {
	if f := s.step.conflict; f != nil {
		if f.was.seq == 0 {
			c.violate([]uint64{f.now.seq}, "%s commits an entry of term %d at index %d, where a different entry of an earlier term was committed long ago: a committed entry never changes",
				f.now.node, realTerm(f.now.term), f.index)
			return
		}
		now, was := s.entries[entryID{f.index, f.now.term}], s.entries[entryID{f.index, f.was.term}]
		if term := realTerm(f.now.term); term == realTerm(f.was.term) && now.entry != nil && was.entry != nil && now.String() != was.String() {
			c.violate([]uint64{f.was.seq, f.now.seq}, "%s commits %s at index %d, where %s committed %s, both of term %d: a committed entry never changes",
				f.now.node, now, f.index, f.was.node, was, term)
		} else {
			c.violate([]uint64{f.was.seq, f.now.seq}, "%s commits an entry of term %d at index %d, where %s committed a different one of term %d: a committed entry never changes",
				f.now.node, term, f.index, f.was.node, realTerm(f.was.term))
		}
	}
	if k := s.step.valueConflict; k != nil {
		c.violate([]uint64{k.was.valueSeq, k.now.valueSeq}, "after entry %d the counter is %d on %s but %d on %s: the same entries must give the same value",
			k.index, k.now.value, k.now.valueNode, k.was.value, k.was.valueNode)
	}
}
