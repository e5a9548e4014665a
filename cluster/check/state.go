package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// state is what the events add up to, as far as the checks need it: the nodes'
// logs by their terms alone, each entry once, by index and term, and what is known
// to be committed.
type state struct {
	nodes map[string]*node
	// entries holds the entries of all logs, one per index and term: the check
	// log-matching holds that there is only one.
	entries         map[entryID]logEntry
	committed       map[uint64]commit // by index, above prunedUpTo
	committedAt     map[opKey]uint64  // where an increment was committed
	committedUpTo   uint64            // the last committed index
	first           *trace.Event      // the first event
	settings        trace.Settings
	validFrom       string // from when on the verdicts hold, "" from the beginning
	invalid         string // why the events make no sense, "" if they do
	startedWithData bool   // disks held something at the start
	pruned

	step step
}

// pruned is what the checks have dropped to bound their memory.
type pruned struct {
	prunedUpTo uint64        // the last index that was dropped
	prunedTerm uint64        // the term of its entry
	prunedAcks int           // how many increments up to it were acknowledged
	prunedAt   time.Duration // when something was dropped last
	pruneAbove int           // number of entries from which to prune
	commitsMax uint64        // number of commits kept at most
}

// step is what the event that was folded last has changed.
type step struct {
	node           *node
	truncatedFrom  uint64         // the first entry of the node's log that was cut off or replaced, 0 for none
	mismatch       *mismatch      // two entries that should be the same
	newlyCommitted []uint64       // the indexes that are known to be committed since, in order
	conflict       *conflict      // what was known to be committed and is no more
	valueConflict  *valueConflict // two nodes that hold different values after the same entry
	applied        *applied       // what an entry did to a counter
}

// entryID is where an entry stands. Raft makes sure that there is one entry for it.
type entryID struct{ index, term uint64 }

// unknownTerm stands for a term that was never told.
const unknownTerm = 1 << 63

// logEntry is an entry, with the term of the one before it.
type logEntry struct {
	entry    *trace.Entry
	prevTerm uint64 // unknownTerm if it was not told
	node     string // in whose log it was seen first
	seq      uint64 // the event that told of it
}

type mismatch struct {
	at       entryID
	was, now logEntry
}

// commit is an entry that a node is known to hold for committed.
type commit struct {
	term      uint64
	node      string // who said so first
	seq       uint64 // when
	atTerm    uint64 // that node's term at the time: it was committed in that term at the latest
	ackSeq    uint64 // the event by which a client was told that it counts, 0 none
	valueSeq  uint64 // the event that told the value after it, 0 none
	value     int64  // the counter after it
	valueNode string // who told the value
}

// conflict is a node that commits something else than what is known to be committed.
type conflict struct {
	index    uint64
	was, now commit
	old      []commit // from at on
}

type valueConflict struct {
	index    uint64
	was, now commit
}

// applied is an entry that a node's counter has met, and the counter before and after it.
type applied struct {
	at            entryID
	entry         *trace.Entry
	before, after int64
}

// opKey names an operation as its log entries do.
type opKey struct {
	client string
	seq    uint64
}

// fold takes in the next event.
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
		n = &node{id: e.Node, first: 1}
		s.nodes[e.Node] = n
	}
	s.step.node = n
	switch e.Kind {
	case trace.KindProcess:
		s.foldProcess(n, e)
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
			s.invalid = fmt.Sprintf("%s changes its log (event %d), but its earlier log is missing from the trace", n.id, e.Seq)
			return
		}
		s.foldLog(n, e)
	case trace.KindInstalled:
		n.snapshot, n.snapshotTerm = e.Index, e.Term
		s.advanceCommit(n, e.Index, e)
		s.foldValue(n, e)
	case trace.KindApplied:
		s.advanceCommit(n, e.Index, e)
		s.foldValue(n, e)
	case trace.KindCommitted:
		s.advanceCommit(n, e.Index, e)
	default:
	}
}

// start takes in the first event of all.
func (s *state) start(e *trace.Event) {
	s.first = &trace.Event{Seq: e.Seq, At: e.At}
	s.nodes, s.entries, s.committed = map[string]*node{}, map[entryID]logEntry{}, map[uint64]commit{}
	s.committedAt = map[opKey]uint64{}
	s.pruneAbove, s.commitsMax = pruneFrom, commitsMaxDefault
	if e.Settings != nil {
		s.settings = *e.Settings
	}
	if s.startsMidRun() {
		s.validFrom = fmt.Sprintf("from %s on, where the trace starts", trace.Seconds(e.At))
	}
}

// startsMidRun says whether the trace begins in the middle of a run.
func (s *state) startsMidRun() bool { return s.first.Seq > 1 }

func (s *state) foldProcess(n *node, e *trace.Event) {
	was := n.process
	n.process = e.Process
	switch {
	case e.Process == trace.Wiped, e.Process == trace.Removed:
		*n = node{id: n.id, process: e.Process, first: 1, loaded: true}
	case e.Process == trace.Paused && was == trace.Up, e.Process == trace.Up && was == trace.Paused:
	default: // What a process only knew in its memory is gone with it.
		n.leading, n.committed, n.applied, n.value = false, 0, 0, 0
	}
}

// load takes in what the disk of a node holds.
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
			s.invalid = fmt.Sprintf("%s stores entry %d (event %d), but its log ends at %d", n.id, e.Index, e.Seq, next-1)
			fallthrough
		case e.Index > n.lastEntry()+1: // a snapshot covers what lies between
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
		// One that it takes of itself may be finished after a later one has come.
		if e.Index > n.snapshot {
			n.snapshot, n.snapshotTerm = e.Index, e.Term
		}
	default:
	}
}

