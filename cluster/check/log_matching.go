package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// logMatching checks log-matching: if two logs contain an entry with the same index
// and term, then the logs are identical in all entries up through the given index
// (Raft paper, section 5.3). The state compares each entry, and the term before it,
// with the first one seen at that index and term. All earlier entries follow by
// induction, so the cost does not grow with the log.
type logMatching struct{ report }

func (c *logMatching) observe(s *state, _ *trace.Event) {
	m := s.step.mismatch
	switch {
	case m == nil:
	case m.was.entry.Same(m.now.entry):
		c.violate([]uint64{m.was.seq, m.now.seq}, "entry %d (term %d) follows an entry of term %d in %s's log but one of term %d in %s's: logs that share an entry must agree on all before it",
			m.id.index, realTerm(m.id.term), realTerm(m.was.prevTerm), m.was.node, realTerm(m.now.prevTerm), m.now.node)
	default:
		c.violate([]uint64{m.was.seq, m.now.seq}, "entry %d (term %d) is %s in %s's log but %s in %s's: the same index and term must mean the same entry",
			m.id.index, realTerm(m.id.term), m.was, m.was.node, m.now, m.now.node)
	}
}

// String describes an entry for a sentence.
func (l logEntry) String() string {
	switch l.entry.Kind {
	case trace.EntryAdd:
		return fmt.Sprintf("%+d by %s (seq %d)", l.entry.Delta, l.entry.Client, l.entry.Seq)
	case trace.EntryRead:
		return fmt.Sprintf("a read by %s", l.entry.Client)
	case trace.EntryNoop:
		return "a no-op"
	case trace.EntryConfig:
		return "a configuration"
	case trace.EntryOther:
	}
	return fmt.Sprintf("an entry of kind %s", l.entry.Kind)
}
