package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// retryEvery is how long, in virtual time, a request without a leader waits before it retries.
const retryEvery = 50 * time.Millisecond

// AddNode starts a new node and adds it to the cluster's configuration through the leader. An
// empty name means the next free one, n6 after n5. It takes virtual time. If the cluster
// rejects the node, AddNode removes it again and returns the reason. After [ErrUnknown] the
// node keeps running until the committed configuration says that it is not a member.
func (c *Inside) AddNode(name string, voter bool) error {
	if !c.OwnsNodes() {
		return errors.New("cannot add a node: the nodes run elsewhere; start it there, with all of its peers")
	}
	if names := c.Names(); name == "" {
		for i := len(names) + 1; name == "" || slices.Contains(names, name); i++ {
			name = fmt.Sprintf("n%d", i)
		}
	}
	if err := c.refuseKept(name); err != nil {
		return err
	}
	n, err := c.newNode(name)
	if err != nil {
		return err
	}
	c.extendHold(name)
	if err := n.boot(raft.Configuration{}); err != nil {
		return errors.Join(err, c.discard(n, notAdded))
	}
	what := control.AddNonvoter
	if voter {
		what = control.AddVoter
	}
	err = c.changeMember(n, true, requestFor(what, name))
	if err != nil && !errors.Is(err, ErrUnknown) {
		err = errors.Join(err, c.discard(n, notAdded))
	}
	return err
}

// RemoveNode removes a node from the cluster's configuration through the leader, stops it and
// deletes its disk. It takes virtual time. After [ErrUnknown] the node is stopped only when the
// committed configuration says that it is not a member.
func (c *Inside) RemoveNode(name string) error {
	if err := c.requireOwn("discard", name); err != nil {
		return fmt.Errorf("%w: use remove-node %s keep", err, name)
	}
	n, err := c.removable(name)
	if err != nil {
		return err
	}
	n.isKept.Store(false)
	if err := c.changeMember(n, false, requestFor(control.Remove, name)); err != nil {
		return err
	}
	return c.discard(n, removed)
}

// ExpelNode is [Inside.RemoveNode] by an operator who forgets to stop the node: its process keeps
// running on its disk. If it never got the entry that removes it, it starts elections. It remains
// a node of the cluster until RemoveNode. An earlier RemoveNode with an unknown outcome no longer
// stops it.
func (c *Inside) ExpelNode(name string) error {
	n, err := c.removable(name)
	if err != nil {
		return err
	}
	n.isKept.Store(true)
	if servers := c.leaderServers(); len(servers) > 0 && !isMemberOf(servers, name) {
		return fmt.Errorf("cannot remove %s: it is not a member; remove-node %s discards it", name, name)
	}
	return c.onLeader("remove "+name, nil, requestFor(control.Remove, name))
}

// removable returns a node, or an error if it must not be removed.
func (c *Inside) removable(name string) (*node, error) {
	n, err := c.node(name)
	if err != nil {
		return nil, err
	}
	if voters := c.voters(); len(voters) == 1 && voters[0] == name {
		return nil, fmt.Errorf("cannot remove %s: it is the last voter", name)
	}
	return n, nil
}

// Why a node is discarded.
const (
	removed  = "it is no longer a member"
	notAdded = "it did not become a member"
)

