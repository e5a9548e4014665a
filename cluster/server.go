package cluster

import (
	"fmt"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// server is one run of a node, as clients and commands see it: a process in virtual time, or one
// of the operating system.
type server interface {
	// isReady reports whether its raft takes requests.
	isReady() bool
	// standing returns what it knows about its place in the cluster.
	standing() standing
	// operate carries out an operation of a client. It has no timeout of its own: it ends when the
	// process dies.
	operate(operation) answer
	// request makes a request about the cluster or the node, and waits at most limit for the result.
	request(r control.Request, limit time.Duration) error
	// reloadTimeouts gives it the node's present timeouts.
	reloadTimeouts() error
	// kill ends it at once. It may be called more than once.
	kill() error
}

// standing is what a node knows about its place in the cluster.
type standing struct {
	leads      bool // it believes so
	term       uint64
	commit     uint64
	leader     string // whom it takes for the leader
	servers    []trace.Server
	handedTerm uint64 // of the last election that a leader told it to start, 0 for none
}

// operation is what a client asks of a node: a read at a level, or else a command for the log.
type operation struct {
	command counter.Command
	level   string
}

// answer is what a client gets from a node.
type answer struct {
	value  int64
	err    error
	leads  bool   // the node leads, as it believes
	leader string // whom it takes for the leader
}

// server returns the node's running process, or nil.
func (n *node) server() server {
	if p := n.running(); p != nil {
		return p
	}
	if r := n.remote.Load(); r != nil {
		return r
	}
	return nil
}

// isReady reports whether raft is built.
func (p *process) isReady() bool { return p.raft.Load() != nil }

// standing returns the process's place in the cluster.
func (p *process) standing() standing {
	r := p.raft.Load()
	if r == nil {
		return standing{}
	}
	_, leader := r.LeaderWithID()
	s := standing{
		leads: r.State() == raft.Leader, term: r.CurrentTerm(), commit: r.CommitIndex(),
		leader: string(leader), handedTerm: p.handedTerm(),
	}
	if future := r.GetConfiguration(); future.Error() == nil {
		s.servers = serversOf(future.Configuration())
	}
	return s
}

// operate carries out an operation. A paused process does so when it resumes.
func (p *process) operate(o operation) (a answer) {
	p.fsm.gate.wait()
	if o.level != "" {
		a.value, a.err = p.read(o.level, o.command)
	} else {
		a.value, a.err = p.propose(o.command)
	}
	r := p.raft.Load()
	_, leader := r.LeaderWithID()
	a.leads, a.leader = r.State() == raft.Leader, string(leader)
	return a
}

// request makes a request of raft. The time that a change of the membership may spend in raft's
// queue is r.Timeout.
func (p *process) request(r control.Request, limit time.Duration) error {
	target := raft.ServerID(r.Node)
	var ask func(*raft.Raft) future
	switch r.Operation {
	case control.AddVoter:
		ask = func(f *raft.Raft) future { return f.AddVoter(target, raft.ServerAddress(r.Node), 0, r.Timeout) }
	case control.AddNonvoter:
		ask = func(f *raft.Raft) future { return f.AddNonvoter(target, raft.ServerAddress(r.Node), 0, r.Timeout) }
	case control.Demote:
		ask = func(f *raft.Raft) future { return f.DemoteVoter(target, 0, r.Timeout) }
	case control.Remove:
		ask = func(f *raft.Raft) future { return f.RemoveServer(target, 0, r.Timeout) }
	case control.Snapshot:
		ask = func(f *raft.Raft) future { return f.Snapshot() }
	case control.Transfer:
		return p.handOver(r.Node, limit)
	default:
		return fmt.Errorf("unknown request %q", r.Operation)
	}
	return p.await(limit, ask)
}

// handOver makes raft hand leadership to a node, "" for the one that raft picks.
func (p *process) handOver(to string, limit time.Duration) error {
	before := p.transport.confirmations.handovers()
	err := p.await(limit, func(r *raft.Raft) future {
		if to == "" {
			return r.LeadershipTransfer()
		}
		return r.LeadershipTransferToServer(raft.ServerID(to), raft.ServerAddress(to))
	})
	if err == nil && p.transport.confirmations.handovers() == before {
		return errNotHandedOver
	}
	return err
}
