package check

import "capsize/cluster/trace"

// node is one node as the checks see it.
type node struct {
	id      string
	process trace.ProcessState
	loaded  bool // what its disk held is known

	first    uint64   // index of terms[0]
	terms    []uint64 // of the entries of its log
	prevTerm uint64   // the term of the entry before first, unknownTerm if it was not told

	snapshot, snapshotTerm uint64

	term      uint64
	ownVote   uint64 // the last term in which it voted for itself
	leading   bool
	roleSeq   uint64 // the event of its last change of role
	committed uint64 // up to where it holds its log for committed
	applied   uint64
	value     int64
}

// lastEntry returns the index of the last entry of its log, or of the one before
// an empty log.
func (n *node) lastEntry() uint64 { return n.first + uint64(len(n.terms)) - 1 }

// lastIndex is lastEntry, or what its snapshot covers if that is more.
func (n *node) lastIndex() uint64 { return max(n.lastEntry(), n.snapshot) }

// termAt returns the term of the entry at index, unknownTerm if it is not known.
func (n *node) termAt(index uint64) uint64 {
	switch {
	case index == n.snapshot && n.snapshot > 0: // whatever an older log still holds there
		return n.snapshotTerm
	case index >= n.first && index <= n.lastEntry():
		return n.terms[index-n.first]
	case index+1 == n.first:
		return n.prevTerm
	}
	return unknownTerm
}

// leadTerm returns the term that a node leads which says it leads term. What it says
// may be of a moment later, but it never leads without having voted for itself.
func (n *node) leadTerm(term uint64) uint64 {
	if n.ownVote != 0 && n.ownVote < term {
		return n.ownVote
	}
	return term
}