// discard stops a node that is not a member, clears the faults of its links, and deletes its
// disk. It does nothing if another call has discarded the node.
func (c *Inside) discard(n *node, why string) error {
	n.lockToStop()
	defer n.unlock()
	if c.find(n.name) != n {
		return nil
	}
	var err error
	if n.server() != nil {
		err = n.stopLocked(trace.Removed, why)
	} else {
		n.setState(trace.Removed, why)
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
func (c *Inside) Promote(name string) error {
	if _, err := c.node(name); err != nil {
		return err
	}
	if err := c.requireMember("promote", name, false); err != nil {
		return err
	}
	return c.onLeader("promote "+name, nil, requestFor(control.AddVoter, name))
}

// Demote makes a voter a non-voter, through the leader. It takes virtual time.
func (c *Inside) Demote(name string) error {
	if _, err := c.node(name); err != nil {
		return err
	}
	if voters := c.voters(); len(voters) == 1 && voters[0] == name {
		return fmt.Errorf("cannot demote %s: it is the last voter", name)
	}
	if err := c.requireMember("demote", name, true); err != nil {
		return err
	}
	return c.onLeader("demote "+name, nil, requestFor(control.Demote, name))
}

// Recover makes the named nodes the whole cluster, by force (raft.RecoverCluster): they restart
// from their own disks with a configuration of just themselves. It is unsafe. Entries that only
// other nodes hold are lost, and other nodes that still run keep the old configuration. It
// takes virtual time.
func (c *Inside) Recover(names ...string) error {
	if len(names) == 0 {
		return errors.New("cannot recover: no node is named to form the new cluster")
	}
	var conf raft.Configuration
	var nodes []*node
	for _, name := range names {
		n, err := c.node(name)
		if err == nil {
			err = c.requireOwn("recover", name)
		}
		if err != nil {
			return err
		}
		if !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
			conf.Servers = append(conf.Servers, raft.Server{ID: raft.ServerID(name), Address: n.address})
		}
	}
	// Stop all of them before any restarts, so no recovered node meets one with the old
	// configuration.
	var all []error
	for _, n := range nodes {
		all = append(all, n.stop(trace.Killed, ""))
	}
	for _, n := range nodes {
		all = append(all, n.recover(conf))
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	for _, n := range nodes {
		all = append(all, n.boot(raft.Configuration{}))
	}
	return errors.Join(all...)
}

// recover forces the configuration conf onto the disk of a stopped node.
func (n *node) recover(conf raft.Configuration) error {
	n.lock()
	defer n.unlock()
	if n.server() != nil {
		return fmt.Errorf("cannot recover %s: it was restarted in the meantime", n.name)
	}
	p, err := n.open()
	if err != nil {
		if faults.DamageOf(err) != nil {
			return fmt.Errorf("recovering %s: %w: recover without %s", n.name, err, n.name)
		}
		return fmt.Errorf("recovering %s: %w", n.name, err)
	}
	scratch := newFSM(p)
	err = raft.RecoverCluster(p.config(), scratch.counter, p.disk.Logs(), p.disk.Stable(), p.disk.Snapshots(),
		p.transport, conf)
	if err == nil {
		err = p.emitDisk() // RecoverCluster has changed the disk
	}
	p.disk.Kill()
	if err := errors.Join(err, p.transport.Close(), p.closeDisk()); err != nil {
		return fmt.Errorf("recovering %s: %w", n.name, err)
	}
	n.c.emit(trace.Event{Kind: trace.KindRecovered, Node: n.name, Servers: serversOf(conf)})
	return nil
}

// leaderRequest asks a node for something that only a leader does, and waits at most limit for the
// result. It may wait in raft's queue for up to queue.
type leaderRequest func(s server, queue, limit time.Duration) error

// requestFor is the request for an operation on a node.
func requestFor(what control.Operation, name string) leaderRequest {
	return func(s server, queue, limit time.Duration) error {
		return s.request(control.Request{Operation: what, Node: name, Timeout: queue}, limit)
	}
}

// queueShare is the share of a request's time limit that it may spend in raft's queue. It is below
// 1, so a request that gets no reply has left the queue.
const queueShare = 0.9

// onLeader makes a request of the leader and waits for the result. Without a leader it waits
// for one. It gives up after the clients' timeout. The error is [ErrUnknown] if the request may
// still take effect. what names the request in errors. Before each request, onLeader calls
// before with the node that it asks; before may be nil.
func (c *Inside) onLeader(what string, before func(*node, standing), ask leaderRequest) error {
	why := "there is no leader"
	for deadline := c.Now() + c.settings.ClientTimeout; c.Now() < deadline && !c.isClosing.Load(); c.Sleep(retryEvery) {
		n, s := c.leader()
		if n == nil {
			continue
		}
		p := n.server()
		if p == nil {
			continue
		}
		if before != nil {
			before(n, s)
		}
		limit := deadline - c.Now()
		queue := max(time.Duration(float64(limit)*queueShare), 1) // for raft, 0 means no limit
		err := ask(p, queue, limit)
		switch {
		case err == nil:
			return nil
		case isRejected(err):
			why = fmt.Sprintf("%s: %v", n.name, err)
		case errors.Is(err, errNotHandedOver):
			return fmt.Errorf("cannot %s: %s %w", what, n.name, errNotHandedOver)
		case isUncertain(err):
			return fmt.Errorf("%w (%s): %s: %w", ErrUnknown, what, n.name, err)
		default:
			return fmt.Errorf("cannot %s: %s: %w", what, n.name, err)
		}
	}
	return fmt.Errorf("cannot %s: %s", what, why)
}

// leader returns the leader: of all nodes that believe they lead, the one with the highest term.
// It returns nil if there is none.
func (c *Inside) leader() (leader *node, at standing) {
	for _, n := range c.allNodes() {
		if p := n.server(); p != nil && p.isReady() {
			if s := p.standing(); s.leads && (leader == nil || s.term > at.term) {
				leader, at = n, s
			}
		}
	}
	return leader, at
}

// voters returns the names of the voters in the newest known configuration.
func (c *Inside) voters() []string {
	servers := c.leaderServers()
	if servers == nil {
		var voters []string
		c.stream.Read(func(s *trace.State) { voters = slices.Clone(s.Voters()) })
		return voters
	}
	var voters []string
	for _, s := range servers {
		if s.Voter {
			voters = append(voters, s.ID)
		}
	}
	return voters
}

// leaderServers returns the members in the leader's configuration, nil without a leader. It can be
// newer than the latest event about it, which follows with the leader's next packet.
func (c *Inside) leaderServers() []trace.Server {
	_, at := c.leader()
	return at.servers
}
