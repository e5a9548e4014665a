package check

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

// fakeCluster produces the events of a cluster that breaks Raft's commit rules: any node may
// start a term, commit any entry of its log, or copy another node's log. Its logs match,
// its counters are right unless doubles is set, and it computes the right verdicts itself,
// by brute force, from everything ever committed.
type fakeCluster struct {
	*historyBuilder
	rng     *rand.Rand
	doubles bool // a retry counts again
	prunes  bool // the checks forget as much as they can, at once
	nodes   []*fakeNode
	keys    []trace.OpKey // of all increments proposed
	calls   map[trace.OpKey]trace.Op
	terms   uint64

	committed map[entryID]bool
	atIndex   map[uint64]uint64    // the first term committed at an index
	values    map[entryID]int64    // the first value seen after a committed entry
	acked     map[trace.OpKey]bool // acknowledged
	logs      [][]trace.Entry      // every log ever committed
	want      map[string]bool      // the checks that must be violated
	may       map[string]bool      // the checks that may be violated
}

type fakeNode struct {
	id              string
	log             []trace.Entry
	term            uint64 // in which it appends, 0 if it does not lead
	commit, applied int
	handed          int           // the highest commit index of this process
	farthest        []trace.Entry // the longest log that it has committed
	fakeCounter
	snapshot fakeCounter
	covered  int  // how many entries the snapshot covers
	first    int  // how many entries are compacted away
	diverged bool // it has truncated committed entries
}

// fakeCounter is a counter and its client sessions.
type fakeCounter struct {
	value    int64
	sessions map[string]uint64 // the last sequence number applied of a client
	counted  map[trace.OpKey]bool
}

func (c *fakeCounter) clone() fakeCounter {
	return fakeCounter{c.value, maps.Clone(c.sessions), maps.Clone(c.counted)}
}

// apply applies an entry and reports whether it counts again.
func (c *fakeCounter) apply(entry trace.Entry, doubles bool) (again bool) {
	key := entry.OpKey()
	if entry.Kind != trace.EntryAdd || c.sessions[key.Client] >= key.Seq && (!doubles || !c.counted[key]) {
		return false
	}
	again = c.counted[key]
	c.sessions[key.Client], c.counted[key] = max(c.sessions[key.Client], key.Seq), true
	c.value += entry.Delta
	return again
}

func newFakeCluster(t *testing.T, rng *rand.Rand, nodes int) *fakeCluster {
	t.Helper()
	f := &fakeCluster{
		historyBuilder: record(t, nodes), rng: rng, calls: map[trace.OpKey]trace.Op{},
		committed: map[entryID]bool{}, atIndex: map[uint64]uint64{}, values: map[entryID]int64{},
		acked: map[trace.OpKey]bool{}, want: map[string]bool{}, may: map[string]bool{},
	}
	for i := range nodes {
		n := &fakeNode{id: fmt.Sprintf("n%d", i+1), snapshot: fakeCounter{sessions: map[string]uint64{}, counted: map[trace.OpKey]bool{}}}
		n.fakeCounter = n.snapshot.clone()
		f.nodes = append(f.nodes, n)
	}
	return f
}

// restart starts a new process of a node, from its snapshot.
func (f *fakeCluster) restart(n *fakeNode) {
	f.emit(trace.Event{Kind: trace.KindProcess, Node: n.id, Process: trace.Killed})
	loaded := trace.Event{Kind: trace.KindLoaded, Node: n.id, Index: uint64(n.first + 1), Entries: n.log[n.first:], Last: uint64(n.covered)}
	if n.covered > 0 {
		loaded.Term = n.log[n.covered-1].Term
	}
	f.emit(loaded)
	f.emit(trace.Event{Kind: trace.KindProcess, Node: n.id, Process: trace.Up})
	n.commit, n.applied, n.handed, n.term, n.diverged = n.covered, n.covered, n.covered, 0, false
	n.fakeCounter = n.snapshot.clone()
	if n.covered > 0 {
		f.judgeCommit(n, n.log[:n.covered])
		f.emitApplied(n, trace.KindApplied)
	}
}

// takeSnapshot takes a snapshot of the entries that a node has applied.
func (f *fakeCluster) takeSnapshot(n *fakeNode) {
	if n.diverged || n.applied <= n.covered {
		return
	}
	n.covered, n.snapshot = n.applied, n.clone()
	f.emit(trace.Event{Kind: trace.KindSnapshot, Node: n.id, Index: uint64(n.covered), Term: n.log[n.covered-1].Term})
	if f.rng.IntN(2) == 0 {
		f.compact(n, n.first+f.rng.IntN(n.covered-n.first+1))
	}
}

func (f *fakeCluster) compact(n *fakeNode, upTo int) {
	if upTo > n.first {
		f.emit(trace.Event{Kind: trace.KindCompacted, Node: n.id, Index: uint64(n.first + 1), Last: uint64(upTo)})
		n.first = upTo
	}
}