// truncate cuts off a node's log from index on.
func (s *state) truncate(n *node, index uint64) {
	if index == 0 || index > n.lastEntry() {
		return
	}
	s.step.truncatedFrom = index
	n.committed = min(n.committed, index-1) // it should not have, and what it commits there now is looked at
	if index < n.first {
		n.first, n.prevTerm = index, unknownTerm
	}
	n.terms = n.terms[:min(index-n.first, uint64(len(n.terms)))]
}

// store adds the entries of an event to the end of a node's log, and compares each
// with what other logs hold there.
func (s *state) store(n *node, e *trace.Event) {
	before := n.termAt(n.lastEntry())
	for i := range e.Entries {
		entry := &e.Entries[i]
		at := entryID{n.first + uint64(len(n.terms)), entry.Term}
		if entry.Term >= termLimit {
			s.invalid = fmt.Sprintf("event %d has an entry of an impossible term", e.Seq)
		}
		now := logEntry{entry: entry, prevTerm: before, node: n.id, seq: e.Seq}
		was, known := s.entries[at]
		switch {
		case !known:
			s.entries[at] = now
		case was.entry == nil || !sameEntry(was.entry, entry) || was.prevTerm != before && was.prevTerm != unknownTerm && before != unknownTerm:
			if s.step.mismatch == nil {
				s.step.mismatch = &mismatch{at, was, now}
			}
			at = s.disambiguate(at, now)
		case was.prevTerm == unknownTerm && before != unknownTerm:
			was.prevTerm = before
			s.entries[at] = was
		}
		n.terms = append(n.terms, at.term)
		before = at.term
	}
}

func sameEntry(a, b *trace.Entry) bool {
	return a.Kind == b.Kind && a.Delta == b.Delta && a.Client == b.Client && a.Seq == b.Seq && slices.Equal(a.Servers, b.Servers)
}

// foldValue takes in what a node's counter is after an entry.
func (s *state) foldValue(n *node, e *trace.Event) {
	if e.Index == 0 {
		return
	}
	term := n.termAt(e.Index)
	// A snapshot, or a trace that begins here, tells a value and not how it came about.
	told := e.Kind == trace.KindInstalled || n.applied == 0 && (e.Index == n.snapshot || e.Seq == s.first.Seq)
	if l, ok := s.entries[entryID{e.Index, term}]; ok && !told {
		if why := s.skippedIncrement(n, e.Index); why != "" {
			s.invalid = why
		} else if e.Index > n.applied {
			s.step.applied = &applied{entryID{e.Index, term}, l.entry, n.value, e.Value}
		}
	}
	n.applied, n.value = e.Index, e.Value
	at, ok := s.committed[e.Index]
	if !ok || term != unknownTerm && at.term != term {
		return
	}
	switch {
	case at.valueSeq == 0:
		at.valueSeq, at.value, at.valueNode = e.Seq, e.Value, n.id
		s.committed[e.Index] = at
	case at.value != e.Value:
		s.step.valueConflict = &valueConflict{e.Index, at, commit{valueSeq: e.Seq, value: e.Value, valueNode: n.id}}
	}
}

// skipsMax is how many entries in a row may be none of the counter's.
const skipsMax = 1 << 16

// skippedIncrement says which increment the events left out between the last entry that a
// node applied and index, "" for none.
func (s *state) skippedIncrement(n *node, index uint64) string {
	if index > n.applied+skipsMax {
		return fmt.Sprintf("%s jumps from entry %d to entry %d, and the trace misses the entries between", n.id, n.applied, index)
	}
	for i := n.applied + 1; i < index; i++ {
		if l, ok := s.entries[entryID{i, n.termAt(i)}]; ok && l.entry.Kind == trace.EntryAdd {
			return fmt.Sprintf("%s applies entry %d, but the trace misses what it did with entry %d", n.id, index, i)
		}
	}
	return ""
}

// pruneFrom is how many links there are before any is forgotten; commitsMaxDefault how
// many entries are remembered even though some node's snapshot does not cover them.
const (
	pruneFrom         = 1 << 14
	commitsMaxDefault = 1 << 18
)

// prune forgets what the snapshots of all nodes cover, every now and then.
func (s *state) prune(at time.Duration) {
	if len(s.entries) < s.pruneAbove {
		return
	}
	low := s.committedUpTo
	for _, n := range s.nodes {
		if len(n.terms) > 0 || n.snapshot > 0 {
			low = min(low, n.first-1)
		}
	}
	if s.committedUpTo > s.commitsMax && low < s.committedUpTo-s.commitsMax {
		low = s.committedUpTo - s.commitsMax
		s.validFrom = fmt.Sprintf("from entry %d on: at %s the checks dropped older entries that not every snapshot covers", low+1, trace.Seconds(at))
	}
	if low > s.prunedUpTo {
		s.prunedAt = at
		s.forgetUpTo(low)
	}
	s.pruneAbove = max(pruneFrom, 2*len(s.entries))
}

func (s *state) forgetUpTo(low uint64) {
	// Terms never go down along a log, so the next one that is known is none too low.
	s.prunedUpTo, s.prunedTerm = low, unknownTerm
	for i := low; i <= s.committedUpTo && s.prunedTerm == unknownTerm; i++ {
		if c, ok := s.committed[i]; ok {
			s.prunedTerm = c.term
		}
	}
	for at := range s.entries {
		if at.index <= low {
			delete(s.entries, at)
		}
	}
	for index, c := range s.committed {
		if index <= low {
			if c.ackSeq != 0 {
				s.prunedAcks++
			}
			delete(s.committed, index)
		}
	}
	for key, index := range s.committedAt {
		if index <= low {
			delete(s.committedAt, key)
		}
	}
}
