package uitest

import (
	"fmt"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Sample is a cluster of hand-made events, folded into a state as a real one's would be.
type Sample struct {
	State  trace.State
	At     time.Duration // virtual time, of the next event
	values map[string]int64
	packet uint64
	events []trace.Event
}

// newSample returns running nodes, all voters, without a leader.
func newSample(names ...string) *Sample {
	s := &Sample{values: map[string]int64{}}
	s.Emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{
		Seed: 7, Storage: "memory", Heartbeat: time.Second, Election: time.Second, Lease: 500 * time.Millisecond, Library: trace.Library{PreVote: true, FastHeartbeats: true, Pipeline: true},
	}})
	var servers []trace.Server
	for _, name := range names {
		servers = append(servers, trace.Server{ID: name, Voter: true})
	}
	for _, name := range names {
		s.Emit(trace.Event{Kind: trace.KindProcess, Node: name, Process: trace.Up})
		s.Emit(trace.Event{Kind: trace.KindConfig, Node: name, Servers: servers})
	}
	return s
}

// numbered returns n names, from n1 on.
func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%d", i+1))
	}
	return names
}

// Emit adds an event at the current time.
func (s *Sample) Emit(e trace.Event) {
	e.Seq, e.At = s.State.Seq+1, s.At
	s.State.Apply(&e)
	s.events = append(s.events, e)
}

// Advance moves the current time on.
func (s *Sample) Advance(d time.Duration) { s.At += d }

// elect makes a node leader of a term, with the votes of some nodes.
func (s *Sample) elect(id string, term uint64, voters ...string) {
	s.campaign(id, term, voters...)
	s.Advance(20 * time.Millisecond)
	all := append([]string{id}, voters...)
	s.Emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Leader, Term: term, Reason: &trace.Reason{
		Decision: trace.WinElection, Cause: trace.VotesWon, Term: term, Count: len(all), Total: len(s.State.Nodes), Voters: all,
	}})
	s.Append([]trace.Entry{{Term: term, Kind: trace.EntryNoop}}, id)
}

// campaign makes a node candidate in a term, and gives it the votes of some nodes.
func (s *Sample) campaign(id string, term uint64, voters ...string) {
	s.stand(id, term, 1+len(voters))
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: term})
	s.Emit(trace.Event{Kind: trace.KindVote, Node: id, Term: term, Peer: id})
	s.Advance(30 * time.Millisecond)
	for _, voter := range voters {
		s.Emit(trace.Event{Kind: trace.KindTerm, Node: voter, Term: term})
		s.Emit(trace.Event{Kind: trace.KindVote, Node: voter, Term: term, Peer: id})
		s.deliver(trace.Packet{From: voter, To: id, Kind: "vote", Reply: true, OK: true, Term: term})
	}
}

// stand makes a node a candidate in a term, after a pre-vote with the given number of grants.
func (s *Sample) stand(id string, term uint64, granted int) {
	n := s.State.Node(id)
	silence := trace.Reason{
		Decision: trace.StartPreVote, Cause: trace.HeartbeatTimeout, Term: term, Peer: n.LastHeardFrom, Silence: s.At - n.LastHeard,
	}
	switch silence.Peer {
	case "":
		silence.Other = trace.SinceStart
	case id:
		silence.Peer, silence.Other = "", trace.SinceStepDown
	}
	s.Emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Candidate, Term: term - 1})
	s.Emit(trace.Event{Kind: trace.KindReason, Node: id, Reason: &silence})
	s.Emit(trace.Event{Kind: trace.KindReason, Node: id, Reason: &trace.Reason{
		Decision: trace.StartElection, Cause: trace.PreVoteWon, Term: term, Count: granted, Total: len(s.State.Nodes),
	}})
}

// deliver sends a packet that arrives at once.
func (s *Sample) deliver(p trace.Packet) {
	s.packet++
	p.ID, p.RPC, p.Status = s.packet, s.packet, trace.Sent
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	arrived := p
	arrived.Status = trace.Delivered
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &arrived})
}

// heartbeat exchanges heartbeats between a leader and some nodes.
func (s *Sample) heartbeat(leader string, nodes ...string) {
	term := s.State.Node(leader).Term
	for _, id := range nodes {
		s.deliver(trace.Packet{From: leader, To: id, Kind: "heartbeat", Term: term})
		s.deliver(trace.Packet{From: id, To: leader, Kind: "heartbeat", Reply: true, OK: true, Term: term})
		s.Emit(trace.Event{Kind: trace.KindLeader, Node: id, Peer: leader})
	}
}

