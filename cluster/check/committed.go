package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// commitLog is what the checks know to be committed.
type commitLog struct {
	lineages      []*lineage // oldest first
	committedUpTo uint64     // the last index of the longest one
	commitsMax    uint64     // how many commits are kept when some node's snapshot lags behind
	walked        []uint64   // scratch of advanceCommit

	prunedUpTo uint64        // commits up to this index are forgotten
	prunedAt   time.Duration // when commits were last forgotten
	pruneAbove int           // how many log entries are kept before the next attempt to forget some
}

// lineagesMax bounds the number of lineages. There are fewer nodes than that, so some
// lineage always has no node and can be forgotten.
const lineagesMax = 128

// advanceCommit moves the commit index of a node up to index. It walks back along the
// node's log to an entry known to be committed: by log matching, that lineage has all
// entries below it, so each entry is visited once. The entries above extend the
// lineage, or start a new one if the lineage has different entries there.
func (s *state) advanceCommit(n *node, index uint64, e *trace.Event) {
	if !n.loaded || index <= n.committed {
		return
	}
	if last := n.lastIndex(); index > last {
		if index > n.logEnd {
			s.invalid = fmt.Sprintf("%s commits entry %d (event %d), but its log ends at %d", n.id, index, e.Seq, last)
		}
		if index = last; index <= n.committed {
			return
		}
	}
	h, i := s.walkBack(n, index)
	fork := s.firstDifference(h, i+1, index)
	if fork != 0 {
		h = s.fork(h, fork, n, s.walked[index-fork], e)
	}
	for i++; i <= index; i++ {
		owner := h.owner(i)
		if _, known := owner.commits[i]; !known && (i > s.prunedUpTo || i > owner.upTo) { // it is not forgotten
			s.commit(owner, entryID{i, s.walked[index-i]}, n, e)
		}
	}
	s.step.lineage = h
	s.moveTo(n, h, index)
}

// walkBack finds the highest index, up to the given one, at which some lineage has
// committed the entry in a node's log. It returns the lineage and the index, and leaves
// the terms of the entries above in s.walked, last one first.
func (s *state) walkBack(n *node, index uint64) (*lineage, uint64) {
	h := n.lineage
	if h == nil && len(s.lineages) > 0 {
		h = s.lineages[0]
	}
	if h == nil {
		h = forkOf(nil, 1, unknownTerm) // the first lineage
		s.lineages = append(s.lineages, h)
	}
	s.walked = s.walked[:0]
	id := entryID{index, n.termAt(index)}
	for id.index > n.committed && id.term != unknownTerm {
		if owner := s.ownerOf(id, h); owner != nil {
			return owner, id.index
		}
		if owner := s.forgottenOwnerOf(id, h); owner != nil {
			return owner, id.index
		}
		s.walked = append(s.walked, id.term)
		id = entryID{id.index - 1, s.termBefore(n, id)}
	}
	return h.owner(id.index), id.index
}

// termBefore returns the term of the entry before the given one in a node's log. Entries
// below the node's snapshot do not count even if its log still holds them, but another
// log may have the entry and its predecessor.
func (s *state) termBefore(n *node, id entryID) uint64 {
	if id.index > n.snapshot {
		if term := n.termAt(id.index - 1); term != unknownTerm {
			return term
		}
	}
	if l, ok := s.entries[id]; ok {
		return l.prevTerm
	}
	return unknownTerm
}

// ownerOf returns the lineage that has committed an entry, nil if none has. It searches
// the given lineage and its ancestors first.
func (s *state) ownerOf(id entryID, first *lineage) *lineage {
	owner := first.owner(id.index)
	if c, ok := owner.commits[id.index]; ok && c.term == id.term {
		return owner
	}
	if len(s.lineages) == 1 {
		return nil
	}
	for _, h := range s.lineages {
		if c, ok := h.commits[id.index]; ok && c.term == id.term {
			return h
		}
	}
	return nil
}

