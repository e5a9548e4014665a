package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
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
		return c.handOver("transfer leadership", "")
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
	err = c.handOver("transfer leadership to "+name, name)
	if err != nil && !errors.Is(err, errNotHandedOver) && c.leads(n) {
		return nil // it was elected in the meantime
	}
	return err
}

// leads reports whether a node is the leader.
func (c *Inside) leads(n *node) bool {
	leader, _ := c.leader()
	return leader == n
}

// handOverAttempts is how often a transfer is tried over processes. A successor may lose its election
// although all nodes are up: its pooled connections to nodes that have restarted since it last used
// them fail once, with its requests for votes (hashicorp/raft net_transport.go, genericRPC).
const handOverAttempts = 3

// handOver hands leadership to a node, "" for the voter that raft picks.
func (c *Inside) handOver(what, to string) error {
	for attempt := 1; ; attempt++ {
		err := c.handOverOnce(what, to)
		if c.machines == nil || attempt == handOverAttempts || !errors.Is(err, errNotHandedOver) {
			return err
		}
		switch leader, _ := c.leader(); {
		case leader == nil:
			return err
		case leader.name == to: // it won a later election
			return nil
		}
	}
}

// handOverOnce asks the leader for a transfer and waits until its successor leads. Raft reports
// success as soon as the leader loses leadership, for whatever reason (hashicorp/raft raft.go,
// leaderLoop).
func (c *Inside) handOverOnce(what, to string) error {
	var from *node // the leader that raft's answer is from
	var term uint64
	err := c.onLeader(what, func(n *node, leader standing) { from, term = n, leader.term },
		requestFor(control.Transfer, to))
	if err != nil {
		return err
	}
	// A candidate that has not won after twice the election timeout starts over.
	deadline := c.Now() + 2*c.settings.Election
	if c.machines != nil {
		deadline += c.settings.ClientTimeout // an election takes longer on a busy machine
	}
	for ; c.Now() < deadline && !c.Closed(); c.Sleep(handoverPollEvery) {
		leader, at := c.leader()
		if leader != nil && at.handedTerm > term {
			return nil
		}
		if c.machines != nil && leader != nil && at.term > term {
			break // it is too late for the successor
		}
	}
	return fmt.Errorf("%w (%s): %s %w", ErrUnknown, what, from.name, errNotHandedOver)
}
