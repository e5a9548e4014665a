package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"capsize/cluster/trace"
)

// ackedDurable checks acked-durable: an increment acknowledged to a client is part of
// every state committed from then on, in every lineage.
type ackedDurable struct {
	report
	unconfirmed []ack                    // not yet committed by any node, as far as seen; in order of acknowledgement
	owed        map[*lineage][]committed // missing in the lineage, and acknowledged since it last grew
	reported    map[trace.OpKey]bool     // the increments reported as lost
}

// ack is the acknowledgement of an increment. The increment's index is at most limit,
// the end of the longest log at that time.
type ack struct {
	key        trace.OpKey
	seq, limit uint64
}

// committed is an acknowledged increment and where it was committed.
type committed struct {
	place
	entry  *trace.Entry
	ackSeq uint64
}

// owedMax bounds the increments remembered for a lineage that does not grow.
const owedMax = 1 << 14

func (c *ackedDurable) observe(s *state, e *trace.Event) {
	if e.Kind == trace.KindReturned {
		if op := e.Op; op.Kind == trace.EntryAdd && op.Outcome == trace.OK {
			c.addAck(s, e)
		}
		return
	}
	if f := s.step.conflict; f != nil {
		c.findReplaced(s, f, e)
	}
	if len(c.owed) > 0 && (len(s.step.newlyCommitted) > 0 || s.step.left.lineage != nil) {
		c.findMissing(s, e)
	}
	if len(c.unconfirmed) > 0 {
		c.confirm(s, e)
	}
}

// addAck records that an increment was acknowledged.
func (c *ackedDurable) addAck(s *state, e *trace.Event) {
	if s.startsMidRun() && e.Op.Invoked < s.first.At {
		return // it may have been committed before the trace begins
	}
	key := e.Op.OpKey()
	mayBeForgotten := e.Op.Invoked < s.prunedAt
	if mayBeForgotten && e.Op.Attempts > 1 {
		return // its first entries may be forgotten already, and others in their place
	}
	if at, ok := s.find(key); ok {
		c.acknowledge(s, at, e.Seq, e)
		return
	}
	if mayBeForgotten {
		return
	}
	// A leader that dies at this moment may not have shown all that it committed.
	limit := uint64(0)
	for _, n := range s.nodes {
		limit = max(limit, n.lastIndex())
	}
	c.unconfirmed = append(c.unconfirmed, ack{key, e.Seq, limit})
	c.confirm(s, e)
}

// acknowledge records the event that acknowledged a committed increment, and finds the
// lineages that lack it. Those that have grown since then have lost it.
func (c *ackedDurable) acknowledge(s *state, at place, seq uint64, e *trace.Event) {
	at.acknowledge(seq)
	l, ok := s.entries[entryID{at.index, at.lineage.commits[at.index].term}]
	if len(s.lineages) == 1 || !ok {
		return
	}
	acked := committed{at, l.entry, seq}
	if !s.isHeld(acked.entry.OpKey()) {
		c.reportLost([]committed{acked}, e, "every node that had committed it has committed other entries since")
		return
	}
	for _, h := range s.lineages {
		if other, has := h.find(acked.entry.OpKey()); has {
			other.acknowledge(seq)
			continue
		}
		if h.grew > seq {
			c.reportLost([]committed{acked}, e, commitsWithout(h.commits[h.upTo].node, h.upTo))
		} else if len(c.owed[h]) < owedMax {
			if c.owed == nil {
				c.owed = map[*lineage][]committed{}
			}
			c.owed[h] = append(c.owed[h], acked)
		}
	}
}

// isHeld reports whether an increment is committed in the lineage of some node.
func (s *state) isHeld(key trace.OpKey) bool {
	for _, n := range s.nodes {
		if _, has := n.lineage.find(key); has {
			return true
		}
	}
	return false
}

func commitsWithout(node string, index uint64) string {
	return fmt.Sprintf("%s commits entry %d without it", node, index)
}

// confirm looks for the commits of increments that were acknowledged before any node
// was seen to commit them.
func (c *ackedDurable) confirm(s *state, e *trace.Event) {
	c.unconfirmed = slices.DeleteFunc(c.unconfirmed, func(a ack) bool {
		if at, ok := s.find(a.key); ok {
			c.acknowledge(s, at, a.seq, e)
			return true
		}
		if s.committedUpTo <= a.limit {
			return false
		}
		c.violate([]uint64{a.seq, e.Seq}, "%s's increment (seq %d) was acknowledged, but no node has committed it up to entry %d",
			a.key.Client, a.key.Seq, s.committedUpTo)
		return true
	})
}

