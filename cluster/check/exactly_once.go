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

// clientSeqs holds a client's latest increments.
type clientSeqs struct {
	firsts    map[uint64]*firstEntry // by sequence number
	highest   uint64                 // sequence number
	forgotten uint64                 // increments up to this sequence number are forgotten
}

// firstEntry is the first entry that carries an increment in a lineage: any later one is a
// retry. It is remembered from its commit on, because a node may restore it from a snapshot
// instead of applying it, as after an unsafe recovery.
type firstEntry struct {
	place
	seq     uint64      // the event that shows it count, or the event of its commit
	counted bool        // some node was seen to count it
	next    *firstEntry // the first entry in another lineage
}

// in returns the first entry in a lineage, nil if there is none.
func (f *firstEntry) in(h *lineage) *firstEntry {
	for ; f != nil; f = f.next {
		if h.includes(f.place) {
			return f
		}
	}
	return nil
}

// seqsMax is how many of a client's increments are remembered. A client has one
// operation in flight at a time, so a duplicate is always among its latest few.
const seqsMax = 1 << 11

func (c *exactlyOnce) observe(s *state, e *trace.Event) {
	for _, index := range s.step.newlyCommitted {
		c.addCommit(s, index, e)
	}
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

// addCommit remembers a committed entry if it is the first of an increment in its lineage.
func (c *exactlyOnce) addCommit(s *state, index uint64, e *trace.Event) {
	h := s.step.lineage
	at, _ := h.at(index)
	l, ok := s.entries[entryID{index, at.term}]
	if !ok || l.entry.Kind != trace.EntryAdd {
		return
	}
	t := c.seqsOf(l.entry.Client)
	if t.firsts[l.entry.Seq].in(h) == nil {
		t.add(l.entry.Seq, firstEntry{place: place{h.owner(index), index}, seq: e.Seq})
	}
}

func (c *exactlyOnce) seqsOf(client string) *clientSeqs {
	t := c.clients[client]
	if t == nil {
		t = &clientSeqs{firsts: map[uint64]*firstEntry{}}
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
	first := t.firsts[seq].in(s.step.node.lineage)
	switch {
	case first == nil: // the state has forgotten its commit
		t.add(seq, firstEntry{place: a.place, seq: e.Seq, counted: true})
	case first.index < a.index:
		c.violate([]uint64{first.seq, e.Seq}, "%s's %+d (seq %d) counts twice on %s, with entry %d and again with entry %d: a retry must not count",
			a.entry.Client, a.entry.Delta, seq, e.Node, first.index, a.index)
	case !first.counted:
		first.seq, first.counted = e.Seq, true
	}
}

// checkNoChange checks an increment that left the value as it was.
func (c *exactlyOnce) checkNoChange(s *state, a *applied, e *trace.Event) {
	t := c.seqsOf(a.entry.Client)
	first := t.firsts[a.entry.Seq].in(s.step.node.lineage)
	sum := a.before + a.entry.Delta
	switch {
	case first != nil && first.index < a.index: // a retry
	case a.entry.Seq <= t.forgotten, t.overtaken(a, s.step.node.lineage):
	case (sum > a.before) != (a.entry.Delta > 0): // it would overflow
	case len(c.clients) > counter.MaxSessions, s.startedWithData, s.startsMidRun():
		// The client may have no session, or the increment may have counted earlier.
	case first != nil && first.counted:
		c.violate([]uint64{first.seq, e.Seq}, "entry %d, %+d by %s, counted on another node but changes nothing on %s",
			a.index, a.entry.Delta, a.entry.Client, e.Node)
	default:
		c.violate([]uint64{e.Seq}, "entry %d is %+d by %s, but %s's counter stays at %d: an increment must count once",
			a.index, a.entry.Delta, a.entry.Client, e.Node, a.after)
	}
}

// overtaken reports whether a later increment of the client precedes an entry in a lineage.
func (t *clientSeqs) overtaken(a *applied, h *lineage) bool {
	if t.highest <= a.entry.Seq {
		return false
	}
	for seq, first := range t.firsts {
		if later := first.in(h); seq > a.entry.Seq && later != nil && later.index < a.index {
			return true
		}
	}
	return false
}

// add remembers the first entry of an increment in a lineage. It forgets the older half
// of the increments once they exceed seqsMax.
func (t *clientSeqs) add(seq uint64, first firstEntry) {
	if seq <= t.forgotten {
		return
	}
	first.next = t.firsts[seq]
	t.firsts[seq] = &first
	t.highest = max(t.highest, seq)
	if len(t.firsts) <= seqsMax {
		return
	}
	t.forgotten = t.highest - seqsMax/2
	for seq := range t.firsts {
		if seq <= t.forgotten {
			delete(t.firsts, seq)
		}
	}
}
