package uitest

import (
	"fmt"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Sample folds hand-made events into a state, as a cluster would.
type Sample struct {
	State  trace.State
	At     time.Duration
	values map[string]int64
	packet uint64
	events []trace.Event
}

func newSample(names ...string) *Sample {
	w := &Sample{values: map[string]int64{}}
	w.Emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{
		Seed: 7, Storage: "memory", Heartbeat: time.Second, Election: time.Second, Lease: 500 * time.Millisecond, PreVote: true,
	}})
	var servers []trace.Server
	for _, name := range names {
		servers = append(servers, trace.Server{ID: name, Voter: true})
	}
	for _, name := range names {
		w.Emit(trace.Event{Kind: trace.KindProcess, Node: name, Process: trace.Up})
		w.Emit(trace.Event{Kind: trace.KindConfig, Node: name, Servers: servers})
	}
	return w
}

func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%d", i+1))
	}
	return names
}

func (w *Sample) Emit(e trace.Event) {
	e.Seq, e.At = w.State.Seq+1, w.At
	w.State.Apply(&e)
	w.events = append(w.events, e)
}

func (w *Sample) Advance(d time.Duration) { w.At += d }

// elect has a node ask for votes, get them and lead.
func (w *Sample) elect(id string, term uint64, voters ...string) {
	w.ask(id, term, voters...)
	w.Advance(20 * time.Millisecond)
	w.Emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Leader, Term: term})
	w.Append([]trace.Entry{{Term: term, Kind: trace.EntryNoop}}, id)
}

func (w *Sample) ask(id string, term uint64, voters ...string) {
	w.Emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Candidate, Term: term})
	w.Emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: term})
	w.Emit(trace.Event{Kind: trace.KindVote, Node: id, Term: term, Peer: id})
	w.Advance(30 * time.Millisecond)
	for _, voter := range voters {
		w.Emit(trace.Event{Kind: trace.KindTerm, Node: voter, Term: term})
		w.Emit(trace.Event{Kind: trace.KindVote, Node: voter, Term: term, Peer: id})
		w.deliver(trace.Packet{From: voter, To: id, Kind: "vote", Reply: true, OK: true, Term: term})
	}
}

func (w *Sample) deliver(p trace.Packet) {
	w.packet++
	p.ID, p.RPC, p.Status = w.packet, w.packet, trace.Sent
	w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	arrived := p
	arrived.Status = trace.Delivered
	w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &arrived})
}

// heartbeat has a leader heard by nodes, and hear from them.
func (w *Sample) heartbeat(leader string, nodes ...string) {
	term := w.State.Node(leader).Term
	for _, id := range nodes {
		w.deliver(trace.Packet{From: leader, To: id, Kind: "heartbeat", Term: term})
		w.deliver(trace.Packet{From: id, To: leader, Kind: "heartbeat", Reply: true, OK: true, Term: term})
		w.Emit(trace.Event{Kind: trace.KindLeader, Node: id, Peer: leader})
	}
}

// Append puts entries at the end of logs.
func (w *Sample) Append(entries []trace.Entry, nodes ...string) {
	for _, id := range nodes {
		w.Emit(trace.Event{Kind: trace.KindAppended, Node: id, Index: w.State.Node(id).LastIndex() + 1, Entries: entries})
	}
}

// commit commits and applies up to an index on nodes; the counter is the sum.
func (w *Sample) commit(index uint64, nodes ...string) {
	for _, id := range nodes {
		n := w.State.Node(id)
		w.Emit(trace.Event{Kind: trace.KindCommitted, Node: id, Index: index})
		var sum int64
		for i := uint64(1); i <= index; i++ {
			e, _ := n.Entry(i)
			sum += e.Delta
		}
		w.Emit(trace.Event{Kind: trace.KindApplied, Node: id, Index: index, Value: sum})
	}
}

func Increments(term uint64, n int, delta int64) []trace.Entry {
	entries := make([]trace.Entry, n)
	for i := range entries {
		entries[i] = trace.Entry{Term: term, Kind: trace.EntryAdd, Delta: delta}
	}
	return entries
}

func (w *Sample) CutLinks(a, b string) {
	for _, link := range [][2]string{{a, b}, {b, a}} {
		w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: link[0], Peer: link[1], Faults: []string{"cut"}})
	}
}

// WithVerdicts lets every check say that all is well.
func (w *Sample) WithVerdicts() *Sample {
	for _, name := range check.Names() {
		w.Verdict(trace.Event{Check: name, Verdict: trace.VerdictOK, Count: 2310})
	}
	return w
}

func (w *Sample) Verdict(e trace.Event) {
	e.Kind = trace.KindVerdict
	w.Emit(e)
}

// Call has a client call and get its answer after a while, and returns the number
// of the event of the answer.
func (w *Sample) Call(op trace.Op, took time.Duration) uint64 {
	op.ID, op.Invoked = w.State.Seq+100_000, w.At
	invoked := op
	invoked.Outcome = trace.Pending
	w.Emit(trace.Event{Kind: trace.KindInvoked, Op: &invoked})
	w.Advance(took)
	op.Returned = w.At
	w.Emit(trace.Event{Kind: trace.KindReturned, Op: &op})
	return w.State.Seq
}

// Busy adds to a world what the views show beside the stage: calls, packets, and
// what the library logs.
func Busy(w *Sample) *Sample {
	leader := w.State.LeaderNode()
	for i := range 8 {
		op := trace.Op{Client: fmt.Sprintf("c%d", i%3+1), Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n1", Outcome: trace.OK, Value: int64(138 + i), Seq: uint64(i + 1)}
		if leader != nil {
			op.Node = leader.ID
		}
		if i == 5 {
			op.Kind, op.Delta, op.Level, op.Seq = trace.EntryRead, 0, "linearizable", 0
		}
		if i == 6 {
			op.Outcome, op.Value, op.Why = trace.Unknown, 0, "n3: no answer in time"
		}
		w.Call(op, time.Duration(i+1)*12*time.Millisecond)
		w.Advance(90 * time.Millisecond)
	}
	for i := range w.State.Nodes {
		w.Emit(trace.Event{Kind: trace.KindLogLine, Node: w.State.Nodes[i].ID, Text: "[INFO]  entering follower state: follower=\"Node at n1\" leader-address= leader-id="})
		w.Emit(trace.Event{Kind: trace.KindLogLine, Node: w.State.Nodes[i].ID, Text: "[WARN]  heartbeat timeout reached, starting election: last-leader-addr=n3"})
	}
	if leader != nil {
		for i := range w.State.Nodes {
			if id := w.State.Nodes[i].ID; id != leader.ID && !w.State.Blocked(id, leader.ID) {
				w.heartbeat(leader.ID, id)
			}
		}
	}
	return w.WithVerdicts()
}

// History returns the past of the world, as a cluster would keep it.
func (w *Sample) History() *history.History {
	h, log := history.New(history.DefaultBudget), &trace.Stream{}
	log.AddSink(h)
	for _, e := range w.events {
		log.Emit(e)
	}
	return h
}

// Send puts a packet on its way from n1 to n2, and returns what ends it.
func (w *Sample) Send(p trace.Packet) (end func(trace.PacketStatus)) {
	w.packet++
	p.ID, p.RPC, p.From, p.To = w.packet, w.packet, "n1", "n2"
	p.Status = trace.Sent
	first := p
	w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &first})
	return func(fate trace.PacketStatus) {
		p.Status = fate
		w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	}
}
