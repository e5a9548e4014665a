package check

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
)

// state is what the events add up to, as far as the checks need it: the terms along
// each node's log, every distinct log entry once, and what is committed.
type state struct {
	nodes map[string]*node
	// entries holds the entries of all logs by index and term. Log matching is what
	// makes this one map enough.
	entries map[entryID]logEntry
	commitLog

	first           *trace.Event // only its Seq and At
	settings        trace.Settings
	validFrom       string // limits what an ok covers, "" if it covers the whole trace
	invalid         string // why the events contradict themselves, "" if they do not
	startedWithData bool   // disks held entries when the trace began

	step step
}

// step is what the latest event changed.
type step struct {
	node           *node
	truncatedFrom  uint64 // the first entry that the node's log lost or replaced, 0 for none
	mismatch       *mismatch
	lineage        *lineage // the lineage of the node's commits
	newlyCommitted []uint64 // the indexes that no node had committed before, in order
	conflict       *conflict
	left           place // the node's last committed entry in its former lineage, if it has changed lineages
	valueConflict  *valueConflict
	applied        *applied
}

// entryID identifies a log entry. Raft guarantees that there is only one of an ID.
type entryID struct{ index, term uint64 }

// unknownTerm stands for a term that the trace does not show.
const unknownTerm = 1 << 63

// logEntry is an entry and the term of the one before it.
type logEntry struct {
	entry    *trace.Entry
	prevTerm uint64 // unknownTerm if the trace does not show it
	node     string // the node whose log had it first
	seq      uint64 // the event that stored it there
}

// applied is an entry that a node applied, and its counter before and after it.
type applied struct {
	place
	entry         *trace.Entry
	before, after int64
}

// fold folds in the next event.
func (s *state) fold(e *trace.Event) {
	s.step = step{}
	if s.first == nil {
		s.start(e)
	}
	if !isNodeEvent(e.Kind) {
		return
	}
	n := s.nodes[e.Node]
	if n == nil {
		n = &node{id: e.Node, nodeLog: nodeLog{first: 1}}
		s.nodes[e.Node] = n
	}
	s.step.node = n
	switch e.Kind {
	case trace.KindProcess:
		n.setProcess(e.Process)
	case trace.KindRole:
		n.leading, n.roleSeq = e.Role == trace.Leader, e.Seq
	case trace.KindTerm:
		n.term = e.Term
	case trace.KindVote:
		if e.Peer == e.Node {
			n.ownVote = e.Term
		}
	case trace.KindLoaded:
		s.load(n, e)
	case trace.KindAppended, trace.KindTruncated, trace.KindCompacted, trace.KindSnapshot:
		if !n.loaded {
			s.invalid = fmt.Sprintf("%s changes its log (event %d), but the trace does not show what its disk held", n.id, e.Seq)
			return
		}
		s.foldLog(n, e)
	case trace.KindInstalled:
		n.snapshot, n.snapshotTerm, n.cut = e.Index, e.Term, cut{handed: e.Index}
		s.advanceCommit(n, e.Index, e)
		s.foldValue(n, e)
	case trace.KindApplied:
		if e.Index > n.replaced {
			s.advanceCommit(n, e.Index, e)
		}
		s.foldValue(n, e)
	case trace.KindCommitted:
		s.advanceCommit(n, e.Index, e)
	default:
	}
}

// start folds in the first event of the trace.
func (s *state) start(e *trace.Event) {
	s.first = &trace.Event{Seq: e.Seq, At: e.At}
	s.nodes, s.entries = map[string]*node{}, map[entryID]logEntry{}
	s.pruneAbove, s.commitsMax = pruneAboveMin, commitsMaxDefault
	if e.Settings != nil {
		s.settings = *e.Settings
	}
	if s.startsMidRun() {
		s.validFrom = fmt.Sprintf("checked from %s on, where the trace begins", trace.Seconds(e.At))
	}
}

// startsMidRun reports whether the trace begins in the middle of a run.
func (s *state) startsMidRun() bool { return s.first.Seq > 1 }

