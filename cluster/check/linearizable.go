package check

import (
	"time"

	"capsize/cluster/trace"
)

// linearizable feeds the linearizability worker: what the clients invoked, what they
// got back, and the later evidence of what became of operations of unknown outcome.
type linearizable struct {
	worker *worker

	settled    bool   // every change of the counter from now on comes from an operation in the history
	hasLed     bool   // some node has led since the trace began
	longestLog uint64 // where the longest log ended once a leader was seen and the grace was over, 0 before
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
		at, _ := s.step.lineage.at(index)
		l, ok := s.entries[entryID{index, at.term}]
		if ok && l.entry.Kind == trace.EntryAdd {
			c.worker.enqueue(workItem{kind: incrementCommitted, key: l.entry.OpKey(), index: index, seq: e.Seq, at: e.At})
		}
	}
}

// settle waits for the point after which every change of the counter comes from an
// operation in this history. Before it, entries that a log already held, or requests
// in flight when the trace began, may still commit, and the counter is unknown.
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
		c.worker.enqueue(workItem{kind: historySettled, seq: e.Seq, at: e.At, unknown: true, startsMidRun: s.startsMidRun()})
	}
}
