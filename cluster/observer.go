package cluster

import (
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// observed is the part of raft's own state that neither its stores nor its packets show, as
// last emitted.
type observed struct {
	role    trace.Role
	leader  string
	commit  uint64
	servers []trace.Server

	strayRole trace.Role // what reconcileRole found last
}

// observe compares raft's own state with what was last emitted, and emits the changes. It is
// called wherever that state may have changed: when raft changes its role or leader, sends a
// packet or applies an entry, and from poll. Roles are not included: raft reports each one on the
// goroutine that decides it, with the reason (seeRole).
func (p *process) observe() {
	r := p.raft.Load()
	if r == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Raft may have moved on since the hook that called this. That is harmless: the
	// comparison emits the current state.
	if _, id := r.LeaderWithID(); string(id) != p.seen.leader {
		p.seen.leader = string(id)
		p.emitLocked(trace.Event{Kind: trace.KindLeader, Peer: string(id)})
	}
	if commit := r.CommitIndex(); commit > p.seen.commit {
		p.seen.commit = commit
		p.emitLocked(trace.Event{Kind: trace.KindCommitted, Index: commit})
	}
	if at := p.configAt.Load(); at > 0 {
		p.observeConfigLocked(r)
		if p.c.timestamp() > at {
			p.configAt.CompareAndSwap(at, 0)
		}
	}
}

// configMayChange makes observe look for a new configuration until virtual time moves on. Raft
// switches configurations just after the operation that calls this, at the same virtual time.
func (p *process) configMayChange() { p.configAt.Store(p.c.timestamp()) }

// timestamp returns the virtual time in nanoseconds plus one, which is never 0.
func (c *Inside) timestamp() int64 { return int64(c.Now()) + 1 }

// reconcileRole emits raft's role if it differs from the last one that raft reported: two
// goroutines of raft may report roles in a different order than they took effect. poll calls it.
// It acts only on a difference that it finds twice in a row, when no report is still under way.
func (p *process) reconcileRole() {
	r := p.raft.Load()
	if r == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	role := roleOf(r.State())
	if role == "" || role == p.seen.role {
		p.seen.strayRole = ""
		return
	}
	if p.seen.strayRole == role {
		p.emitRoleLocked(role, r.CurrentTerm())
	}
	p.seen.strayRole = role
}

// observeConfigLocked emits the configuration if it has changed. The caller holds p.mu.
func (p *process) observeConfigLocked(r *raft.Raft) {
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

// serversOf returns the members of a configuration.
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

// roleOf returns the role of a raft state, "" after shutdown.
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

// processAt returns the process that runs at an address, nil if none does.
func (c *Inside) processAt(address raft.ServerAddress) *process {
	if n := c.find(string(address)); n != nil {
		return n.running()
	}
	return nil
}

// emitPacket emits a packet of the network.
func (c *Inside) emitPacket(p *faults.Packet) {
	switch {
	case p.Status == faults.Sent:
		// The sender may have changed since its last packet.
		if proc := c.processAt(p.From); proc != nil {
			proc.observe()
			vote := p.Kind == faults.KindVote || p.Kind == faults.KindPreVote
			if vote && p.Reply && !p.Duplicate { // a copy made by the network is not another reply
				proc.seeVoteReply(p)
			}
		}
	case p.Kind == faults.KindTimeoutNow && !p.Reply && p.Status == faults.Delivered:
		if proc := c.processAt(p.To); proc != nil {
			proc.setHandedBy(string(p.From))
		}
	}
	defer c.bubble.Catch()
	now, deadline := c.bubble.Now(), time.Duration(0)
	if !p.Deadline.IsZero() {
		deadline = now + time.Until(p.Deadline)
	}
	c.stream.EmitPacket(now, &trace.Packet{
		ID: p.ID, RPC: p.RPC, Status: trace.PacketStatus(p.Status.String()),
		From: string(p.From), To: string(p.To), Kind: p.Kind.String(),
		Reply: p.Reply, Duplicate: p.Duplicate, Held: p.Held, Why: p.Why, Delay: p.Delay, Deadline: deadline, SizeBytes: p.SizeBytes,
		Term: p.Term, OK: p.OK, PrevIndex: p.PrevIndex, PrevTerm: p.PrevTerm,
		First: p.FirstIndex, Entries: p.Entries, Commit: p.CommitIndex,
		LastIndex: p.LastIndex, LastTerm: p.LastTerm, Error: p.Error,
	})
}