// install gives a node the snapshot of another one, as raft does if the other's log no
// longer has the entries.
func (f *fakeCluster) install(n, from *fakeNode) {
	if n.diverged || from.covered <= n.commit {
		return
	}
	f.judgeCommit(n, from.log[:from.covered])
	before := len(n.log)
	n.log, n.fakeCounter, n.snapshot = slices.Clip(from.log[:from.covered]), from.snapshot.clone(), from.snapshot.clone()
	n.commit, n.applied, n.handed, n.covered, n.term = from.covered, from.covered, from.covered, from.covered, 0
	f.emitApplied(n, trace.KindInstalled)
	f.compact(n, max(before, n.covered))
	n.first = n.covered
}

// recover is an unsafe recovery: it commits the whole log of a node.
func (f *fakeCluster) recover(n *fakeNode) {
	if len(n.log) == n.covered {
		return
	}
	for _, entry := range n.log[n.covered:] {
		n.snapshot.apply(entry, false)
	}
	n.covered, n.first = len(n.log), len(n.log)
	f.restart(n)
}

// wipe empties the disk of a node.
func (f *fakeCluster) wipe(n *fakeNode) {
	f.emit(trace.Event{Kind: trace.KindProcess, Node: n.id, Process: trace.Wiped})
	*n = fakeNode{id: n.id, snapshot: fakeCounter{sessions: map[string]uint64{}, counted: map[trace.OpKey]bool{}}}
	f.restart(n)
}

func holds(log []trace.Entry, key trace.OpKey) bool {
	return slices.ContainsFunc(log, func(e trace.Entry) bool { return e.Kind == trace.EntryAdd && e.OpKey() == key })
}

// common returns how many entries two logs share from the start.
func common(a, b []trace.Entry) int {
	i := 0
	for i < len(a) && i < len(b) && a[i].Term == b[i].Term {
		i++
	}
	return i
}

// step does something at random.
func (f *fakeCluster) step() {
	n, m := f.nodes[f.rng.IntN(len(f.nodes))], f.nodes[f.rng.IntN(len(f.nodes))]
	switch f.rng.IntN(12) {
	case 0, 1:
		if n.term == 0 {
			f.terms++
			n.term = f.terms
			f.appendTo(n, noop(n.term))
		}
	case 2, 3, 4:
		if n.term != 0 {
			f.propose(n)
		}
	case 5, 6, 7:
		f.copyLog(n, m)
	case 8, 9, 10:
		if n.commit < len(n.log) {
			f.commitOn(n, n.commit+1+f.rng.IntN(len(n.log)-n.commit))
		}
	case 11:
		[]func(){
			func() { f.restart(n) }, func() { f.takeSnapshot(n) }, func() { f.takeSnapshot(n) }, func() { f.install(n, m) },
			func() { f.recover(n) }, func() { f.wipe(n) },
			func() { f.reply(f.call(read(fmt.Sprintf("r%d", f.seq))), n.value) },
		}[f.rng.IntN(7)]()
	}
}

func (f *fakeCluster) appendTo(n *fakeNode, entries ...trace.Entry) {
	f.append(n.id, uint64(len(n.log)+1), entries...)
	n.log = append(slices.Clone(n.log), entries...)
}

// propose appends an increment: a new client's, the next one of a client, or a retry.
func (f *fakeCluster) propose(n *fakeNode) {
	if len(f.keys) > 0 && f.rng.IntN(4) == 0 {
		key := f.keys[f.rng.IntN(len(f.keys))]
		f.appendTo(n, plus(n.term, key.Client, key.Seq))
		if op, ok := f.calls[key]; ok {
			op.Attempts++
			f.calls[key] = op
		}
		return
	}
	next := add(fmt.Sprintf("c%d", len(f.keys)), 1)
	if len(f.keys) > 0 && f.rng.IntN(2) == 0 {
		// A client that was answered may go on.
		last := f.keys[f.rng.IntN(len(f.keys))]
		if after := add(last.Client, last.Seq+1); f.acked[last] && !slices.Contains(f.keys, after.OpKey()) {
			next = after
		}
	}
	op := f.call(next)
	op.Attempts = 1
	f.keys, f.calls[op.OpKey()] = append(f.keys, op.OpKey()), op
	f.appendTo(n, plus(n.term, op.Client, op.Seq))
}

// copyLog makes a node copy a part of another node's log.
func (f *fakeCluster) copyLog(n, from *fakeNode) {
	same := common(n.log, from.log)
	if same == len(from.log) || same < from.first || same < n.covered {
		return
	}
	if same < len(n.log) {
		f.emit(trace.Event{Kind: trace.KindTruncated, Node: n.id, Index: uint64(same + 1), Last: uint64(len(n.log))})
		n.diverged = n.diverged || same < n.handed
		n.log, n.term = n.log[:same:same], 0 // a leader with a truncated log no longer leads
		n.commit = min(n.commit, same)
		if n.diverged {
			n.applied = max(n.applied, n.handed) // raft continues after the entries that it has handed to the state machine
		}
	}
	f.appendTo(n, from.log[same:same+1+f.rng.IntN(len(from.log)-same)]...)
	if n.term != 0 && n.log[len(n.log)-1].Term != n.term {
		n.term = 0
	}
}

