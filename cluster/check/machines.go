package check

import "capsize/cluster/trace"

// machines is state-machine-safety: if a server has applied a log entry at a given
// index to its state machine, no other server will ever apply a different log entry
// for the same index (Raft paper, section 5.4.3), and so, as the counter is
// deterministic, no two counters differ after the same entry.
type machines struct{ report }

func (c *machines) observe(w *world, _ *trace.Event) {
	if f := w.step.fork; f != nil {
		if f.was.seq == 0 {
			c.violate([]uint64{f.now.seq}, "%s commits an entry of term %d at index %d, where one of an earlier term had been committed long before", f.now.node, realTerm(f.now.term), f.at)
			return
		}
		c.violate([]uint64{f.was.seq, f.now.seq}, "%s commits an entry of term %d at index %d, where %s had committed another one, of term %d: what is committed stays",
			f.now.node, realTerm(f.now.term), f.at, f.was.node, realTerm(f.was.term))
	}
	if k := w.step.clash; k != nil {
		c.violate([]uint64{k.was.valued, k.now.valued}, "after entry %d the counter of %s is %d, and that of %s was %d: the same entries give the same value",
			k.index, k.now.teller, k.now.value, k.was.teller, k.was.value)
	}
}
