package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// ackedDurable is acked-durable: what a client was told is counted is in every committed
// state from then on.
type ackedDurable struct {
	report
	unconfirmed map[opKey]ack              // acknowledged, and not seen to be committed yet
	overwritten map[opKey]overwrittenEntry // committed once, and not any more
	reported    map[uint64]bool            // the acknowledgements whose increment is told to be lost
}

// ack is an acknowledgement. The increment stands at limit or before, as that is
// where the longest log ended at the time.
type ack struct {
	seq, limit uint64
}

type overwrittenEntry struct {
	index uint64
	entry *trace.Entry
	seq   uint64 // the event that committed something else
}

// overwrittenMax is how many entries are remembered that were committed and lost before
// any client was told of them.
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

// addAck notes that a client was told that its increment counts.
func (c *ackedDurable) addAck(s *state, e *trace.Event) {
	key := opKey{e.Op.Client, e.Op.Seq}
	if s.startsMidRun() && e.Op.Invoked < s.first.At {
		return // it may have been committed before the trace begins
	}
	if index, ok := s.committedAt[key]; ok {
		at := s.committed[index]
		at.ackSeq = e.Seq
		s.committed[index] = at
		return
	}
	if lost, ok := c.overwritten[key]; ok {
		c.reportLost(lost.index, []trace.Entry{*lost.entry}, []uint64{e.Seq, lost.seq},
			"%s was told at %s that its %+d is counted, but another entry was committed in its place (entry %d)",
			e.Op.Client, trace.Seconds(e.At), e.Op.Delta, lost.index)
		return
	}
	if e.Op.Invoked < s.prunedAt {
		return // where it was committed may be forgotten
	}
	// A leader that dies at this moment may not have told all that it committed.
	limit := uint64(0)
	for _, n := range s.nodes {
		limit = max(limit, n.lastIndex())
	}
	if c.unconfirmed == nil {
		c.unconfirmed = map[opKey]ack{}
	}
	c.unconfirmed[key] = ack{e.Seq, limit}
	c.confirm(s, e)
}

// confirm looks at the increments that were acknowledged before they were seen to be
// committed.
func (c *ackedDurable) confirm(s *state, e *trace.Event) {
	for key, a := range c.unconfirmed {
		if index, ok := s.committedAt[key]; ok {
			at := s.committed[index]
			at.ackSeq = a.seq
			s.committed[index] = at
			delete(c.unconfirmed, key)
		} else if s.committedUpTo > a.limit {
			c.violate([]uint64{a.seq, e.Seq}, "%s was told that its increment number %d is counted, and no node has it committed up to entry %d", key.client, key.seq, s.committedUpTo)
			delete(c.unconfirmed, key)
		}
	}
}

// findLost looks for acknowledged increments in what is no longer committed.
func (c *ackedDurable) findLost(s *state, f *conflict, e *trace.Event) {
	var lost []trace.Entry
	var proof []uint64
	first := uint64(0)
	if f.index <= s.prunedUpTo && s.prunedAcks > 0 {
		c.violate([]uint64{e.Seq}, "increments up to entry %d were acknowledged long before and are lost: %s has committed another entry at %d", s.prunedUpTo, f.now.node, f.index)
	}
	for i, old := range f.old {
		index := f.index + uint64(i)
		l, ok := s.entries[entryID{index, old.term}]
		if !ok || l.entry.Kind != trace.EntryAdd {
			continue
		}
		key := opKey{l.entry.Client, l.entry.Seq}
		if _, again := s.committedAt[key]; again {
			continue
		}
		if old.ackSeq == 0 {
			if c.overwritten == nil || len(c.overwritten) >= overwrittenMax {
				c.overwritten = map[opKey]overwrittenEntry{}
			}
			c.overwritten[key] = overwrittenEntry{index, l.entry, e.Seq}
			continue
		}
		if c.reported[old.ackSeq] {
			continue
		}
		if c.reported == nil {
			c.reported = map[uint64]bool{}
		}
		c.reported[old.ackSeq] = true
		if first != 0 && index != first+uint64(len(lost)) { // only a run of entries fits into an event
			c.reportLost(first, lost, proof, "%s", lostText(first, lost, f))
			first, lost, proof = 0, nil, nil
		}
		if first == 0 {
			first = index
		}
		lost, proof = append(lost, *l.entry), append(proof, old.ackSeq, e.Seq)
	}
	if len(lost) > 0 {
		c.reportLost(first, lost, proof, "%s", lostText(first, lost, f))
	}
}

func lostText(first uint64, lost []trace.Entry, f *conflict) string {
	of := fmt.Sprintf("the %+d of %s (entry %d) was acknowledged and is", lost[0].Delta, lost[0].Client, first)
	if len(lost) > 1 {
		of = fmt.Sprintf("%d increments (entries %d to %d) were acknowledged and are", len(lost), first, first+uint64(len(lost))-1)
	}
	return fmt.Sprintf("%s lost: %s has committed another entry at %d", of, f.now.node, f.index)
}

// reportLost says that acknowledged entries are lost, each time that there are more.
func (c *ackedDurable) reportLost(index uint64, lost []trace.Entry, proof []uint64, format string, args ...any) {
	c.violate(proof, format, args...)
	if c.verdict != trace.VerdictViolated {
		return
	}
	c.lostRanges = append(c.lostRanges, entryRange{index, lost})
	c.unreported = true
}
