package check

import "capsize/cluster/trace"

// stateMachineSafety is state-machine-safety: if a server has applied a log entry at a given
// index to its state machine, no other server will ever apply a different log entry
// for the same index (Raft paper, section 5.4.3), and so, as the counter is
// deterministic, no two counters differ after the same entry.
type stateMachineSafety struct{ report }

func (c *stateMachineSafety) observe(s *state, _ *trace.Event) {
	if f := s.step.conflict; f != nil {
		if f.was.seq == 0 {
			c.violate([]uint64{f.now.seq}, "%s commits an entry of term %d at index %d, where one of an earlier term had been committed long before", f.now.node, realTerm(f.now.term), f.index)
			return
		}
		c.violate([]uint64{f.was.seq, f.now.seq}, "%s commits an entry of term %d at index %d, where %s had committed another one, of term %d: what is committed stays",
			f.now.node, realTerm(f.now.term), f.index, f.was.node, realTerm(f.was.term))
	}
	if k := s.step.valueConflict; k != nil {
		c.violate([]uint64{k.was.valueSeq, k.now.valueSeq}, "after entry %d the counter of %s is %d, but that of %s was %d: the same entries must give the same value",
			k.index, k.now.valueNode, k.now.value, k.was.valueNode, k.was.value)
	}
}
