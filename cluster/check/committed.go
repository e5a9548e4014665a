package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// advanceCommit notes that a node holds its log for committed up to index. From there it
// looks back until it meets what is known already: below, by log-matching, the two
// are the same, so that each entry is looked at once.
func (s *state) advanceCommit(n *node, index uint64, e *trace.Event) {
	if !n.loaded || index <= n.committed {
		return
	}
	if index > n.lastIndex() {
		s.invalid = fmt.Sprintf("%s takes entry %d as committed (event %d), but its log ends at %d", n.id, index, e.Seq, n.lastIndex())
		index = n.lastIndex()
	}
	lowest := uint64(0) // the lowest entry at which the two differ
	i := index
	for ; i > n.committed; i-- {
		term := n.termAt(i)
		if i < n.snapshot || term == unknownTerm {
			break // its snapshot covers it, and what its log may still hold there means nothing
		}
		if i <= s.prunedUpTo {
			// What was committed there is forgotten, but terms never go down along a log.
			if term > s.prunedTerm {
				lowest = i
				continue
			}
			break
		}
		known, ok := s.committed[i]
		if ok && known.term == term {
			break
		}
		if ok {
			lowest = i
		}
	}
	if lowest != 0 {
		s.replaceCommitted(n, lowest, e)
	}
	for i++; i <= index; i++ {
		if _, ok := s.committed[i]; !ok && i > s.prunedUpTo {
			s.commit(n, i, e)
		}
	}
	n.committed = max(n.committed, index)
}

// commit notes that an entry of a node's log is committed.
func (s *state) commit(n *node, index uint64, e *trace.Event) {
	at := entryID{index, n.termAt(index)}
	s.committed[index] = commit{term: at.term, node: n.id, seq: e.Seq, atTerm: n.term}
	s.committedUpTo = max(s.committedUpTo, index)
	s.step.newlyCommitted = append(s.step.newlyCommitted, index)
	if l, ok := s.entries[at]; ok && l.entry.Kind == trace.EntryAdd {
		key := opKey{l.entry.Client, l.entry.Seq}
		if _, twice := s.committedAt[key]; !twice {
			s.committedAt[key] = index
		}
	}
}

// replaceCommitted notes that what is known to be committed from index on is not what a node
// commits there. What counts from now on is what was committed last.
func (s *state) replaceCommitted(n *node, index uint64, e *trace.Event) {
	f := &conflict{index: index, was: s.committed[index], now: commit{term: n.termAt(index), node: n.id, seq: e.Seq}}
	for i := max(index, s.prunedUpTo+1); i <= s.committedUpTo; i++ {
		old, ok := s.committed[i]
		if !ok {
			continue
		}
		f.old = append(f.old, old)
		delete(s.committed, i)
		if l, ok := s.entries[entryID{i, old.term}]; ok {
			if key := (opKey{l.entry.Client, l.entry.Seq}); s.committedAt[key] == i {
				delete(s.committedAt, key)
			}
		}
	}
	s.committedUpTo = index - 1
	s.step.conflict = f
}
