package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// world is what the events add up to, as far as the checks need it: the nodes'
// logs by their terms alone, each entry once, by index and term, and what is known
// to be committed.
type world struct {
	nodes map[string]*node
	// links are the entries of all logs. Of each index and term there is one, which
	// is what log-matching looks after.
	links     map[place]link
	committed map[uint64]commit // by index; those up to low are forgotten
	placed    map[opKey]uint64  // where an increment was committed
	low, end  uint64            // the last index that is forgotten, and the last that is committed
	lowTerm   uint64            // the term of the entry at low
	pruneAt   int               // how many links there may be before some are forgotten
	most      uint64            // how many commits are remembered at most
	ackedLow  int               // how many increments up to low were acknowledged

	start    *trace.Event // the first event
	settings trace.Settings
	since    string        // from when on the checks vouch, "" from the beginning
	doubt    string        // why the events make no sense, "" if they do
	aged     bool          // disks held something at the start
	prunedAt time.Duration // when something was forgotten last

	step step
}

// step is what the event that was folded last has changed.
type step struct {
	node     *node
	cut      uint64    // the first entry of the node's log that was cut off or replaced, 0 for none
	mismatch *mismatch // two entries that should be the same
	news     []uint64  // the indexes that are known to be committed since, in order
	fork     *fork     // what was known to be committed and is no more
	clash    *clash    // two nodes that hold different values after the same entry
	applied  *applied  // what an entry did to a counter
}

// place is where an entry stands. Raft makes sure that there is one entry for it.
type place struct{ index, term uint64 }

// unknownTerm stands for a term that was never told.
const unknownTerm = 1 << 63

// link is an entry, with the term of the one before it.
type link struct {
	entry  *trace.Entry
	before uint64 // unknownTerm if it was not told
	node   string // in whose log it was seen first
	seq    uint64 // the event that told of it
}

type mismatch struct {
	at       place
	was, now link
}

// commit is an entry that a node is known to hold for committed.
type commit struct {
	term   uint64
	node   string // who said so first
	seq    uint64 // when
	in     uint64 // that node's term at the time: it was committed in that term at the latest
	acked  uint64 // the event by which a client was told that it counts, 0 none
	valued uint64 // the event that told the value after it, 0 none
	value  int64  // the counter after it
	teller string // who told the value
}

// fork is a node that commits something else than what is known to be committed.
type fork struct {
	at       uint64
	was, now commit
	old      []commit // from at on
}

type clash struct {
	index    uint64
	was, now commit
}

// applied is an entry that a node's counter has met, and the counter before and after it.
type applied struct {
	at            place
	entry         *trace.Entry
	before, after int64
}

// opKey names an operation as its log entries do.
type opKey struct {
	client string
	seq    uint64
}

// fold takes in the next event.
func (w *world) fold(e *trace.Event) {
	w.step = step{}
	if w.start == nil {
		w.begin(e)
	}
	if !isOfNode(e.Kind) {
		return
	}
	n := w.nodes[e.Node]
	if n == nil {
		n = &node{id: e.Node, first: 1}
		w.nodes[e.Node] = n
	}
	w.step.node = n
	switch e.Kind {
	case trace.KindProcess:
		w.foldLife(n, e)
	case trace.KindRole:
		n.leads, n.ledBy = e.Role == trace.Leader, e.Seq
	case trace.KindTerm:
		n.term = e.Term
	case trace.KindVote:
		if e.Peer == e.Node {
			n.ownVote = e.Term
		}
	case trace.KindLoaded:
		w.load(n, e)
	case trace.KindAppended, trace.KindTruncated, trace.KindCompacted, trace.KindSnapshot:
		if !n.loaded {
			w.doubt = fmt.Sprintf("%s changes its log (event %d), and what its disk held before was never told", n.id, e.Seq)
			return
		}
		w.foldLog(n, e)
	case trace.KindInstalled:
		n.snapshot, n.snapshotTerm = e.Index, e.Term
		w.advance(n, e.Index, e)
		w.foldValue(n, e)
	case trace.KindApplied:
		w.advance(n, e.Index, e)
		w.foldValue(n, e)
	case trace.KindCommitted:
		w.advance(n, e.Index, e)
	default:
	}
}

