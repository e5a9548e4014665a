package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// logMatching is log-matching: if two logs contain an entry with the same index and
// term, then the logs are identical in all entries up through the given index
// (Raft paper, section 5.3). The world compares each entry, and the term of the
// one before it, with the first of that index and term; what comes before follows
// by induction, so that this costs the same however long a log is.
type logMatching struct{ report }

func (c *logMatching) observe(s *state, _ *trace.Event) {
	if m := s.step.mismatch; m != nil {
		c.violate([]uint64{m.was.seq, m.now.seq}, "entry %d of term %d is %s in the log of %s and %s in the log of %s: one index and term must hold one entry",
			m.at.index, realTerm(m.at.term), m.was, m.was.node, m.now, m.now.node)
	}
}

// String describes a link for a sentence.
func (l logEntry) String() string {
	text := string(l.entry.Kind)
	switch l.entry.Kind {
	case trace.EntryAdd:
		text = fmt.Sprintf("%+d of %s (sequence number %d)", l.entry.Delta, l.entry.Client, l.entry.Seq)
	case trace.EntryRead:
		text = fmt.Sprintf("a read of %s", l.entry.Client)
	case trace.EntryNoop, trace.EntryConfig, trace.EntryOther:
	}
	if l.prevTerm != unknownTerm {
		text += fmt.Sprintf(" after one of term %d", realTerm(l.prevTerm))
	}
	return text
}
