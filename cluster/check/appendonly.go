package check

import "capsize/cluster/trace"

// appendOnly is leader-append-only: a leader never overwrites or deletes entries
// in its log; it only appends new ones (Raft paper, section 5.3). To drop what its
// snapshot covers is neither.
type appendOnly struct{ report }

func (c *appendOnly) observe(w *world, e *trace.Event) {
	if n := w.step.node; n.leads && w.step.cut != 0 {
		c.violate([]uint64{n.ledBy, e.Seq}, "%s leads and yet changes its own log from entry %d on: a leader only ever appends", n.id, w.step.cut)
	}
}