// begin takes in the first event of all.
func (w *world) begin(e *trace.Event) {
	w.start = &trace.Event{Seq: e.Seq, At: e.At}
	w.nodes, w.links, w.committed = map[string]*node{}, map[place]link{}, map[uint64]commit{}
	w.placed = map[opKey]uint64{}
	w.pruneAt, w.most = pruneFrom, commitsMax
	if e.Settings != nil {
		w.settings = *e.Settings
	}
	if w.midway() {
		w.since = fmt.Sprintf("from %s on, where the trace begins", trace.Seconds(e.At))
	}
}

// midway says whether the trace begins in the middle of a run.
func (w *world) midway() bool { return w.start.Seq > 1 }

func (w *world) foldLife(n *node, e *trace.Event) {
	was := n.life
	n.life = e.Process
	switch {
	case e.Process == trace.Wiped, e.Process == trace.Removed:
		*n = node{id: n.id, life: e.Process, first: 1, loaded: true}
	case e.Process == trace.Paused && was == trace.Up, e.Process == trace.Up && was == trace.Paused:
	default: // What a process only knew in its memory is gone with it.
		n.leads, n.committed, n.applied, n.value = false, 0, 0, 0
	}
}

// load takes in what the disk of a node holds.
func (w *world) load(n *node, e *trace.Event) {
	if !n.loaded && (len(e.Entries) > 0 || e.Last > 0) && w.end == 0 {
		w.aged = true
	}
	n.loaded, n.first, n.terms = true, max(e.Index, 1), n.terms[:0]
	n.snapshot, n.snapshotTerm = e.Last, e.Term
	switch n.first {
	case 1:
		n.before = 0
	case e.Last + 1:
		n.before = e.Term
	default:
		n.before = unknownTerm
	}
	w.store(n, e)
}

func (w *world) foldLog(n *node, e *trace.Event) {
	switch e.Kind {
	case trace.KindAppended:
		if e.Index == 0 || len(e.Entries) == 0 {
			return
		}
		switch next := n.last() + 1; {
		case e.Index <= n.lastEntry():
			w.cut(n, e.Index)
		case e.Index > next:
			w.doubt = fmt.Sprintf("%s stores entry %d (event %d), and its log ends at %d", n.id, e.Index, e.Seq, next-1)
			fallthrough
		case e.Index > n.lastEntry()+1: // a snapshot covers what lies between
			n.before = n.termAt(e.Index - 1)
			n.first, n.terms = e.Index, n.terms[:0]
		}
		w.store(n, e)
	case trace.KindTruncated:
		w.cut(n, e.Index)
	case trace.KindCompacted:
		if e.Last > n.snapshot {
			w.step.cut = max(e.Index, n.snapshot+1)
		}
		if e.Last >= n.first {
			kept := min(e.Last+1, n.lastEntry()+1)
			n.before = n.termAt(kept - 1)
			n.terms = slices.Delete(n.terms, 0, int(kept-n.first))
			n.first = kept
		}
		w.prune(e.At)
	case trace.KindSnapshot:
		// One that it takes of itself may be finished after a later one has come.
		if e.Index > n.snapshot {
			n.snapshot, n.snapshotTerm = e.Index, e.Term
		}
	default:
	}
}

// cut cuts off a node's log from index on.
func (w *world) cut(n *node, index uint64) {
	if index == 0 || index > n.lastEntry() {
		return
	}
	w.step.cut = index
	n.committed = min(n.committed, index-1) // it should not have, and what it commits there now is looked at
	if index < n.first {
		n.first, n.before = index, unknownTerm
	}
	n.terms = n.terms[:min(index-n.first, uint64(len(n.terms)))]
}

// store adds the entries of an event to the end of a node's log, and compares each
// with what other logs hold there.
func (w *world) store(n *node, e *trace.Event) {
	before := n.termAt(n.lastEntry())
	for i := range e.Entries {
		entry := &e.Entries[i]
		at := place{n.first + uint64(len(n.terms)), entry.Term}
		if entry.Term >= termLimit {
			w.doubt = fmt.Sprintf("event %d is of an entry of a term that cannot be", e.Seq)
		}
		now := link{entry: entry, before: before, node: n.id, seq: e.Seq}
		was, known := w.links[at]
		switch {
		case !known:
			w.links[at] = now
		case was.entry == nil || !sameEntry(was.entry, entry) || was.before != before && was.before != unknownTerm && before != unknownTerm:
			if w.step.mismatch == nil {
				w.step.mismatch = &mismatch{at, was, now}
			}
			at = w.variant(at, now)
		case was.before == unknownTerm && before != unknownTerm:
			was.before = before
			w.links[at] = was
		}
		n.terms = append(n.terms, at.term)
		before = at.term
	}
}