// commitOn makes a node commit its log up to an index, apply the new entries and
// acknowledge some of them.
func (f *fakeCluster) commitOn(n *fakeNode, index int) {
	now := n.log[:index]
	f.judgeCommit(n, now)
	f.commit(n.id, uint64(index))
	n.commit, n.handed = index, max(n.handed, index)
	for i := n.applied; i < index; i++ {
		f.applyOn(n, i)
	}
}

// judgeCommit applies the definitions of the properties to a commit.
func (f *fakeCluster) judgeCommit(n *fakeNode, now []trace.Entry) {
	grows := false
	for i, e := range now {
		id := entryID{uint64(i + 1), e.Term}
		grows = grows || !f.committed[id]
		f.committed[id] = true
		if term, ok := f.atIndex[id.index]; ok && term != id.term {
			f.want[StateMachineSafety] = true
		} else {
			f.atIndex[id.index] = id.term
		}
	}
	shared := common(n.farthest, now)
	left := shared < len(n.farthest) && shared < len(now)
	f.logs = append(f.logs, now)
	for key := range f.acked {
		switch {
		case holds(now, key) || !grows && (!left || !holds(n.farthest, key)):
		case grows || !slices.ContainsFunc(f.logs, func(log []trace.Entry) bool {
			return holds(log, key) && common(log, now) == len(now)
		}):
			f.want[AckedDurable] = true
		default: // the node may still get it
			f.may[AckedDurable] = true
		}
	}
	if shared < len(now) {
		n.farthest = now
	}
}

func (f *fakeCluster) applyOn(n *fakeNode, i int) {
	entry := n.log[i]
	key := entry.OpKey()
	n.applied = i + 1
	if n.apply(entry, f.doubles) && !n.diverged {
		f.want[ExactlyOnce] = true
	}
	f.emitApplied(n, trace.KindApplied)
	op, called := f.calls[key]
	if called && entry.Kind == trace.EntryAdd && f.rng.IntN(2) == 0 {
		delete(f.calls, key)
		f.acked[key] = true
		if !slices.ContainsFunc(f.nodes, func(n *fakeNode) bool { return holds(n.farthest, key) }) {
			f.may[AckedDurable] = true
		}
		f.reply(op, n.value)
	}
}

// emitApplied shows a node's counter after the last entry it applied.
func (f *fakeCluster) emitApplied(n *fakeNode, kind trace.Kind) {
	id := entryID{uint64(n.applied), n.log[n.applied-1].Term}
	f.emit(trace.Event{Kind: kind, Node: n.id, Index: id.index, Term: id.term, Value: n.value})
	if value, ok := f.values[id]; ok && value != n.value {
		f.want[StateMachineSafety] = true
	} else {
		f.values[id] = n.value
	}
}

// clients returns the clients' history.
func (f *fakeCluster) clients() []workItem {
	items := []workItem{{kind: historySettled}}
	for _, e := range f.events {
		switch e.Kind {
		case trace.KindInvoked:
			items = append(items, workItem{kind: opInvoked, op: e.Op, seq: e.Seq})
		case trace.KindReturned:
			items = append(items, workItem{kind: opReturned, op: e.Op, seq: e.Seq})
		default:
		}
	}
	for _, op := range f.calls {
		op.Outcome = trace.Unknown
		items = append(items, workItem{kind: opReturned, op: &op, seq: f.seq})
	}
	return items
}

// The checks agree with a reference that remembers everything and compares whole logs, on
// clusters that commit anything.
func TestChecksAgreeWithBruteForceAcrossLineages(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	counts := map[string]int{}
	for run := range 1500 {
		f := newFakeCluster(t, rng, 2+rng.IntN(3))
		f.doubles, f.prunes = rng.IntN(4) == 0, rng.IntN(4) == 0
		for range 10 + rng.IntN(60) {
			if f.prunes {
				f.state.pruneAbove, f.inline.state.pruneAbove = 0, 0
			}
			f.step()
		}
		f.settle()
		f.Close()
		switch checkAtOnce(f.clients()) {
		case porcupine.Illegal:
			f.want[Linearizable] = true
		case porcupine.Unknown:
			f.may[Linearizable] = true
		case porcupine.Ok:
		}
		for _, name := range []string{StateMachineSafety, AckedDurable, ExactlyOnce, Linearizable, LogMatching} {
			got := f.latest[name]
			may := f.may[name] || f.prunes && f.want[name] // a forgotten commit may hide a violation
			if got.Verdict == trace.VerdictUndecided || (got.Verdict == trace.VerdictViolated) != f.want[name] && !may {
				t.Fatalf("seed %d, run %d: %s is %s (%s), want violated: %t", seed, run, name, got.Verdict, got.Text, f.want[name])
			}
			if f.want[name] {
				counts[name]++
			}
		}
	}
	t.Logf("violated: %v", maps.Clone(counts))
	for _, name := range []string{StateMachineSafety, AckedDurable, ExactlyOnce, Linearizable} {
		if counts[name] < 20 || counts[name] > 1400 {
			t.Errorf("%s is violated in %d runs of 1500: too many or too few to compare", name, counts[name])
		}
	}
}
