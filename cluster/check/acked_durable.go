package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// ackedDurable checks acked-durable: an increment acknowledged to a client is part of
// every state committed from then on.
type ackedDurable struct {
	report
	unconfirmed map[trace.OpKey]ack              // acknowledged, but no node has been seen to commit it
	overwritten map[trace.OpKey]overwrittenEntry // committed once, then replaced before it was acknowledged
	reported    map[uint64]bool                  // acknowledgements already reported as lost, by event
}

// ack is an acknowledgement. The increment's index is limit at most, where the longest
// log ended at the time.
type ack struct {
	seq, limit uint64
}

type overwrittenEntry struct {
	index uint64
	entry *trace.Entry
	seq   uint64 // the event that committed another entry there
}

// overwrittenMax bounds how many overwritten, unacknowledged entries are remembered.
const overwrittenMax = 1 << 14

func (c *ackedDurable) observe(s *state, e *trace.Event) {
	if e.Kind == trace.KindReturned {
		if op := e.Op; op.Kind == trace.EntryAdd && op.Outcome == trace.OK {
			c.addAck(s, e)
		}
		return
	}
	if f := s.step.conflict; f != nil {
		c.findLost(s, f, e)
	}
	if len(c.unconfirmed) > 0 {
		c.confirm(s, e)
	}
}

// addAck records that an increment was acknowledged.
func (c *ackedDurable) addAck(s *state, e *trace.Event) {
	key := e.Op.OpKey()
	if s.startsMidRun() && e.Op.Invoked < s.first.At {
		return // it may have been committed before the trace begins
	}
	if index, ok := s.committedAt[key]; ok {
		s.acknowledge(index, e.Seq)
		return
	}
	if lost, ok := c.overwritten[key]; ok {
		c.reportLost(lost.index, []trace.Entry{*lost.entry}, []uint64{e.Seq, lost.seq},
			"%s's %+d, acknowledged at %s, is lost: another entry was committed at its index, %d",
			e.Op.Client, e.Op.Delta, trace.Seconds(e.At), lost.index)
		return
	}
	if e.Op.Invoked < s.prunedAt {
		return // its commit may be forgotten
	}
	// A leader that dies at this moment may not have shown all that it committed.
	limit := uint64(0)
	for _, n := range s.nodes {
		limit = max(limit, n.lastIndex())
	}
	if c.unconfirmed == nil {
		c.unconfirmed = map[trace.OpKey]ack{}
	}
	c.unconfirmed[key] = ack{e.Seq, limit}
	c.confirm(s, e)
}

// acknowledge records the event that acknowledged a committed entry.
func (s *state) acknowledge(index, seq uint64) {
	at := s.committed[index]
	at.ackSeq = seq
	s.committed[index] = at
}

// confirm looks for the commits of increments that were acknowledged before any node
// was seen to commit them.
func (c *ackedDurable) confirm(s *state, e *trace.Event) {
	for key, a := range c.unconfirmed {
		if index, ok := s.committedAt[key]; ok {
			s.acknowledge(index, a.seq)
			delete(c.unconfirmed, key)
		} else if s.committedUpTo > a.limit {
			c.violate([]uint64{a.seq, e.Seq}, "%s's increment (seq %d) was acknowledged, but no node has committed it up to entry %d",
				key.Client, key.Seq, s.committedUpTo)
			delete(c.unconfirmed, key)
		}
	}
}

// findLost reports the acknowledged increments among entries that are no longer
// committed.
func (c *ackedDurable) findLost(s *state, f *conflict, e *trace.Event) {
	if f.index <= s.prunedUpTo && s.prunedAcks > 0 {
		c.violate([]uint64{e.Seq}, "acknowledged increments up to entry %d are lost: %s commits another entry at index %d",
			s.prunedUpTo, f.now.node, f.index)
	}
	var lost entryRange
	var proof []uint64
	report := func() {
		if len(lost.entries) > 0 {
			c.reportLost(lost.index, lost.entries, proof, "%s", lostText(lost, f))
		}
		lost, proof = entryRange{}, nil
	}
	for i, old := range f.old {
		index := f.index + uint64(i)
		entry := c.lostEntry(s, entryID{index, old.term}, old, e)
		if entry == nil {
			continue
		}
		if index != lost.index+uint64(len(lost.entries)) { // an event holds consecutive entries only
			report()
			lost.index = index
		}
		lost.entries, proof = append(lost.entries, *entry), append(proof, old.ackSeq, e.Seq)
	}
	report()
}

// lostEntry returns the entry that was committed as old and is committed no more, if
// it is an acknowledged increment and not reported yet.
func (c *ackedDurable) lostEntry(s *state, id entryID, old commit, e *trace.Event) *trace.Entry {
	l, ok := s.entries[id]
	if !ok || l.entry.Kind != trace.EntryAdd {
		return nil
	}
	key := l.entry.OpKey()
	if _, again := s.committedAt[key]; again {
		return nil
	}
	if old.ackSeq == 0 {
		if c.overwritten == nil || len(c.overwritten) >= overwrittenMax {
			c.overwritten = map[trace.OpKey]overwrittenEntry{}
		}
		c.overwritten[key] = overwrittenEntry{id.index, l.entry, e.Seq}
		return nil
	}
	if c.reported[old.ackSeq] {
		return nil
	}
	if c.reported == nil {
		c.reported = map[uint64]bool{}
	}
	c.reported[old.ackSeq] = true
	return l.entry
}

func lostText(lost entryRange, f *conflict) string {
	text := fmt.Sprintf("%s's acknowledged %+d (entry %d) is lost", lost.entries[0].Client, lost.entries[0].Delta, lost.index)
	if n := len(lost.entries); n > 1 {
		text = fmt.Sprintf("%d acknowledged increments (entries %d to %d) are lost", n, lost.index, lost.index+uint64(n)-1)
	}
	return fmt.Sprintf("%s: %s commits another entry at index %d", text, f.now.node, f.index)
}

// reportLost reports lost acknowledged entries, also after the first violation.
func (c *ackedDurable) reportLost(index uint64, lost []trace.Entry, proof []uint64, format string, args ...any) {
	c.violate(proof, format, args...)
	if c.verdict != trace.VerdictViolated {
		return
	}
	c.lostRanges = append(c.lostRanges, entryRange{index, lost})
	c.unreported = true
}
