package cluster

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/raft"
)

// NodesMax is the largest number of nodes in a cluster.
const NodesMax = 99

// NameRule describes the names that [IsName] accepts.
const NameRule = "1 to 32 letters, digits, dots, underscores or hyphens"

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// IsName reports whether text has the form of a name, see [NameRule]. A node must not have one of
// the [ReservedNames] either.
func IsName(text string) bool { return nameForm.MatchString(text) }

// reservedNames have a meaning of their own wherever a command names a node.
var reservedNames = []string{
	"all", "up", "down", RouteLeader, "followers", RouteRandom, "minority", "majority", "others",
	RouteRoundRobin, "none", "nonvoter",
}

// ReservedNames returns the words that no node may have as its name, because they select nodes in
// commands, are routes of clients, or are options.
func ReservedNames() []string { return slices.Clone(reservedNames) }

// newNode adds a node to the cluster, without a process. It returns an error if the name is
// invalid or taken, or the cluster is full.
func (c *Inside) newNode(name string) (*node, error) {
	n := &node{c: c, name: name, address: raft.ServerAddress(name), lifecycle: make(chan struct{}, 1), clockFactor: 1}
	if c.dir != nil {
		n.storage = c.dir.storage(name)
	} else {
		n.storage = newMemoryStorage()
	}
	n.newDisk()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !IsName(name):
		return nil, fmt.Errorf("%q is not a valid node name: use %s", name, NameRule)
	case slices.Contains(reservedNames, name):
		return nil, fmt.Errorf("%q is not a valid node name: it is a reserved word", name)
	case slices.ContainsFunc(c.allNodes(), func(m *node) bool { return m.name == name }):
		return nil, fmt.Errorf("node %s already exists", name)
	case len(c.allNodes()) >= NodesMax:
		return nil, fmt.Errorf("there are %d nodes already, the maximum", NodesMax)
	}
	nodes := append(slices.Clone(c.allNodes()), n)
	c.nodes.Store(&nodes)
	return n, nil
}

// forget removes a node whose process has ended from the cluster.
func (c *Inside) forget(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := slices.DeleteFunc(slices.Clone(c.allNodes()), func(m *node) bool { return m == n })
	c.nodes.Store(&nodes)
}

// allNodes returns the nodes of the cluster, oldest first. The caller must not change the
// slice.
func (c *Inside) allNodes() []*node { return *c.nodes.Load() }

// node returns the node with the given name, or an error that lists the nodes.
func (c *Inside) node(name string) (*node, error) {
	if n := c.find(name); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("no node %q: the nodes are %s", name, strings.Join(c.Names(), ", "))
}

// find returns the node with the given name, or nil.
func (c *Inside) find(name string) *node {
	for _, n := range c.allNodes() {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Names returns the names of the nodes, oldest first.
func (c *Inside) Names() []string {
	var names []string
	for _, n := range c.allNodes() {
		names = append(names, n.name)
	}
	return names
}
