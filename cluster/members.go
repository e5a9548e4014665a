package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"

	"github.com/hashicorp/raft"
)

// retryEvery is how long whoever found no leader waits before the next try.
const retryEvery = 50 * time.Millisecond

// AddNode starts a new node and makes it a member, through the leader. An empty
// name is the next free one, n6 after n5. It takes virtual time; the error says
// why the cluster did not accept it, and the node is gone again then.
func (c *Cluster) AddNode(name string, voter bool) error {
	names := c.Names()
	if name == "" {
		for i := len(names) + 1; name == "" || slices.Contains(names, name); i++ {
			name = fmt.Sprintf("n%d", i)
		}
	}
	switch {
	case !nameForm.MatchString(name):
		return fmt.Errorf("%q cannot be a node's name: 1 to 32 letters, digits, dots, underscores and hyphens", name)
	case slices.Contains(names, name):
		return fmt.Errorf("there is a node %s already", name)
	case len(names) >= NodesMax:
		return fmt.Errorf("there are %d nodes already, which is the most", NodesMax)
	}
	n := c.newNode(name)
	if err := n.boot(raft.Configuration{}); err != nil {
		return err
	}
	err := c.lead("add "+name, func(r *raft.Raft) raft.Future {
		if voter {
			return r.AddVoter(raft.ServerID(name), n.address, 0, c.settings.ClientTimeout)
		}
		return r.AddNonvoter(raft.ServerID(name), n.address, 0, c.settings.ClientTimeout)
	})
	// Without an answer the node may have become a member: it stays.
	if err != nil && !errors.Is(err, errNoAnswer) {
		err = errors.Join(err, c.discard(n))
	}
	return err
}

// RemoveNode removes a node from the members, through the leader, stops it and
// forgets its disk. It takes virtual time.
func (c *Cluster) RemoveNode(name string) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	if voters := c.voters(); len(voters) == 1 && voters[0] == name {
		return fmt.Errorf("cannot remove %s: it is the last voter", name)
	}
	err = c.lead("remove "+name, func(r *raft.Raft) raft.Future {
		return r.RemoveServer(raft.ServerID(name), 0, c.settings.ClientTimeout)
	})
	if err != nil {
		return err
	}
	return c.discard(n)
}

// discard stops a node that is no member and forgets its disk.
func (c *Cluster) discard(n *node) error {
	n.enter()
	defer n.leave()
	var err error
	if n.running() != nil {
		err = n.stopHeld(trace.Removed, "")
	} else {
		n.setLife(trace.Removed, "")
	}
	for _, other := range c.Names() {
		if other != n.name {
			c.healLink(n.name, other)
			c.healLink(other, n.name)
		}
	}
	c.forget(n)
	return errors.Join(err, n.storage.wipe())
}

// Promote makes a non-voter a voter, through the leader. It takes virtual time.
func (c *Cluster) Promote(name string) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	return c.lead("promote "+name, func(r *raft.Raft) raft.Future {
		return r.AddVoter(raft.ServerID(name), n.address, 0, c.settings.ClientTimeout)
	})
}

// Demote makes a voter a non-voter, through the leader. It takes virtual time.
func (c *Cluster) Demote(name string) error {
	if _, err := c.node(name); err != nil {
		return err
	}
	if voters := c.voters(); len(voters) == 1 && voters[0] == name {
		return fmt.Errorf("cannot demote %s: it is the last voter", name)
	}
	return c.lead("demote "+name, func(r *raft.Raft) raft.Future {
		return r.DemoteVoter(raft.ServerID(name), 0, c.settings.ClientTimeout)
	})
}

// Transfer hands leadership to a node, or with "" to the one whose log is the
// longest. To the node that leads already it does nothing. It takes virtual time.
func (c *Cluster) Transfer(name string) error {
	if name == "" {
		return c.lead("transfer", func(r *raft.Raft) raft.Future { return r.LeadershipTransfer() })
	}
	n, err := c.node(name)
	if err != nil {
		return err
	}
	if leader := c.leader(); leader != nil && leader.node == n {
		return nil
	}
	if err := n.lifeIs("transfer leadership to", trace.Up); err != nil {
		return err
	}
	return c.lead("transfer to "+name, func(r *raft.Raft) raft.Future {
		return r.LeadershipTransferToServer(raft.ServerID(name), n.address)
	})
}

// Recover makes the named nodes the whole cluster, from what their disks hold
// (raft.RecoverCluster). It is unsafe: entries that only others hold are lost,
// and the others, if they run, still take themselves for the cluster.
func (c *Cluster) Recover(names ...string) error {
	var conf raft.Configuration
	for _, name := range names {
		if _, err := c.node(name); err != nil {
			return err
		}
		conf.Servers = append(conf.Servers, raft.Server{ID: raft.ServerID(name), Address: raft.ServerAddress(name)})
	}
	var all []error
	for _, name := range names {
		all = append(all, c.recoverNode(name, conf))
	}
	return errors.Join(all...)
}

func (c *Cluster) recoverNode(name string, conf raft.Configuration) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	n.enter()
	defer n.leave()
	if n.running() != nil {
		if err := n.stopHeld(trace.Killed, ""); err != nil {
			return err
		}
	}
	p, err := n.open()
	if err != nil {
		return fmt.Errorf("recovering %s: %w", name, err)
	}
	scratch := newMachine(p)
	err = raft.RecoverCluster(p.config(), scratch.counter, p.disk.Logs(), p.disk.Stable(), p.disk.Snapshots(), p.transport, conf)
	p.disk.Detach()
	if err := errors.Join(err, p.transport.Close(), p.closeDisk()); err != nil {
		return fmt.Errorf("recovering %s: %w", name, err)
	}
	return n.bootHeld(raft.Configuration{})
}

// lead has the node that leads carry something out, waiting for a leader if
// there is none. It gives up after the clients' timeout.
func (c *Cluster) lead(what string, f func(*raft.Raft) raft.Future) error {
	why := "there is no leader"
	for deadline := c.Now() + c.settings.ClientTimeout; c.Now() < deadline && !c.ended.Load(); c.sleep(retryEvery) {
		p := c.leader()
		if p == nil {
			continue
		}
		err := c.await(f(p.raft.Load()), deadline-c.Now())
		switch {
		case err == nil:
			return nil
		case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
			why = fmt.Sprintf("%s: %v", p.node.name, err)
		default:
			return fmt.Errorf("cannot %s: %s: %w", what, p.node.name, err)
		}
	}
	return fmt.Errorf("cannot %s: %s", what, why)
}

// leader returns the process that leads: of all that think they do, the one of
// the highest term; nil if there is none.
func (c *Cluster) leader() *process {
	var best *process
	for _, n := range c.all() {
		p := n.running()
		if p == nil || p.raft.Load() == nil || p.raft.Load().State() != raft.Leader {
			continue
		}
		if best == nil || p.raft.Load().CurrentTerm() > best.raft.Load().CurrentTerm() {
			best = p
		}
	}
	return best
}

// voters returns the names of the voters, as far as is known.
func (c *Cluster) voters() []string {
	var voters []string
	c.trace.Look(func(s *trace.State) { voters = slices.Clone(s.Voters()) })
	return voters
}
