package check

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// historyBuilder builds a history, and collects the verdicts of two checkers, one of them
// inline. settle fails the test unless they agree.
type historyBuilder struct {
	*Checker
	t      *testing.T
	inline *Checker
	seq    uint64
	at     time.Duration
	ops    uint64
	latest map[string]trace.Event // the latest verdict of each
	all    []trace.Event          // every verdict
	events []trace.Event          // every event

	latestInline map[string]trace.Event
}

// record starts the history of a new cluster of n nodes.
func record(t *testing.T, n int) *historyBuilder {
	t.Helper()
	r := blank(t)
	r.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{ClientTimeout: 5 * time.Second, Sessions: true}})
	for i := range n {
		id := fmt.Sprintf("n%d", i+1)
		r.emit(trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1})
		r.emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	return r
}

func blank(t *testing.T) *historyBuilder {
	t.Helper()
	r := &historyBuilder{
		Checker: New(nil), t: t, inline: NewInline(nil),
		latest: map[string]trace.Event{}, latestInline: map[string]trace.Event{},
	}
	t.Cleanup(r.Close)
	return r
}

func (r *historyBuilder) emit(e trace.Event) {
	if e.Kind != trace.KindPacket {
		r.at += time.Millisecond
	}
	r.seq++
	e.Seq, e.At = r.seq, r.at
	r.events = append(r.events, e)
	for _, v := range r.Observe(&e) {
		r.latest[v.Check], r.all = v, append(r.all, v)
	}
	for _, v := range r.inline.Observe(&e) {
		r.latestInline[v.Check] = v
	}
}

// settle waits for the verdicts.
func (r *historyBuilder) settle() {
	r.t.Helper()
	r.Await()
	r.inline.Await()
	r.emit(trace.Event{Kind: trace.KindCaption, Text: "so far"})
	for name, v := range r.latest {
		inline := r.latestInline[name]
		same := v.Text == inline.Text && v.Count == inline.Count && slices.Equal(v.Proof, inline.Proof)
		// A judge that lags in the background may have more to choose from when it finds a
		// violation.
		if v.Verdict != inline.Verdict || v.Verdict != trace.VerdictViolated && !same {
			r.t.Errorf("%s: %s, %d, %v: %s; inline: %s, %d, %v: %s", name, v.Verdict, v.Count, v.Proof, v.Text,
				inline.Verdict, inline.Count, inline.Proof, inline.Text)
		}
	}
}

func (r *historyBuilder) packet(p trace.Packet) {
	p.Status = trace.Sent
	r.emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
}

// vote stores a node's vote and sends it.
func (r *historyBuilder) vote(node, candidate string, term uint64) {
	r.emit(trace.Event{Kind: trace.KindTerm, Node: node, Term: term})
	r.emit(trace.Event{Kind: trace.KindVote, Node: node, Term: term, Peer: candidate})
	if node != candidate {
		r.packet(trace.Packet{Kind: "vote", Reply: true, OK: true, From: node, To: candidate, Term: term})
	}
}

// elect makes a node the leader of a term, by the votes of others.
func (r *historyBuilder) elect(node string, term uint64, by ...string) {
	r.vote(node, node, term)
	for _, other := range by {
		r.vote(other, node, term)
	}
	r.emit(trace.Event{Kind: trace.KindRole, Node: node, Term: term, Role: trace.Leader})
	r.packet(trace.Packet{Kind: "heartbeat", From: node, To: "n9", Term: term})
}

func (r *historyBuilder) append(node string, index uint64, entries ...trace.Entry) {
	r.emit(trace.Event{Kind: trace.KindAppended, Node: node, Index: index, Entries: entries})
}

func (r *historyBuilder) commit(node string, index uint64) {
	r.emit(trace.Event{Kind: trace.KindCommitted, Node: node, Index: index})
}

func (r *historyBuilder) apply(node string, index uint64, value int64) {
	r.emit(trace.Event{Kind: trace.KindApplied, Node: node, Index: index, Value: value})
}

func (r *historyBuilder) call(op trace.Op) trace.Op {
	r.ops++
	op.ID, op.Invoked = r.ops, r.at
	r.emit(trace.Event{Kind: trace.KindInvoked, Op: &op})
	return op
}

// reply returns an operation with a value.
func (r *historyBuilder) reply(op trace.Op, value int64) {
	op.Outcome, op.Value, op.Returned, op.Node = trace.OK, value, r.at, "n1"
	r.emit(trace.Event{Kind: trace.KindReturned, Op: &op})
}

func plus(term uint64, client string, number uint64) trace.Entry {
	return trace.Entry{Term: term, Kind: trace.EntryAdd, Delta: 1, Client: client, Seq: number}
}

func noop(term uint64) trace.Entry { return trace.Entry{Term: term, Kind: trace.EntryNoop} }

func add(client string, number uint64) trace.Op {
	return trace.Op{Client: client, Kind: trace.EntryAdd, Delta: 1, Seq: number}
}

func read(client string) trace.Op { return trace.Op{Client: client, Kind: trace.EntryRead} }

// twoIncrements is a cluster of three: its leader n1 has committed two acknowledged
// increments of c1, and n2 and n3 have applied them.
func twoIncrements(t *testing.T) *historyBuilder {
	t.Helper()
	r := record(t, 3)
	r.elect("n1", 1, "n2")
	log := []trace.Entry{noop(1), plus(1, "c1", 1), plus(1, "c1", 2)}
	ops := []trace.Op{r.call(add("c1", 1))}
	for _, node := range []string{"n1", "n2", "n3"} {
		r.append(node, 1, log...)
		r.commit(node, 3)
		r.apply(node, 2, 1)
		if node == "n1" {
			r.reply(ops[0], 1)
			ops = append(ops, r.call(add("c1", 2)))
		}
		r.apply(node, 3, 2)
	}
	r.reply(ops[1], 2)
	return r
}