// findReplaced reports the acknowledged increments that a lineage has, and that the
// lineage now forking from it lacks.
func (c *ackedDurable) findReplaced(s *state, f *conflict, e *trace.Event) {
	// Which increments are forgotten is unknown. Some are lost if there are more of them than
	// entries in common and increments that the new lineage has instead.
	common, instead := f.index-f.lineage.from, uint64(len(s.step.lineage.increments))
	if f.index <= s.prunedUpTo && f.lineage.prunedAcks > common+instead {
		c.violate([]uint64{e.Seq}, "acknowledged increments up to entry %d are lost: %s commits a different entry at index %d",
			s.prunedUpTo, f.now.node, f.index)
	}
	var lost []committed
	for i := f.index; i <= f.lineage.upTo; i++ {
		old := f.lineage.commits[i]
		l, ok := s.entries[entryID{i, old.term}]
		if !ok || old.ackSeq == 0 {
			continue
		}
		if at, again := s.step.lineage.find(l.entry.OpKey()); again {
			at.acknowledge(old.ackSeq)
		} else {
			lost = append(lost, committed{place{f.lineage, i}, l.entry, old.ackSeq})
		}
	}
	c.reportLost(lost, e, fmt.Sprintf("%s commits a different entry at index %d", f.now.node, f.index))
}

// findMissing reports the acknowledged increments that a node's lineage lacks, if the
// lineage has grown since they were acknowledged, or if the node had committed them.
func (c *ackedDurable) findMissing(s *state, e *trace.Event) {
	h, left := s.step.lineage, s.step.left
	owed := c.owed[h]
	if f := s.step.conflict; f != nil {
		owed = slices.Concat(owed, c.owed[f.lineage]) // the new lineage lacks what its parent lacks
	}
	var lost, later []committed
	for _, acked := range owed {
		if at, has := h.find(acked.entry.OpKey()); has {
			at.acknowledge(acked.ackSeq)
			continue
		}
		had, ok := left.lineage.find(acked.entry.OpKey())
		if len(s.step.newlyCommitted) > 0 || ok && had.index <= left.index {
			lost = append(lost, acked)
		} else {
			later = append(later, acked)
		}
	}
	maps.DeleteFunc(c.owed, func(other *lineage, _ []committed) bool {
		return other == h || !slices.Contains(s.lineages, other)
	})
	if len(later) > 0 {
		c.owed[h] = later
	}
	c.reportLost(lost, e, commitsWithout(e.Node, s.step.node.committed))
}

// reportedMax bounds the increments remembered as reported.
const reportedMax = 1 << 16

// reportLost reports acknowledged increments that are lost, and why. It reports each one
// once, even after the first violation.
func (c *ackedDurable) reportLost(lost []committed, e *trace.Event, why string) {
	lost = slices.DeleteFunc(lost, func(l committed) bool { return c.reported[l.entry.OpKey()] })
	slices.SortStableFunc(lost, func(a, b committed) int { return cmp.Compare(a.index, b.index) })
	for len(lost) > 0 {
		n := 1 // an event holds consecutive entries only
		for n < len(lost) && lost[n].index == lost[0].index+uint64(n) {
			n++
		}
		c.reportRange(lost[:n], e, why)
		lost = lost[n:]
	}
}

func (c *ackedDurable) reportRange(lost []committed, e *trace.Event, why string) {
	first := lost[0]
	found := entryRange{index: first.index}
	proof := []uint64{e.Seq}
	if c.reported == nil || len(c.reported) >= reportedMax {
		c.reported = map[trace.OpKey]bool{}
	}
	for _, l := range lost {
		found.entries, proof = append(found.entries, *l.entry), append(proof, l.ackSeq)
		c.reported[l.entry.OpKey()] = true
	}
	text := fmt.Sprintf("%s's acknowledged %+d (entry %d) is lost", first.entry.Client, first.entry.Delta, first.index)
	if n := len(lost); n > 1 {
		text = fmt.Sprintf("%d acknowledged increments (entries %d to %d) are lost", n, first.index, first.index+uint64(n)-1)
	}
	c.violate(proof, "%s: %s", text, why)
	if c.verdict == trace.VerdictViolated {
		c.lostRanges, c.unreported = append(c.lostRanges, found), true
	}
}
