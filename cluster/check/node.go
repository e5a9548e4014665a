package check

import "capsize/cluster/trace"

// node is one node as the checks see it.
type node struct {
	id      string
	process trace.ProcessState
	loaded  bool // the trace has shown what its disk held
	nodeLog

	term    uint64
	ownVote uint64 // the latest term in which it voted for itself
	leading bool
	roleSeq uint64 // the event of its latest change of role

	committed uint64
	applied   uint64
	value     int64 // its counter after the entry at applied

	lineage *lineage // the last entry it has ever committed is in this lineage,
	reached uint64   // at this index
	cut
}

// cut records what Raft never does: the node's process truncated committed entries. It
// does not apply the entries that it then gets in their place.
type cut struct {
	handed   uint64 // the state machine got the entries up to here as committed
	replaced uint64 // entries up to here may be from the log before the cut; 0 without a cut
	logEnd   uint64 // where the log ended before the latest truncation, of committed entries or not
}

// nodeLog is a node's log by terms alone, and its latest snapshot.
type nodeLog struct {
	first    uint64 // the index of terms[0]
	terms    []uint64
	prevTerm uint64 // the term of the entry before first, unknownTerm if the trace does not show it

	snapshot, snapshotTerm uint64
}

// setProcess records a change of the node's process.
func (n *node) setProcess(now trace.ProcessState) {
	was := n.process
	n.process = now
	switch {
	case now == trace.Wiped, now == trace.Removed:
		*n = node{id: n.id, process: now, nodeLog: nodeLog{first: 1}, loaded: true}
	case now == trace.Paused && was == trace.Up, now == trace.Up && was == trace.Paused:
	default: // whatever the process held only in memory is gone
		n.leading, n.committed, n.applied, n.value, n.cut = false, 0, 0, 0, cut{}
	}
}

// lastEntry returns the index of the log's last entry, first-1 if the log is empty.
func (l *nodeLog) lastEntry() uint64 { return l.first + uint64(len(l.terms)) - 1 }

// lastIndex returns lastEntry, or the snapshot's last index if that is higher.
func (l *nodeLog) lastIndex() uint64 { return max(l.lastEntry(), l.snapshot) }

// termAt returns the term of the entry at index, unknownTerm if it is not known.
func (l *nodeLog) termAt(index uint64) uint64 {
	switch {
	case index == l.snapshot && l.snapshot > 0: // whatever an older log still holds there
		return l.snapshotTerm
	case index >= l.first && index <= l.lastEntry():
		return l.terms[index-l.first]
	case index+1 == l.first:
		return l.prevTerm
	}
	return unknownTerm
}

// leadTerm returns the term in which the node leads. The term of a role event may
// already be newer, so it is capped by the last term in which the node voted for
// itself: no node leads without its own vote.
func (n *node) leadTerm(term uint64) uint64 {
	if n.ownVote != 0 && n.ownVote < term {
		return n.ownVote
	}
	return term
}