// Append appends entries to the logs of some nodes.
func (s *Sample) Append(entries []trace.Entry, nodes ...string) {
	for _, id := range nodes {
		s.Emit(trace.Event{Kind: trace.KindAppended, Node: id, Index: s.State.Node(id).LastIndex() + 1, Entries: entries})
	}
}

// commit commits and applies everything up to an index on some nodes. The value is the
// sum of the increments.
func (s *Sample) commit(index uint64, nodes ...string) {
	for _, id := range nodes {
		n := s.State.Node(id)
		s.Emit(trace.Event{Kind: trace.KindCommitted, Node: id, Index: index})
		var sum int64
		for i := uint64(1); i <= index; i++ {
			e, _ := n.Entry(i)
			sum += e.Delta
		}
		s.Emit(trace.Event{Kind: trace.KindApplied, Node: id, Index: index, Value: sum})
	}
}

// Increments returns n entries that add delta each.
func Increments(term uint64, n int, delta int64) []trace.Entry {
	entries := make([]trace.Entry, n)
	for i := range entries {
		entries[i] = trace.Entry{Term: term, Kind: trace.EntryAdd, Delta: delta}
	}
	return entries
}

// CutLinks cuts the links between two nodes, in both directions.
func (s *Sample) CutLinks(a, b string) {
	for _, link := range [][2]string{{a, b}, {b, a}} {
		s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: link[0], Peer: link[1], Faults: []string{"cut"}})
	}
}

// WithVerdicts adds an ok verdict of every check.
func (s *Sample) WithVerdicts() *Sample {
	for _, name := range check.Names() {
		s.Verdict(trace.Event{Check: name, Verdict: trace.VerdictOK, Count: 2310})
	}
	return s
}

// Verdict adds the verdict of a check.
func (s *Sample) Verdict(e trace.Event) {
	e.Kind = trace.KindVerdict
	s.Emit(e)
}

// Call adds a client operation and, took later, its outcome. It returns the sequence
// number of the outcome's event.
func (s *Sample) Call(op trace.Op, took time.Duration) uint64 {
	op.ID, op.Invoked = s.State.Seq+100_000, s.At
	invoked := op
	invoked.Outcome = trace.Pending
	s.Emit(trace.Event{Kind: trace.KindInvoked, Op: &invoked})
	s.Advance(took)
	op.Returned = s.At
	s.Emit(trace.Event{Kind: trace.KindReturned, Op: &op})
	return s.State.Seq
}

// Busy adds what views other than the stage show: client operations, packets, log lines of
// the library, and verdicts.
func Busy(s *Sample) *Sample {
	leader := s.State.LeaderNode()
	for i := range 8 {
		op := trace.Op{Client: fmt.Sprintf("c%d", i%3+1), Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n1", Outcome: trace.OK, Value: int64(138 + i), Seq: uint64(i + 1)}
		if leader != nil {
			op.Node = leader.ID
		}
		if i == 5 {
			op.Kind, op.Delta, op.Level, op.Seq = trace.EntryRead, 0, "linearizable", 0
		}
		if i == 6 {
			op.Outcome, op.Value, op.Why = trace.Unknown, 0, "n3: no reply in time"
		}
		s.Call(op, time.Duration(i+1)*12*time.Millisecond)
		s.Advance(90 * time.Millisecond)
	}
	for i := range s.State.Nodes {
		s.Emit(trace.Event{Kind: trace.KindLogLine, Node: s.State.Nodes[i].ID, Text: "[INFO]  entering follower state: follower=\"Node at n1\" leader-address= leader-id="})
		s.Emit(trace.Event{Kind: trace.KindLogLine, Node: s.State.Nodes[i].ID, Text: "[WARN]  heartbeat timeout reached, starting election: last-leader-addr=n3"})
	}
	if leader != nil {
		for i := range s.State.Nodes {
			if id := s.State.Nodes[i].ID; id != leader.ID && !s.State.Blocked(id, leader.ID) {
				s.heartbeat(leader.ID, id)
			}
		}
	}
	return s.WithVerdicts()
}

// History returns the events as a history, as a real cluster keeps it.
func (s *Sample) History() *history.History {
	h, log := history.New(history.DefaultBudget), &trace.Stream{}
	log.AddSink(h)
	for _, e := range s.events {
		log.Emit(e)
	}
	return h
}

// Send sends a packet from n1 to n2, and returns a function that ends its flight.
func (s *Sample) Send(p trace.Packet) (end func(trace.PacketStatus)) {
	s.packet++
	p.ID, p.RPC, p.From, p.To = s.packet, s.packet, "n1", "n2"
	p.Status = trace.Sent
	first := p
	s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &first})
	return func(status trace.PacketStatus) {
		p.Status = status
		s.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	}
}
