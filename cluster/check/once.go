package check

import (
	"capsize/cluster/trace"
	"capsize/counter"
)

// once is exactly-once: an increment changes the value by what it says, and only
// one of the log entries that carry it does.
type once struct {
	report
	clients map[string]*tally
}

// tally is what counted of one client.
type tally struct {
	counted map[uint64]count // by its number
	last    uint64           // the highest of them
	low     uint64           // up to which they are forgotten
}

// count is where an increment counted, and the event that shows it.
type count struct{ index, seq uint64 }

// numbersMax is how many of a client's increments are remembered. A client has one
// under way at a time, so that an old one that comes again is of its last few.
const numbersMax = 1 << 11

func (c *once) observe(w *world, e *trace.Event) {
	if f := w.step.fork; f != nil { // what is no longer committed may count again
		for _, t := range c.clients {
			for number, at := range t.counted {
				if at.index >= f.at {
					delete(t.counted, number)
				}
			}
		}
	}
	a := w.step.applied
	if a == nil {
		return
	}
	change := a.after - a.before
	switch {
	case a.entry.Kind != trace.EntryAdd:
		if change != 0 {
			c.violate([]uint64{e.Seq}, "entry %d is no increment, and yet the counter of %s went from %d to %d with it", a.at.index, e.Node, a.before, a.after)
		}
	case change != 0 && change != a.entry.Delta:
		c.violate([]uint64{e.Seq}, "entry %d is %+d of %s, and the counter of %s went from %d to %d with it", a.at.index, a.entry.Delta, a.entry.Client, e.Node, a.before, a.after)
	case change != 0:
		c.counts(a, e)
	case a.entry.Delta != 0:
		c.countsNot(w, a, e)
	}
}

func (c *once) tally(client string) *tally {
	t := c.clients[client]
	if t == nil {
		t = &tally{counted: map[uint64]count{}}
		if c.clients == nil {
			c.clients = map[string]*tally{}
		}
		c.clients[client] = t
	}
	return t
}

// counts looks at an increment that changed the value.
func (c *once) counts(a *applied, e *trace.Event) {
	t := c.tally(a.entry.Client)
	number := a.entry.Seq
	was, known := t.counted[number]
	switch {
	case number <= t.low:
	case !known:
		t.counted[number] = count{a.at.index, e.Seq}
		t.last = max(t.last, number)
		t.forget()
	case was.index != a.at.index:
		c.violate([]uint64{was.seq, e.Seq}, "the %+d of %s (its number %d) is counted twice, with entry %d and again with entry %d on %s: a retry must not count",
			a.entry.Delta, a.entry.Client, number, was.index, a.at.index, e.Node)
	}
}

// countsNot looks at an increment that did not change the value.
func (c *once) countsNot(w *world, a *applied, e *trace.Event) {
	t := c.tally(a.entry.Client)
	was, known := t.counted[a.entry.Seq]
	sum := a.before + a.entry.Delta
	switch {
	case known && was.index < a.at.index, t.last > a.entry.Seq: // a retry, or older than one that counted
	case (sum > a.before) != (a.entry.Delta > 0): // it would overflow
	case len(c.clients) > counter.MaxSessions, w.aged, w.midway(): // its client may be one too many, or have had it counted before
	case known:
		c.violate([]uint64{was.seq, e.Seq}, "entry %d, %+d of %s, counted on another node, and on %s it changed nothing", a.at.index, a.entry.Delta, a.entry.Client, e.Node)
	default:
		c.violate([]uint64{e.Seq}, "entry %d is %+d of %s, and the counter of %s stayed at %d: an increment counts once", a.at.index, a.entry.Delta, a.entry.Client, e.Node, a.after)
	}
}

// forget forgets the older half of what is remembered, if it is too much.
func (t *tally) forget() {
	if len(t.counted) <= numbersMax {
		return
	}
	t.low = t.last - numbersMax/2
	for number := range t.counted {
		if number <= t.low {
			delete(t.counted, number)
		}
	}
}