// load folds in what the disk of a node holds.
func (s *state) load(n *node, e *trace.Event) {
	if !n.loaded && (len(e.Entries) > 0 || e.Last > 0) && s.committedUpTo == 0 {
		s.startedWithData = true
	}
	n.loaded, n.first, n.terms = true, max(e.Index, 1), n.terms[:0]
	n.snapshot, n.snapshotTerm = e.Last, e.Term
	switch n.first {
	case 1:
		n.prevTerm = 0
	case e.Last + 1:
		n.prevTerm = e.Term
	default:
		n.prevTerm = unknownTerm
	}
	s.store(n, e)
}

// foldLog folds in a change of a node's log.
func (s *state) foldLog(n *node, e *trace.Event) {
	switch e.Kind {
	case trace.KindAppended:
		if e.Index == 0 || len(e.Entries) == 0 {
			return
		}
		switch next := n.lastIndex() + 1; {
		case e.Index <= n.lastEntry():
			s.truncate(n, e.Index)
		case e.Index > next:
			s.invalid = fmt.Sprintf("%s appends entry %d (event %d), but its log ends at %d", n.id, e.Index, e.Seq, next-1)
			fallthrough
		case e.Index > n.lastEntry()+1: // a snapshot covers the entries between
			n.prevTerm = n.termAt(e.Index - 1)
			n.first, n.terms = e.Index, n.terms[:0]
		}
		s.store(n, e)
	case trace.KindTruncated:
		s.truncate(n, e.Index)
	case trace.KindCompacted:
		if e.Last > n.snapshot {
			s.step.truncatedFrom = max(e.Index, n.snapshot+1)
		}
		if e.Last >= n.first {
			kept := min(e.Last+1, n.lastEntry()+1)
			n.prevTerm = n.termAt(kept - 1)
			n.terms = slices.Delete(n.terms, 0, int(kept-n.first))
			n.first = kept
		}
		s.prune(e.At)
	case trace.KindSnapshot:
		// A snapshot that the node takes itself may finish after a later one was installed.
		if e.Index > n.snapshot {
			n.snapshot, n.snapshotTerm = e.Index, e.Term
		}
	default:
	}
}

// truncate removes a node's log entries from index on.
func (s *state) truncate(n *node, index uint64) {
	if index == 0 || index > n.lastEntry() {
		return
	}
	s.step.truncatedFrom = index
	// Truncating a committed entry is wrong; lowering the commit index makes sure that
	// what the node commits there next is compared.
	n.committed = min(n.committed, index-1)
	n.logEnd = n.lastEntry()
	if index <= n.handed {
		n.replaced = n.handed
	}
	if index < n.first {
		n.first, n.prevTerm = index, unknownTerm
	}
	n.terms = n.terms[:min(index-n.first, uint64(len(n.terms)))]
}

// store appends the entries of an event to a node's log, comparing each with the one
// that other logs hold under the same ID.
func (s *state) store(n *node, e *trace.Event) {
	prevTerm := n.termAt(n.lastEntry())
	for i := range e.Entries {
		entry := &e.Entries[i]
		id := entryID{n.first + uint64(len(n.terms)), entry.Term}
		if entry.Term >= termLimit {
			s.invalid = fmt.Sprintf("event %d has an entry with an impossible term", e.Seq)
		}
		now := logEntry{entry: entry, prevTerm: prevTerm, node: n.id, seq: e.Seq}
		was, known := s.entries[id]
		switch {
		case !known:
			s.entries[id] = now
		case was.contradicts(now):
			if s.step.mismatch == nil {
				s.step.mismatch = &mismatch{id, was, now}
			}
			id = s.disambiguate(id, now)
		case was.prevTerm == unknownTerm && prevTerm != unknownTerm:
			was.prevTerm = prevTerm
			s.entries[id] = was
		}
		n.terms = append(n.terms, id.term)
		prevTerm = id.term
	}
}

// contradicts reports whether two entries of the same ID differ, or follow entries of
// different terms.
func (l logEntry) contradicts(other logEntry) bool {
	return !l.entry.Same(other.entry) ||
		l.prevTerm != other.prevTerm && l.prevTerm != unknownTerm && other.prevTerm != unknownTerm
}
