package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"

	"github.com/hashicorp/raft"
)

// errNotHandedOver is why a transfer fails although raft reports success.
var errNotHandedOver = errors.New("lost leadership before the transfer finished")

// handoverPollEvery is how often, in virtual time, a transfer checks for the new leader.
const handoverPollEvery = 500 * time.Microsecond

// Transfer hands leadership to a node. "" means the voter that raft picks, the one with the
// highest replicated index. If the node is already the leader, Transfer does nothing. It takes
// virtual time. The error is [ErrUnknown] if the leader told a node to start an election, but then
// lost leadership for another reason.
func (c *Inside) Transfer(name string) error {
	if name == "" {
		return c.handOver("transfer leadership", func(r *raft.Raft) future { return r.LeadershipTransfer() })
	}
	n, err := c.node(name)
	if err != nil {
		return err
	}
	if c.leads(n) {
		return nil
	}
	if err := n.requireState("transfer leadership to", trace.Up); err != nil {
		return err
	}
	// Raft would hand leadership to a non-voter, which would then start an election.
	if voters := c.voters(); !slices.Contains(voters, name) {
		return fmt.Errorf("cannot transfer leadership to %s: it is not a voter; the voters are %s",
			name, strings.Join(voters, ", "))
	}
	err = c.handOver("transfer leadership to "+name, func(r *raft.Raft) future {
		return r.LeadershipTransferToServer(raft.ServerID(name), n.address)
	})
	if err != nil && !errors.Is(err, errNotHandedOver) && c.leads(n) {
		return nil // it was elected in the meantime
	}
	return err
}

// leads reports whether a node is the leader.
func (c *Inside) leads(n *node) bool {
	leader := c.leader()
	return leader != nil && leader.node == n
}

// handOver asks the leader for a transfer and waits until its successor leads. Raft reports success
// as soon as the leader loses leadership, for whatever reason (hashicorp/raft raft.go, leaderLoop).
func (c *Inside) handOver(what string, request func(*raft.Raft) future) error {
	var from *process // the leader that raft's answer is from
	var term, sent uint64
	err := c.onLeader(what, func(p *process) {
		from, term, sent = p, p.raft.Load().CurrentTerm(), p.transport.confirmations.handovers()
	}, func(r *raft.Raft, _ time.Duration) future { return request(r) })
	if err != nil {
		return err
	}
	if from.transport.confirmations.handovers() == sent {
		return fmt.Errorf("cannot %s: %s %w", what, from.node.name, errNotHandedOver)
	}
	// A candidate that has not won after twice the election timeout starts over.
	for deadline := c.Now() + 2*c.settings.Election; c.Now() < deadline && !c.Closed(); c.Sleep(handoverPollEvery) {
		if c.isHandedOver(term) {
			return nil
		}
	}
	return fmt.Errorf("%w (%s): %s %w", ErrUnknown, what, from.node.name, errNotHandedOver)
}

// isHandedOver reports whether a node leads in a later term because a leader told it to start an
// election.
func (c *Inside) isHandedOver(term uint64) bool {
	p := c.leader()
	return p != nil && p.handedTerm() > term
}
