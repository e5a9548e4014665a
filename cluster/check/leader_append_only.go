package check

import "capsize/cluster/trace"

// leaderAppendOnly checks leader-append-only: a leader never overwrites or deletes
// entries in its log; it only appends new ones (Raft paper, section 5.3). Compacting
// what its snapshot covers is allowed.
type leaderAppendOnly struct{ report }

func (c *leaderAppendOnly) observe(s *state, e *trace.Event) {
	if n := s.step.node; n.leading && s.step.truncatedFrom != 0 {
		c.violate([]uint64{n.roleSeq, e.Seq}, "leader %s changes its own log from entry %d on: a leader only appends",
			n.id, s.step.truncatedFrom)
	}
}
