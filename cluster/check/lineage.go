package check

import "capsize/cluster/trace"

// lineage is a sequence of committed entries. Raft never replaces a committed entry, so
// there is normally one. Outside Raft's fault model there may be several: after an unsafe
// recovery, for example, both sides keep committing. A lineage with a parent shares the
// entries before from with it.
type lineage struct {
	parent     *lineage
	from       uint64                 // the first index at which it differs from its parent
	commits    map[uint64]commit      // by index, from from on and above prunedUpTo
	increments map[trace.OpKey]uint64 // the index at which an increment was first committed
	upTo       uint64                 // the last index committed
	grew       uint64                 // the event that committed it
	prunedTerm uint64                 // the term of the entry at prunedUpTo, or of the next known one
	prunedAcks uint64                 // how many acknowledged increments of its own are forgotten
}

// commit is an entry that a node considers committed.
type commit struct {
	term      uint64
	node      string // the first node to commit it
	seq       uint64 // the event of that commit
	atTerm    uint64 // that node's term then: the entry was committed in this term or an earlier one
	ackSeq    uint64 // the event that acknowledged it to a client, 0 if none
	valueSeq  uint64 // the event that showed the counter after it, 0 if none
	value     int64  // the counter after it
	valueNode string // the node that had this value
}

// place is a committed entry. Its lineage is the one that first committed it, not one
// that inherited it.
type place struct {
	lineage *lineage
	index   uint64
}

// acknowledge records the event that acknowledged an increment to a client.
func (p place) acknowledge(seq uint64) {
	c := p.lineage.commits[p.index]
	c.ackSeq = seq
	p.lineage.commits[p.index] = c
}

// owner returns the lineage from which h has the entry at index: itself, or an ancestor.
func (h *lineage) owner(index uint64) *lineage {
	for h.parent != nil && index < h.from {
		h = h.parent
	}
	return h
}

// at returns the entry that h has committed at index.
func (h *lineage) at(index uint64) (commit, bool) {
	c, ok := h.owner(index).commits[index]
	return c, ok
}

// includes reports whether the entry at a place is part of h.
func (h *lineage) includes(p place) bool { return h.owner(p.index) == p.lineage }

// hasForgotten reports whether an entry may be one that h has committed and forgotten.
func (h *lineage) hasForgotten(id entryID) bool {
	owner := h.owner(id.index)
	_, known := owner.commits[id.index]
	return !known && id.index <= owner.upTo && id.term <= h.prunedTerm
}

// find returns where h first committed an increment.
func (h *lineage) find(key trace.OpKey) (first place, ok bool) {
	for limit := uint64(indexMax); h != nil; h = h.parent {
		if index, has := h.increments[key]; has && index <= limit {
			first, ok = place{h, index}, true
		}
		limit = min(limit, h.from-1)
	}
	return first, ok
}

// forgetUpTo forgets the entries up to an index. It keeps where the lineage forks from its
// ancestors: checks may remember places in those.
func (h *lineage) forgetUpTo(upTo uint64) {
	// Terms never decrease in a log, so the next known term is not too low.
	h.prunedTerm = unknownTerm
	for i := upTo; i <= h.upTo && h.prunedTerm == unknownTerm; i++ {
		if c, ok := h.at(i); ok {
			h.prunedTerm = c.term
		}
	}
	for ; h != nil; h = h.parent {
		for index, c := range h.commits {
			if index <= upTo {
				if c.ackSeq != 0 {
					h.prunedAcks++
				}
				delete(h.commits, index)
			}
		}
		for key, index := range h.increments {
			if index <= upTo {
				delete(h.increments, key)
			}
		}
		if len(h.commits) == 0 { // an empty map keeps its memory
			h.commits, h.increments = map[uint64]commit{}, map[trace.OpKey]uint64{}
		}
	}
}
