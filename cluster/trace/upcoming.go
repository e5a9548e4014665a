package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timer is a kind of timer that [State.Upcoming] lists.
type Timer string

// The timers.
const (
	ElectionTimer  Timer = "election"  // of a follower or a candidate
	HeartbeatTimer Timer = "heartbeat" // of a leader: the next heartbeats
	LeaseTimer     Timer = "lease"     // of a leader: it steps down unless a quorum replies before
	DeadlineTimer  Timer = "deadline"  // of RPCs: Node, the caller, stops waiting for the replies of Peers
)

// Upcoming is something that happens once enough time passes and nothing else does.
type Upcoming struct {
	Timer Timer
	Node  string
	// Peers and Kind describe the RPCs of a deadline.
	Peers []string
	Kind  string
	// It happens between these two moments: raft draws its timeouts at random. An earlier moment
	// than the present one is the present one.
	Earliest, Latest time.Duration
	// Command is the command that lets exactly this happen.
	Command string
}

// heartbeatShare is the part of the heartbeat timeout after which a leader sends heartbeats
// (hashicorp/raft replication.go, heartbeat).
const heartbeatShare = 10

// Upcoming returns what fires next, the earliest first: the timers of the nodes that are up,
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
	all = append(all, s.deadlines()...)
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

// deadlines returns the deadlines of RPCs of which a packet waits or was dropped, one for all RPCs of
// a node and a kind: an election asks many nodes at once.
func (s *State) deadlines() (all []Upcoming) {
	for _, list := range [][]InFlight{s.Waiting, s.Unanswered} {
		for i := range list {
			p := &list[i].Packet
			if p.Deadline <= s.At || p.Duplicate {
				continue
			}
			from, to := p.From, p.To
			if p.Reply {
				from, to = to, from
			}
			at := slices.IndexFunc(all, func(u Upcoming) bool { return u.Node == from && u.Kind == p.Kind })
			if at < 0 {
				at = len(all)
				all = append(all, Upcoming{Timer: DeadlineTimer, Node: from, Kind: p.Kind, Earliest: p.Deadline, Latest: p.Deadline})
			}
			one := &all[at]
			one.Earliest, one.Latest = min(one.Earliest, p.Deadline), max(one.Latest, p.Deadline)
			if !slices.Contains(one.Peers, to) {
				one.Peers = append(one.Peers, to)
			}
		}
	}
	for i := range all {
		one := &all[i]
		slices.SortFunc(one.Peers, CompareNames)
		one.Command = fmt.Sprintf("fire %s -> %s %s deadline", one.Node, strings.Join(one.Peers, ","), one.Kind)
	}
	return all
}
