package check

import (
	"capsize/cluster/trace"
	"capsize/counter"
)

// exactlyOnce checks exactly-once: an increment changes the value by its delta, and of
// the log entries that carry it only one counts in each lineage. It does not judge a
// node that has truncated committed entries: that node is in no lineage.
type exactlyOnce struct {
	report
	clients map[string]*clientSeqs
}

// clientSeqs holds which of a client's increments counted.
type clientSeqs struct {
	applied map[uint64]*appliedAt // by sequence number
	highest uint64                // sequence number
}

// appliedAt is the entry in which an increment counted, and the event that shows it.
type appliedAt struct {
	place
	seq  uint64
	next *appliedAt // the entry in which it counted in another lineage
}

// in returns the entry in which the increment counted in a lineage, nil if it did not.
func (a *appliedAt) in(h *lineage) *appliedAt {
	for ; a != nil; a = a.next {
		if h.includes(a.place) {
			return a
		}
	}
	return nil
}

// seqsMax is how many of a client's increments are remembered. A client has one
// operation in flight at a time, so a duplicate is always among its latest few.
const seqsMax = 1 << 11

func (c *exactlyOnce) observe(s *state, e *trace.Event) {
	a := s.step.applied
	if a == nil {
		return
	}
	change := a.after - a.before
	switch {
	case a.entry.Kind != trace.EntryAdd:
		if change != 0 {
			c.violate([]uint64{e.Seq}, "entry %d is not an increment, but it changes %s's counter from %d to %d", a.index, e.Node, a.before, a.after)
		}
	case change != 0 && change != a.entry.Delta:
		c.violate([]uint64{e.Seq}, "entry %d is %+d by %s, but it changes %s's counter from %d to %d",
			a.index, a.entry.Delta, a.entry.Client, e.Node, a.before, a.after)
	case s.step.node.replaced != 0:
	case change != 0:
		c.checkChange(s, a, e)
	case a.entry.Delta != 0:
		c.checkNoChange(s, a, e)
	}
}

func (c *exactlyOnce) seqsOf(client string) *clientSeqs {
	t := c.clients[client]
	if t == nil {
		t = &clientSeqs{applied: map[uint64]*appliedAt{}}
		if c.clients == nil {
			c.clients = map[string]*clientSeqs{}
		}
		c.clients[client] = t
	}
	return t
}

// checkChange checks an increment that changed the value.
func (c *exactlyOnce) checkChange(s *state, a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	seq := a.entry.Seq
	h := s.step.node.lineage
	was := t.applied[seq].in(h)
	if was == nil {
		if first, ok := h.find(a.entry.OpKey()); ok && first.index < a.index {
			// No node was seen to apply it there, as after an unsafe recovery.
			was = &appliedAt{place: first, seq: first.lineage.commits[first.index].seq}
		}
	}
	switch {
	case was == nil:
		t.applied[seq] = &appliedAt{a.place, e.Seq, t.applied[seq]}
		t.highest = max(t.highest, seq)
		t.forget()
	case was.index != a.index:
		c.violate([]uint64{was.seq, e.Seq}, "%s's %+d (seq %d) counts twice on %s, with entry %d and again with entry %d: a retry must not count",
			a.entry.Client, a.entry.Delta, seq, e.Node, was.index, a.index)
	}
}

// checkNoChange checks an increment that left the value as it was.
func (c *exactlyOnce) checkNoChange(s *state, a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	was := t.applied[a.entry.Seq].in(s.step.node.lineage)
	first, committed := s.step.node.lineage.find(a.entry.OpKey())
	sum := a.before + a.entry.Delta
	switch {
	case was != nil && was.index < a.index, committed && first.index < a.index: // a retry
	case t.countedLater(a.entry.Seq, s.step.node.lineage):
	case (sum > a.before) != (a.entry.Delta > 0): // it would overflow
	case len(c.clients) > counter.MaxSessions, s.startedWithData, s.startsMidRun():
		// The client's session may have been evicted, or the increment counted earlier.
	case was != nil:
		c.violate([]uint64{was.seq, e.Seq}, "entry %d, %+d by %s, counted on another node but changes nothing on %s",
			a.index, a.entry.Delta, a.entry.Client, e.Node)
	default:
		c.violate([]uint64{e.Seq}, "entry %d is %+d by %s, but %s's counter stays at %d: an increment must count once",
			a.index, a.entry.Delta, a.entry.Client, e.Node, a.after)
	}
}

// countedLater reports whether a later increment of the client counted in a lineage.
func (t *clientSeqs) countedLater(than uint64, h *lineage) bool {
	if t.highest <= than {
		return false
	}
	for seq, at := range t.applied {
		if seq > than && at.in(h) != nil {
			return true
		}
	}
	return false
}

// forget drops the older half of what is remembered once it exceeds seqsMax.
func (t *clientSeqs) forget() {
	if len(t.applied) <= seqsMax {
		return
	}
	upTo := t.highest - seqsMax/2
	for seq := range t.applied {
		if seq <= upTo {
			delete(t.applied, seq)
		}
	}
}
