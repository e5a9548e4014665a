package check

import (
	"capsize/cluster/trace"
	"capsize/counter"
)

// exactlyOnce is exactly-once: an increment changes the value by what it says, and only
// one of the log entries that carry it does.
type exactlyOnce struct {
	report
	clients map[string]*clientSeqs
}

// clientSeqs is what counted of one client.
type clientSeqs struct {
	applied       map[uint64]appliedAt // by its number
	highest       uint64               // the highest of them
	forgottenUpTo uint64               // up to which they are forgotten
}

// appliedAt is where an increment counted, and the event that shows it.
type appliedAt struct{ index, seq uint64 }

// seqsMax is how many of a client's increments are remembered. A client has one
// under way at a time, so that an old one that comes again is of its last few.
const seqsMax = 1 << 11

func (c *exactlyOnce) observe(s *state, e *trace.Event) {
	if f := s.step.conflict; f != nil { // what is no longer committed may count again
		for _, t := range c.clients {
			for number, at := range t.applied {
				if at.index >= f.index {
					delete(t.applied, number)
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
			c.violate([]uint64{e.Seq}, "entry %d is not an increment, but it took %s's counter from %d to %d", a.at.index, e.Node, a.before, a.after)
		}
	case change != 0 && change != a.entry.Delta:
		c.violate([]uint64{e.Seq}, "entry %d is %+d of %s, but it took %s's counter from %d to %d", a.at.index, a.entry.Delta, a.entry.Client, e.Node, a.before, a.after)
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

// checkChange looks at an increment that changed the value.
func (c *exactlyOnce) checkChange(a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	number := a.entry.Seq
	was, known := t.applied[number]
	switch {
	case number <= t.forgottenUpTo:
	case !known:
		t.applied[number] = appliedAt{a.at.index, e.Seq}
		t.highest = max(t.highest, number)
		t.forget()
	case was.index != a.at.index:
		c.violate([]uint64{was.seq, e.Seq}, "the %+d of %s (sequence number %d) counts twice on entries %d and %d of %s: a retry must not count",
			a.entry.Delta, a.entry.Client, number, was.index, a.at.index, e.Node)
	}
}

// checkNoChange looks at an increment that did not change the value.
func (c *exactlyOnce) checkNoChange(s *state, a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	was, known := t.applied[a.entry.Seq]
	sum := a.before + a.entry.Delta
	switch {
	case known && was.index < a.at.index, t.highest > a.entry.Seq: // a retry, or older than one that counted
	case (sum > a.before) != (a.entry.Delta > 0): // it would overflow
	case len(c.clients) > counter.MaxSessions, s.startedWithData, s.startsMidRun(): // its client may be one too many, or have had it counted before
	case known:
		c.violate([]uint64{was.seq, e.Seq}, "entry %d, %+d of %s, counted on another node, but changed nothing on %s", a.at.index, a.entry.Delta, a.entry.Client, e.Node)
	default:
		c.violate([]uint64{e.Seq}, "entry %d is %+d of %s, but %s's counter stayed at %d: an increment counts once", a.at.index, a.entry.Delta, a.entry.Client, e.Node, a.after)
	}
}

// forget forgets the older half of what is remembered, if it is too much.
func (t *clientSeqs) forget() {
	if len(t.applied) <= seqsMax {
		return
	}
	t.forgottenUpTo = t.highest - seqsMax/2
	for number := range t.applied {
		if number <= t.forgottenUpTo {
			delete(t.applied, number)
		}
	}
}
