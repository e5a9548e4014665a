package check

import (
	"capsize/cluster/trace"
	"capsize/counter"
)

// exactlyOnce checks exactly-once: an increment changes the value by its delta, and of
// the log entries that carry it only one counts.
type exactlyOnce struct {
	report
	clients map[string]*clientSeqs
}

// clientSeqs holds which of a client's increments counted.
type clientSeqs struct {
	applied       map[uint64]appliedAt // by sequence number
	highest       uint64               // sequence number
	forgottenUpTo uint64               // sequence number
}

// appliedAt is the entry with which an increment counted, and the event that shows it.
type appliedAt struct{ index, seq uint64 }

// seqsMax is how many of a client's increments are remembered. A client has one
// operation in flight at a time, so a duplicate is always among its latest few.
const seqsMax = 1 << 11

func (c *exactlyOnce) observe(s *state, e *trace.Event) {
	if f := s.step.conflict; f != nil { // what is no longer committed may count again
		for _, t := range c.clients {
			for seq, at := range t.applied {
				if at.index >= f.index {
					delete(t.applied, seq)
				}
			}
		}
	}
	a := s.step.applied
	if a == nil {
		return
	}
	change := a.after - a.before
	switch {
	case a.entry.Kind != trace.EntryAdd:
		if change != 0 {
			c.violate([]uint64{e.Seq}, "entry %d is no increment, but it changes %s's counter from %d to %d", a.id.index, e.Node, a.before, a.after)
		}
	case change != 0 && change != a.entry.Delta:
		c.violate([]uint64{e.Seq}, "entry %d is %+d by %s, but it changes %s's counter from %d to %d",
			a.id.index, a.entry.Delta, a.entry.Client, e.Node, a.before, a.after)
	case change != 0:
		c.checkChange(a, e)
	case a.entry.Delta != 0:
		c.checkNoChange(s, a, e)
	}
}

func (c *exactlyOnce) seqsOf(client string) *clientSeqs {
	t := c.clients[client]
	if t == nil {
		t = &clientSeqs{applied: map[uint64]appliedAt{}}
		if c.clients == nil {
			c.clients = map[string]*clientSeqs{}
		}
		c.clients[client] = t
	}
	return t
}

// checkChange checks an increment that changed the value.
func (c *exactlyOnce) checkChange(a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	seq := a.entry.Seq
	was, known := t.applied[seq]
	switch {
	case seq <= t.forgottenUpTo:
	case !known:
		t.applied[seq] = appliedAt{a.id.index, e.Seq}
		t.highest = max(t.highest, seq)
		t.forget()
	case was.index != a.id.index:
		c.violate([]uint64{was.seq, e.Seq}, "%s's %+d (seq %d) counts twice on %s, with entry %d and again with entry %d: a retry must not count",
			a.entry.Client, a.entry.Delta, seq, e.Node, was.index, a.id.index)
	}
}

// checkNoChange checks an increment that left the value as it was.
func (c *exactlyOnce) checkNoChange(s *state, a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	was, known := t.applied[a.entry.Seq]
	sum := a.before + a.entry.Delta
	switch {
	case known && was.index < a.id.index, t.highest > a.entry.Seq: // a retry, or older than one that counted
	case (sum > a.before) != (a.entry.Delta > 0): // it would overflow
	case len(c.clients) > counter.MaxSessions, s.startedWithData, s.startsMidRun():
		// The client's session may have been evicted, or the increment counted earlier.
	case known:
		c.violate([]uint64{was.seq, e.Seq}, "entry %d, %+d by %s, counted on another node but changes nothing on %s",
			a.id.index, a.entry.Delta, a.entry.Client, e.Node)
	default:
		c.violate([]uint64{e.Seq}, "entry %d is %+d by %s, but %s's counter stays at %d: an increment must count once",
			a.id.index, a.entry.Delta, a.entry.Client, e.Node, a.after)
	}
}

// forget drops the older half of what is remembered once it exceeds seqsMax.
func (t *clientSeqs) forget() {
	if len(t.applied) <= seqsMax {
		return
	}
	t.forgottenUpTo = t.highest - seqsMax/2
	for seq := range t.applied {
		if seq <= t.forgottenUpTo {
			delete(t.applied, seq)
		}
	}
}
