package check

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
)

// commitLog is what the checks know to be committed.
type commitLog struct {
	committed     map[uint64]commit      // by index, above prunedUpTo
	committedAt   map[trace.OpKey]uint64 // the index at which an increment was committed
	committedUpTo uint64
	commitsMax    uint64 // how many commits are kept when some node's snapshot lags behind

	prunedUpTo uint64        // commits up to this index are forgotten
	prunedTerm uint64        // the term of the entry at prunedUpTo, or of the next known one
	prunedAcks int           // how many forgotten increments were acknowledged
	prunedAt   time.Duration // when commits were last forgotten
	pruneAbove int           // how many log entries are kept before the next attempt to forget some
}

// commit is an entry that a node considers committed.
type commit struct {
	term      uint64
	node      string // the first one to commit it
	seq       uint64 // the event by which it did
	atTerm    uint64 // that node's term at the time: the entry was committed in this term or before
	ackSeq    uint64 // the event that acknowledged it to a client, 0 if none
	valueSeq  uint64 // the event that showed the counter after it, 0 if none
	value     int64  // the counter after it
	valueNode string // the node that had this value
}

// advanceCommit moves the commit index of a node up to index. It walks back until the
// node's log agrees with what is known to be committed: by log matching the two are
// the same below that point, so every entry is looked at once.
func (s *state) advanceCommit(n *node, index uint64, e *trace.Event) {
	if !n.loaded || index <= n.committed {
		return
	}
	if index > n.lastIndex() {
		s.invalid = fmt.Sprintf("%s commits entry %d (event %d), but its log ends at %d", n.id, index, e.Seq, n.lastIndex())
		index = n.lastIndex()
	}
	lowest := uint64(0) // the lowest index at which the two differ
	i := index
	for ; i > n.committed; i-- {
		term := n.termAt(i)
		if i < n.snapshot || term == unknownTerm {
			break // its snapshot covers the entry, so whatever its log still holds there is void
		}
		if i <= s.prunedUpTo {
			// The commit is forgotten, but terms never decrease along a log.
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

// commit records that an entry of a node's log is committed.
func (s *state) commit(n *node, index uint64, e *trace.Event) {
	id := entryID{index, n.termAt(index)}
	s.committed[index] = commit{term: id.term, node: n.id, seq: e.Seq, atTerm: n.term}
	s.committedUpTo = max(s.committedUpTo, index)
	s.step.newlyCommitted = append(s.step.newlyCommitted, index)
	if l, ok := s.entries[id]; ok && l.entry.Kind == trace.EntryAdd {
		key := l.entry.OpKey()
		if _, twice := s.committedAt[key]; !twice {
			s.committedAt[key] = index
		}
	}
}

// replaceCommitted records that a node commits other entries from index on than those
// known to be committed. The latest commit counts from now on.
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
			if key := l.entry.OpKey(); s.committedAt[key] == i {
				delete(s.committedAt, key)
			}
		}
	}
	s.committedUpTo = index - 1
	s.step.conflict = f
}
