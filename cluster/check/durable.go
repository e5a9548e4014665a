package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// durable is acked-durable: what a client was told is counted is in every committed
// state from then on.
type durable struct {
	report
	early map[opKey]ack       // acknowledged, and not seen to be committed yet
	gone  map[opKey]lostEntry // committed once, and not any more
	seen  map[uint64]bool     // the acknowledgements whose increment is told to be lost
}

// ack is an acknowledgement. The increment stands at limit or before, as that is
// where the longest log ended at the time.
type ack struct {
	seq, limit uint64
}

type lostEntry struct {
	index uint64
	entry *trace.Entry
	seq   uint64 // the event that committed something else
}

// goneMax is how many entries are remembered that were committed and lost before
// any client was told of them.
const goneMax = 1 << 14

func (c *durable) observe(w *world, e *trace.Event) {
	if e.Kind == trace.KindReturned {
		if op := e.Op; op.Kind == trace.EntryAdd && op.Outcome == trace.OK {
			c.acked(w, e)
		}
		return
	}
	if f := w.step.fork; f != nil {
		c.forked(w, f, e)
	}
	if len(c.early) > 0 {
		c.late(w, e)
	}
}

// acked notes that a client was told that its increment counts.
func (c *durable) acked(w *world, e *trace.Event) {
	key := opKey{e.Op.Client, e.Op.Seq}
	if w.midway() && e.Op.Invoked < w.start.At {
		return // it may have been committed before the trace begins
	}
	if index, ok := w.placed[key]; ok {
		at := w.committed[index]
		at.acked = e.Seq
		w.committed[index] = at
		return
	}
	if lost, ok := c.gone[key]; ok {
		c.lose(lost.index, []trace.Entry{*lost.entry}, []uint64{e.Seq, lost.seq},
			"%s was told at %s that its %+d is counted, but another entry was committed in its place (entry %d)",
			e.Op.Client, trace.Seconds(e.At), e.Op.Delta, lost.index)
		return
	}
	if e.Op.Invoked < w.prunedAt {
		return // where it was committed may be forgotten
	}
	// A leader that dies at this moment may not have told all that it committed.
	limit := uint64(0)
	for _, n := range w.nodes {
		limit = max(limit, n.last())
	}
	if c.early == nil {
		c.early = map[opKey]ack{}
	}
	c.early[key] = ack{e.Seq, limit}
	c.late(w, e)
}

// late looks at the increments that were acknowledged before they were seen to be
// committed.
func (c *durable) late(w *world, e *trace.Event) {
	for key, a := range c.early {
		if index, ok := w.placed[key]; ok {
			at := w.committed[index]
			at.acked = a.seq
			w.committed[index] = at
			delete(c.early, key)
		} else if w.end > a.limit {
			c.violate([]uint64{a.seq, e.Seq}, "%s was told that its increment number %d is counted, and no node has it committed up to entry %d", key.client, key.seq, w.end)
			delete(c.early, key)
		}
	}
}

// forked looks for acknowledged increments in what is no longer committed.
func (c *durable) forked(w *world, f *fork, e *trace.Event) {
	var lost []trace.Entry
	var proof []uint64
	first := uint64(0)
	if f.at <= w.low && w.ackedLow > 0 {
		c.violate([]uint64{e.Seq}, "increments up to entry %d were acknowledged long before and are lost: %s has committed another entry at %d", w.low, f.now.node, f.at)
	}
	for i, old := range f.old {
		index := f.at + uint64(i)
		l, ok := w.links[place{index, old.term}]
		if !ok || l.entry.Kind != trace.EntryAdd {
			continue
		}
		key := opKey{l.entry.Client, l.entry.Seq}
		if _, again := w.placed[key]; again {
			continue
		}
		if old.acked == 0 {
			if c.gone == nil || len(c.gone) >= goneMax {
				c.gone = map[opKey]lostEntry{}
			}
			c.gone[key] = lostEntry{index, l.entry, e.Seq}
			continue
		}
		if c.seen[old.acked] {
			continue
		}
		if c.seen == nil {
			c.seen = map[uint64]bool{}
		}
		c.seen[old.acked] = true
		if first != 0 && index != first+uint64(len(lost)) { // only a run of entries fits into an event
			c.lose(first, lost, proof, "%s", lostText(first, lost, f))
			first, lost, proof = 0, nil, nil
		}
		if first == 0 {
			first = index
		}
		lost, proof = append(lost, *l.entry), append(proof, old.acked, e.Seq)
	}
	if len(lost) > 0 {
		c.lose(first, lost, proof, "%s", lostText(first, lost, f))
	}
}

func lostText(first uint64, lost []trace.Entry, f *fork) string {
	of := fmt.Sprintf("the %+d of %s (entry %d) was acknowledged and is", lost[0].Delta, lost[0].Client, first)
	if len(lost) > 1 {
		of = fmt.Sprintf("%d increments (entries %d to %d) were acknowledged and are", len(lost), first, first+uint64(len(lost))-1)
	}
	return fmt.Sprintf("%s lost: %s has committed another entry at %d", of, f.now.node, f.at)
}

// lose says that acknowledged entries are lost, each time that there are more.
func (c *durable) lose(index uint64, lost []trace.Entry, proof []uint64, format string, args ...any) {
	c.violate(proof, format, args...)
	if c.verdict != trace.VerdictViolated {
		return
	}
	c.runs = append(c.runs, run{index, lost})
	c.dirty = true
}
