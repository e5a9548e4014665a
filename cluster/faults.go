package cluster

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// SetLink sets a fault on the link from one node to another. It replaces a fault of the same
// name.
func (c *Inside) SetLink(from, to string, fault faults.LinkFault) error {
	if err := c.checkLink(from, to); err != nil {
		return err
	}
	if err := c.refuse(fault); err != nil {
		return err
	}
	c.network.SetFault(raft.ServerAddress(from), raft.ServerAddress(to), fault)
	c.emitLink(from, to)
	c.emitShape("the link from %s to %s: %s", from, to, fault)
	return nil
}

// ClearLink clears one fault of the link from one node to another.
func (c *Inside) ClearLink(from, to string, fault faults.LinkFault) error {
	if err := c.checkLink(from, to); err != nil {
		return err
	}
	c.network.ClearFault(raft.ServerAddress(from), raft.ServerAddress(to), fault.Name())
	c.emitLink(from, to)
	c.emitHealed("the link from %s to %s: %s cleared", from, to, fault)
	return nil
}

// HealLinks clears all faults of the given links and emits one event that sums them up.
func (c *Inside) HealLinks(links []trace.Link) error {
	ends := map[string]int{}
	for _, l := range links {
		if err := c.checkLink(l.From, l.To); err != nil {
			return err
		}
		ends[l.From]++
		ends[l.To]++
	}
	for _, l := range links {
		c.healLink(l.From, l.To)
	}
	if len(links) == 1 {
		c.emitHealed("the link from %s to %s heals", links[0].From, links[0].To)
		return nil
	}
	all := 2 * (len(c.Names()) - 1)
	for _, name := range c.Names() {
		if len(links) == all && ends[name] == all {
			c.emitHealed("%s is reconnected to all other nodes", name)
			return nil
		}
	}
	c.emitHealed("%d links heal", len(links))
	return nil
}

// Heal clears all faults of all links.
func (c *Inside) Heal() error {
	c.healAll()
	c.emitHealed("the network heals")
	return nil
}

func (c *Inside) healAll() {
	for _, l := range c.AllLinks() {
		c.healLink(l.From, l.To)
	}
}

// healLink clears the faults of a link and emits the change, if it has any. What a user holds is
// not broken, and waits on: see [Inside.Release].
func (c *Inside) healLink(from, to string) {
	healed := false
	for _, f := range c.network.Faults(raft.ServerAddress(from), raft.ServerAddress(to)) {
		if f.Name() != (faults.Hold{}).Name() {
			c.network.ClearFault(raft.ServerAddress(from), raft.ServerAddress(to), f.Name())
			healed = true
		}
	}
	if healed {
		c.emitLink(from, to)
	}
}

// Isolate cuts all links of each of the nodes, in both directions.
func (c *Inside) Isolate(names ...string) error {
	return c.cut(func(all []raft.ServerAddress) []faults.Link { return faults.Isolate(all, addresses(names)...) },
		names, "%s isolated from all other nodes", subjectVerb(names))
}

// Partition cuts the links between groups of nodes. The nodes in no group form one more group.
// Links that are already cut stay cut.
func (c *Inside) Partition(groups ...[]string) error {
	var sides [][]raft.ServerAddress
	var words []string
	for _, g := range groups {
		sides = append(sides, addresses(g))
		words = append(words, strings.Join(g, " "))
	}
	if len(groups) == 1 {
		words = append(words, "the others")
	}
	return c.cut(func(all []raft.ServerAddress) []faults.Link { return faults.Split(all, sides...) },
		slices.Concat(groups...), "the network is partitioned: %s", strings.Join(words, " | "))
}

// Bridge splits the network into two halves that share only the node (Jepsen's bridge).
func (c *Inside) Bridge(name string) error {
	return c.cut(func(all []raft.ServerAddress) []faults.Link { return faults.Bridge(all, raft.ServerAddress(name)) },
		[]string{name}, "%s bridges two halves of the network", name)
}

// Ring cuts links until every node sees a majority and no two nodes see the same one (Jepsen's
// majorities ring).
func (c *Inside) Ring() error {
	return c.cut(faults.MajoritiesRing, nil, "every node sees a majority, no two the same one")
}

// cut cuts the links that shape returns for all nodes, and emits a description of the cut. It
// returns an error if one of names is not a node.
func (c *Inside) cut(shape func([]raft.ServerAddress) []faults.Link, names []string, format string, args ...any) error {
	for _, name := range names {
		if _, err := c.node(name); err != nil {
			return err
		}
	}
	if err := c.refuse(faults.Cut{}); err != nil {
		return err
	}
	links := shape(addresses(c.Names()))
	c.network.Cut(links)
	for _, link := range links {
		c.emitLink(string(link.From), string(link.To))
	}
	c.emitShape(format, args...)
	return nil
}

// SetDisk sets the fault of a node's disk. nil makes the disk healthy.
func (c *Inside) SetDisk(name string, fault faults.DiskFault) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	n.currentDisk().SetFault(fault)
	if r := n.remote.Load(); r != nil {
		if err := r.setDisk(fault); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	text := ""
	if fault != nil {
		text = fault.String()
	}
	c.emit(trace.Event{Kind: trace.KindDiskFault, Node: name, Text: text})
	return nil
}

// HealEverything clears all faults of all links, disks, clocks and state machines.
func (c *Inside) HealEverything() error {
	c.healAll()
	for _, n := range c.allNodes() {
		if n.currentDisk().Fault() != nil {
			if err := c.SetDisk(n.name, nil); err != nil {
				return err
			}
		}
		n.mu.Lock()
		off, slow := n.clockFactor != 1, n.applyDelay != 0
		n.mu.Unlock()
		if slow {
			if err := c.SetApply(n.name, 0); err != nil {
				return err
			}
		}
		if off {
			if err := c.SetClock(n.name, 1); err != nil {
				return err
			}
		}
	}
	c.emitHealed("all network, disk, clock and state machine faults are cleared")
	return nil
}

// refuse returns why a fault is not possible on the network, nil if it is.
func (c *Inside) refuse(fault faults.LinkFault) error {
	if c.machines == nil {
		return nil
	}
	return c.machines.Refuse(fault)
}

// checkLink returns an error unless from and to are two different nodes.
func (c *Inside) checkLink(from, to string) error {
	for _, name := range []string{from, to} {
		if _, err := c.node(name); err != nil {
			return err
		}
	}
	if from == to {
		return fmt.Errorf("%s has no link to itself", from)
	}
	return nil
}

// emitLink emits the faults that a link has now.
func (c *Inside) emitLink(from, to string) {
	var words []string
	for _, f := range c.network.Faults(raft.ServerAddress(from), raft.ServerAddress(to)) {
		words = append(words, f.String())
	}
	c.emit(trace.Event{Kind: trace.KindLinkFault, Node: from, Peer: to, Faults: words})
}

// emitShape emits a description of network faults that were set.
func (c *Inside) emitShape(format string, args ...any) {
	c.emit(trace.Event{Kind: trace.KindShape, Text: fmt.Sprintf(format, args...)})
}

// emitHealed emits a description of faults that were cleared.
func (c *Inside) emitHealed(format string, args ...any) {
	c.emit(trace.Event{Kind: trace.KindHealed, Text: fmt.Sprintf(format, args...)})
}

func addresses(names []string) []raft.ServerAddress {
	all := make([]raft.ServerAddress, len(names))
	for i, name := range names {
		all[i] = raft.ServerAddress(name)
	}
	return all
}

// subjectVerb returns the subject and the verb of a sentence about the named nodes.
func subjectVerb(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "") + " is"
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are each"
}
