package trace

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Timer is a kind of timer that [State.Upcoming] lists.
type Timer string

// The timers.
const (
	ElectionTimer  Timer = "election"  // of a follower or a candidate
	HeartbeatTimer Timer = "heartbeat" // of a leader: the next heartbeats
	LeaseTimer     Timer = "lease"     // of a leader: it steps down unless a quorum replies before
	DeadlineTimer  Timer = "deadline"  // of an RPC: Node, the caller, stops waiting for the reply of Peer
)

// Upcoming is something that happens once enough time passes and nothing else does.
type Upcoming struct {
	Timer Timer
	Node  string
	// Peer, Kind and RPC describe the RPC of a deadline.
	Peer, Kind string
	RPC        uint64
	// It happens between these two moments: raft draws its timeouts at random. An earlier moment
	// than the present one is the present one.
	Earliest, Latest time.Duration
	// Command is the command that lets exactly this happen.
	Command string
}

// heartbeatShare is the part of the heartbeat timeout after which a leader sends heartbeats
// (hashicorp/raft replication.go, heartbeat).
const heartbeatShare = 10

// Upcoming returns what time brings next, the earliest first: the timers of the nodes that are up,
// and the deadlines of RPCs whose packets a user holds or has dropped.
func (s *State) Upcoming() []Upcoming {
	var all []Upcoming
	voters := s.Voters()
	for i := range s.Nodes {
		n := &s.Nodes[i]
		switch {
		case n.Process != Up:
		case n.Role == Leader:
			all = s.addLeaderTimers(all, n, voters)
		case slices.Contains(voters, n.ID):
			all = append(all, s.electionOf(n))
		}
	}
	known := map[uint64]bool{} // a request and its reply can both wait, as copies
	for _, list := range [][]InFlight{s.Waiting, s.Unanswered} {
		for j := range list {
			if p := &list[j].Packet; p.Deadline > s.At && !p.Duplicate && !known[p.RPC] {
				known[p.RPC] = true
				all = append(all, deadlineOf(p))
			}
		}
	}
	for i := range all {
		all[i].Earliest, all[i].Latest = max(all[i].Earliest, s.At), max(all[i].Latest, s.At)
	}
	slices.SortStableFunc(all, func(a, b Upcoming) int {
		return cmp.Or(cmp.Compare(a.Earliest, b.Earliest), cmp.Compare(a.Latest, b.Latest))
	})
	return all
}

// scaled returns a timeout of a node on the cluster's clock.
func (n *Node) scaled(timeout time.Duration) time.Duration {
	return time.Duration(float64(timeout) * n.ClockFactor)
}

// electionOf returns when a node's election timer fires. Raft draws it between one and two
// timeouts; a follower's starts anew if it then finds a contact that is recent enough.
func (s *State) electionOf(n *Node) Upcoming {
	next := Upcoming{Timer: ElectionTimer, Node: n.ID, Command: "fire " + n.ID + " election"}
	if n.Role == Candidate {
		timeout := n.scaled(s.Settings.Election)
		next.Earliest, next.Latest = n.RoleAt+timeout, n.RoleAt+2*timeout
		return next
	}
	timeout := n.scaled(s.Settings.Heartbeat)
	next.Earliest, next.Latest = n.LastHeard+timeout, n.LastHeard+3*timeout
	return next
}

// addLeaderTimers adds the lease of a leader and, unless all of them wait for a reply, its next
// heartbeats.
func (s *State) addLeaderTimers(all []Upcoming, n *Node, voters []string) []Upcoming {
	if len(voters) < 2 {
		return all
	}
	var heard []time.Duration
	idle := false
	for _, id := range voters {
		if id == n.ID {
			continue
		}
		at := n.RoleAt // until a follower replies, raft counts from the start of the term
		if contact, known := n.Peers[id]; known {
			at = contact.LastHeard
		}
		heard = append(heard, at)
		idle = idle || !s.awaitsHeartbeat(n.ID, id)
	}
	slices.SortFunc(heard, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	if need := Quorum(len(voters)) - 1; need > 0 && need <= len(heard) {
		end := heard[need-1] + n.scaled(s.Settings.Lease)
		all = append(all, Upcoming{Timer: LeaseTimer, Node: n.ID, Earliest: end, Latest: end, Command: "fire " + n.ID + " lease"})
	}
	if idle {
		interval := n.scaled(s.Settings.Heartbeat) / heartbeatShare
		all = append(all, Upcoming{Timer: HeartbeatTimer, Node: n.ID, Earliest: s.At, Latest: s.At + 2*interval, Command: "fire " + n.ID + " heartbeat"})
	}
	return all
}

// awaitsHeartbeat reports whether a heartbeat from one node to another, or its reply, waits.
func (s *State) awaitsHeartbeat(from, to string) bool {
	between := func(f InFlight) bool {
		return f.Kind == "heartbeat" && (!f.Reply && f.From == from && f.To == to || f.Reply && f.From == to && f.To == from)
	}
	return slices.ContainsFunc(s.Waiting, between) || slices.ContainsFunc(s.Unanswered, between)
}

// deadlineOf returns the deadline of the RPC of a packet.
func deadlineOf(p *Packet) Upcoming {
	from, to := p.From, p.To
	if p.Reply {
		from, to = to, from
	}
	return Upcoming{
		Timer: DeadlineTimer, Node: from, Peer: to, Kind: p.Kind, RPC: p.RPC, Earliest: p.Deadline, Latest: p.Deadline,
		Command: fmt.Sprintf("fire %s -> %s %s deadline", from, to, p.Kind),
	}
}