// forgottenOwnerOf returns the lineage that has committed an entry and forgotten it, nil if
// none has. Only the term at prunedUpTo tells lineages apart. Below that, an entry may be of
// any lineage that ends in its term or a later one, because terms never decrease in a log:
// of these, the given lineage comes first.
func (s *state) forgottenOwnerOf(id entryID, first *lineage) *lineage {
	if id.index > s.prunedUpTo {
		return nil
	}
	var owner *lineage
	if first.hasForgotten(id) {
		owner = first.owner(id.index)
	}
	for _, h := range s.lineages {
		switch {
		case !h.hasForgotten(id):
		case id.index == s.prunedUpTo && id.term == h.prunedTerm:
			return h.owner(id.index)
		case owner == nil:
			owner = h.owner(id.index)
		}
	}
	return owner
}

// firstDifference returns the first index between from and to, inclusive, at which a
// lineage has committed a different entry than the node whose log is in s.walked, or 0.
func (s *state) firstDifference(h *lineage, from, to uint64) uint64 {
	for i := from; i <= min(to, h.upTo); i++ {
		if _, ok := h.at(i); ok || i <= s.prunedUpTo {
			return i
		}
	}
	return 0
}

// commit records that an entry of a node's log is committed.
func (s *state) commit(h *lineage, id entryID, n *node, e *trace.Event) {
	h.commits[id.index] = commit{term: id.term, node: n.id, seq: e.Seq, atTerm: n.term}
	h.upTo, h.grew = max(h.upTo, id.index), e.Seq
	s.committedUpTo = max(s.committedUpTo, id.index)
	s.step.newlyCommitted = append(s.step.newlyCommitted, id.index)
	if l, ok := s.entries[id]; ok && l.entry.Kind == trace.EntryAdd {
		key := l.entry.OpKey()
		if _, twice := h.increments[key]; !twice {
			h.increments[key] = id.index
		}
	}
}

func forkOf(parent *lineage, from, prunedTerm uint64) *lineage {
	return &lineage{
		parent: parent, from: from, upTo: from - 1, prunedTerm: prunedTerm,
		commits: map[uint64]commit{}, increments: map[trace.OpKey]uint64{},
	}
}

// fork starts a lineage: a node commits a different entry at index than h has.
func (s *state) fork(h *lineage, index uint64, n *node, term uint64, e *trace.Event) *lineage {
	was, _ := h.at(index)
	s.step.conflict = &conflict{index: index, lineage: h, was: was, now: commit{term: term, node: n.id, seq: e.Seq}}
	if len(s.lineages) >= lineagesMax {
		s.forgetLineage(h)
	}
	other := forkOf(h, index, h.prunedTerm)
	s.lineages = append(s.lineages, other)
	return other
}

// forgetLineage forgets the oldest lineage that no node is in, except kept.
func (s *state) forgetLineage(kept *lineage) {
	taken := map[*lineage]bool{kept: true}
	for _, n := range s.nodes {
		taken[n.lineage] = true
	}
	if i := slices.IndexFunc(s.lineages, func(h *lineage) bool { return !taken[h] }); i >= 0 {
		s.lineages = slices.Delete(s.lineages, i, i+1)
	}
}

// moveTo records that a node has committed the entries of a lineage up to index. A node
// keeps its place while a restarted process commits the same entries again.
func (s *state) moveTo(n *node, h *lineage, index uint64) {
	n.committed, n.handed = max(n.committed, index), max(n.handed, index)
	was, now := place{n.lineage, n.reached}, place{h.owner(index), index}
	if was.lineage != nil {
		if index <= was.index && was.lineage.includes(now) {
			return
		}
		if !h.includes(was) {
			s.step.left = was
		}
	}
	n.lineage, n.reached = now.lineage, now.index
}

// find returns where an increment was committed, in the oldest lineage that has it.
func (s *state) find(key trace.OpKey) (place, bool) {
	for _, h := range s.lineages {
		if index, ok := h.increments[key]; ok {
			return place{h, index}, true
		}
	}
	return place{}, false
}
