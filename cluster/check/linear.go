package check

import (
	"time"

	"capsize/cluster/trace"
)

// linear collects for the judge what the clients did and were told, and the later
// evidence of what became of operations whose outcome they do not know.
type linear struct {
	judge *judge

	settled bool   // every change of the counter from now on is of an operation that was seen
	led     bool   // somebody led since the start
	limit   uint64 // where the longest log ended when that could be said; 0 before
}

func (c *linear) observe(w *world, e *trace.Event) {
	if !c.settled {
		c.settle(w, e)
	}
	switch e.Kind {
	case trace.KindInvoked:
		c.judge.hear(note{kind: wasCalled, op: e.Op, seq: e.Seq, at: e.At})
		return
	case trace.KindReturned:
		c.judge.hear(note{kind: hasReturned, op: e.Op, seq: e.Seq, at: e.At})
		return
	default:
	}
	for _, index := range w.step.news {
		l, ok := w.links[place{index, w.committed[index].term}]
		if ok && l.entry.Kind == trace.EntryAdd {
			c.judge.hear(note{kind: hasTaken, key: opKey{l.entry.Client, l.entry.Seq}, seq: e.Seq, at: e.At})
		}
	}
}

// settle finds out from when on nothing counts that the clients of this history did
// not ask for: entries that a log held from before, or that were on their way when
// the trace begins, may still be committed, and what the counter was is not known.
func (c *linear) settle(w *world, e *trace.Event) {
	c.led = c.led || e.Role == trace.Leader
	if !w.aged && !w.midway() {
		if e.Kind == trace.KindInvoked {
			c.settled = true
			c.judge.hear(note{kind: isSettled, seq: e.Seq, at: e.At})
		}
		return
	}
	var grace time.Duration
	if w.midway() {
		grace = w.settings.ClientTimeout + time.Second
	}
	if c.limit == 0 && c.led && e.At >= w.start.At+grace {
		for _, n := range w.nodes {
			c.limit = max(c.limit, n.last())
		}
	}
	if c.limit != 0 && w.end > c.limit {
		c.settled = true
		c.judge.hear(note{kind: isSettled, seq: e.Seq, at: e.At, unknown: true, midway: w.midway()})
	}
}