func sameEntry(a, b *trace.Entry) bool {
	return a.Kind == b.Kind && a.Delta == b.Delta && a.Client == b.Client && a.Seq == b.Seq && slices.Equal(a.Servers, b.Servers)
}

// foldValue takes in what a node's counter is after an entry.
func (w *world) foldValue(n *node, e *trace.Event) {
	if e.Index == 0 {
		return
	}
	term := n.termAt(e.Index)
	// A snapshot, or a trace that begins here, tells a value and not how it came about.
	told := e.Kind == trace.KindInstalled || n.applied == 0 && (e.Index == n.snapshot || e.Seq == w.start.Seq)
	if l, ok := w.links[place{e.Index, term}]; ok && !told {
		if why := w.skipped(n, e.Index); why != "" {
			w.doubt = why
		} else if e.Index > n.applied {
			w.step.applied = &applied{place{e.Index, term}, l.entry, n.value, e.Value}
		}
	}
	n.applied, n.value = e.Index, e.Value
	at, ok := w.committed[e.Index]
	if !ok || term != unknownTerm && at.term != term {
		return
	}
	switch {
	case at.valued == 0:
		at.valued, at.value, at.teller = e.Seq, e.Value, n.id
		w.committed[e.Index] = at
	case at.value != e.Value:
		w.step.clash = &clash{e.Index, at, commit{valued: e.Seq, value: e.Value, teller: n.id}}
	}
}

// skipsMax is how many entries in a row may be none of the counter's.
const skipsMax = 1 << 16

// skipped says which increment the events left out between the last entry that a
// node applied and index, "" for none.
func (w *world) skipped(n *node, index uint64) string {
	if index > n.applied+skipsMax {
		return fmt.Sprintf("%s goes from entry %d to entry %d at once, and what it did with those between was never told", n.id, n.applied, index)
	}
	for i := n.applied + 1; i < index; i++ {
		if l, ok := w.links[place{i, n.termAt(i)}]; ok && l.entry.Kind == trace.EntryAdd {
			return fmt.Sprintf("%s applies entry %d, and what it did with entry %d was never told", n.id, index, i)
		}
	}
	return ""
}

// pruneFrom is how many links there are before any is forgotten; commitsMax how
// many entries are remembered even though some node's snapshot does not cover them.
const (
	pruneFrom  = 1 << 14
	commitsMax = 1 << 18
)

// prune forgets what the snapshots of all nodes cover, every now and then.
func (w *world) prune(at time.Duration) {
	if len(w.links) < w.pruneAt {
		return
	}
	low := w.end
	for _, n := range w.nodes {
		if len(n.terms) > 0 || n.snapshot > 0 {
			low = min(low, n.first-1)
		}
	}
	if w.end > w.most && low < w.end-w.most {
		low = w.end - w.most
		w.since = fmt.Sprintf("from entry %d on: at %s the checks had to forget older ones that not every node's snapshot covers", low+1, trace.Seconds(at))
	}
	if low > w.low {
		w.prunedAt = at
		w.forgetUpTo(low)
	}
	w.pruneAt = max(pruneFrom, 2*len(w.links))
}

func (w *world) forgetUpTo(low uint64) {
	// Terms never go down along a log, so the next one that is known is none too low.
	w.low, w.lowTerm = low, unknownTerm
	for i := low; i <= w.end && w.lowTerm == unknownTerm; i++ {
		if c, ok := w.committed[i]; ok {
			w.lowTerm = c.term
		}
	}
	for at := range w.links {
		if at.index <= low {
			delete(w.links, at)
		}
	}
	for index, c := range w.committed {
		if index <= low {
			if c.acked != 0 {
				w.ackedLow++
			}
			delete(w.committed, index)
		}
	}
	for key, index := range w.placed {
		if index <= low {
			delete(w.placed, key)
		}
	}
}
