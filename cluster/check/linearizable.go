package check

import (
	"time"

	"capsize/cluster/trace"
)

// linearizable collects for the judge what the clients did and were told, and the later
// evidence of what became of operations whose outcome they do not know.
type linearizable struct {
	worker *worker

	settled    bool   // every change of the counter from now on is of an operation that was seen
	hasLed     bool   // somebody led since the start
	longestLog uint64 // where the longest log ended when that could be said; 0 before
}

func (c *linearizable) observe(s *state, e *trace.Event) {
	if !c.settled {
		c.settle(s, e)
	}
	switch e.Kind {
	case trace.KindInvoked:
		c.worker.enqueue(workItem{kind: opInvoked, op: e.Op, seq: e.Seq, at: e.At})
		return
	case trace.KindReturned:
		c.worker.enqueue(workItem{kind: opReturned, op: e.Op, seq: e.Seq, at: e.At})
		return
	default:
	}
	for _, index := range s.step.newlyCommitted {
		l, ok := s.entries[entryID{index, s.committed[index].term}]
		if ok && l.entry.Kind == trace.EntryAdd {
			c.worker.enqueue(workItem{kind: incrementCommitted, key: opKey{l.entry.Client, l.entry.Seq}, seq: e.Seq, at: e.At})
		}
	}
}

// settle finds out from when on nothing counts that the clients of this history did
// not ask for: entries that a log held from before, or that were on their way when
// the trace begins, may still be committed, and what the counter was is not known.
func (c *linearizable) settle(s *state, e *trace.Event) {
	c.hasLed = c.hasLed || e.Role == trace.Leader
	if !s.startedWithData && !s.startsMidRun() {
		if e.Kind == trace.KindInvoked {
			c.settled = true
			c.worker.enqueue(workItem{kind: historySettled, seq: e.Seq, at: e.At})
		}
		return
	}
	var grace time.Duration
	if s.startsMidRun() {
		grace = s.settings.ClientTimeout + time.Second
	}
	if c.longestLog == 0 && c.hasLed && e.At >= s.first.At+grace {
		for _, n := range s.nodes {
			c.longestLog = max(c.longestLog, n.lastIndex())
		}
	}
	if c.longestLog != 0 && s.committedUpTo > c.longestLog {
		c.settled = true
		c.worker.enqueue(workItem{kind: historySettled, seq: e.Seq, at: e.At, unknown: true, midway: s.startsMidRun()})
	}
}
