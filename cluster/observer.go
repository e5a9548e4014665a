package cluster

import (
	"slices"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// observed is what raft says of itself, beyond what its stores and packets tell.
type observed struct {
	role    trace.Role
	leader  string
	commit  uint64
	servers []trace.Server
}

// observe compares what raft says of itself with what the events say so far, and
// makes events of the difference. It is called wherever something may have
// changed: when raft changes its role or leader, sends a packet, or applies an
// entry; and by the poll.
func (p *process) observe() {
	r := p.raft.Load()
	if r == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Raft's account of itself may be of a moment later than the hook that led
	// here; the comparison makes it right all the same.
	if role, term := roleAndTerm(r); role != p.seen.role && role != "" {
		if p.seen.role != "" || role != trace.Follower {
			p.emitLocked(trace.Event{Kind: trace.KindRole, Role: role, Term: term})
		}
		p.seen.role = role
	}
	if _, id := r.LeaderWithID(); string(id) != p.seen.leader {
		p.seen.leader = string(id)
		p.emitLocked(trace.Event{Kind: trace.KindLeader, Peer: string(id)})
	}
	if commit := r.CommitIndex(); commit > p.seen.commit {
		p.seen.commit = commit
		p.emitLocked(trace.Event{Kind: trace.KindCommitted, Index: commit})
	}
	if at := p.configAt.Load(); at > 0 {
		p.observeConfig(r)
		if p.c.timestamp() > at {
			p.configAt.CompareAndSwap(at, 0)
		}
	}
}

// configMayChange says that raft may take up another configuration now. It does so
// just after what is stored here, but at the same moment of virtual time.
func (p *process) configMayChange() { p.configAt.Store(p.c.timestamp()) }

// timestamp returns the virtual time in nanoseconds, and never 0.
func (c *Cluster) timestamp() int64 { return int64(c.Now()) + 1 }

// roleAndTerm returns the role that raft has in a term. Its role changes before its
// term does, and terms only grow, so that a role between two equal terms is of that
// term.
func roleAndTerm(r *raft.Raft) (trace.Role, uint64) {
	for {
		term := r.CurrentTerm()
		role := roleOf(r.State())
		if r.CurrentTerm() == term {
			return role, term
		}
	}
}

func (p *process) observeConfig(r *raft.Raft) {
	future := r.GetConfiguration() // answered at once
	if future.Error() != nil {
		return
	}
	members := future.Configuration().Servers
	if slices.EqualFunc(members, p.seen.servers, func(s raft.Server, t trace.Server) bool { return serverOf(s) == t }) {
		return
	}
	p.seen.servers = serversOf(future.Configuration())
	p.emitLocked(trace.Event{Kind: trace.KindConfig, Servers: p.seen.servers})
}

func serversOf(conf raft.Configuration) []trace.Server {
	servers := make([]trace.Server, len(conf.Servers))
	for i, s := range conf.Servers {
		servers[i] = serverOf(s)
	}
	return servers
}

func serverOf(s raft.Server) trace.Server {
	return trace.Server{ID: string(s.ID), Voter: s.Suffrage == raft.Voter}
}

func roleOf(state raft.RaftState) trace.Role {
	switch state {
	case raft.Follower:
		return trace.Follower
	case raft.Candidate:
		return trace.Candidate
	case raft.Leader:
		return trace.Leader
	case raft.Shutdown:
		return ""
	}
	return ""
}

// emitPacket makes events of packets.
func (c *Cluster) emitPacket(p *faults.Packet) {
	// A node whose packet leaves may have changed since its last one.
	if p.Status == faults.Sent {
		if n := c.find(string(p.From)); n != nil {
			if proc := n.running(); proc != nil {
				proc.observe()
			}
		}
	}
	defer c.bubble.Catch()
	c.trace.EmitPacket(c.bubble.Now(), &trace.Packet{
		ID: p.ID, RPC: p.RPC, Status: trace.PacketStatus(p.Status.String()),
		From: string(p.From), To: string(p.To), Kind: p.Kind.String(),
		Reply: p.Reply, Duplicate: p.Duplicate, Held: p.Held, Why: p.Why, Delay: p.Delay, SizeBytes: p.SizeBytes,
		Term: p.Term, OK: p.OK, PrevIndex: p.PrevIndex, PrevTerm: p.PrevTerm,
		First: p.FirstIndex, Entries: p.Entries, Commit: p.CommitIndex,
		LastIndex: p.LastIndex, LastTerm: p.LastTerm, Error: p.Error,
	})
}
