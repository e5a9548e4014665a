package machines

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"

	"capsize/cluster"
	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// loopback is where everything listens that is only for this host.
const loopback = "127.0.0.1:0"

// Children runs each node as a child process of this program, which is the same program: see
// [IsChild].
type Children struct {
	program program
	token   string // of this run; only its children know it
	proxy   *tcp.Proxy

	mu      sync.Mutex
	running map[raft.ServerAddress]*child // by node, the latest
}

var _ cluster.Machines = (*Children)(nil)

// NewChildren returns the children of this program, none of which runs yet. The error says why the
// program cannot be started again.
func NewChildren() (*Children, error) {
	program, err := thisProgram()
	if err != nil {
		return nil, fmt.Errorf("cannot start this program again: %w", err)
	}
	return &Children{program: program, token: rand.Text(), running: map[raft.ServerAddress]*child{}}, nil
}

// Names returns nothing: no child runs before it is started.
func (c *Children) Names() []string { return nil }

// Own is true: they are children of this program.
func (c *Children) Own() bool { return true }

// Refuse returns why a fault is not possible between processes.
func (c *Children) Refuse(f faults.LinkFault) error { return tcp.Possible(f) }

// Connect starts the proxy between the children.
func (c *Children) Connect(s trace.Settings, tap func(p faults.Packet, mark uint64) uint64) (cluster.Network, error) {
	listener, err := net.Listen("tcp", loopback)
	if err != nil {
		return nil, fmt.Errorf("proxy between the nodes: %w", err)
	}
	c.proxy = tcp.NewProxy(tcp.ProxyConfig{
		Listener: listener, Token: c.token, Seed: s.Seed, Latency: s.Latency, Jitter: s.Jitter, Reach: c.reach, Tap: tap,
	})
	return c.proxy, nil
}

// reach connects to a node's own address.
func (c *Children) reach(to raft.ServerAddress) (net.Conn, error) {
	c.mu.Lock()
	child := c.running[to]
	c.mu.Unlock()
	if child == nil {
		return nil, errors.New("it has not started")
	}
	return net.DialTimeout("tcp", child.hello.Address, dialTimeout)
}

// Start starts the process of a node.
func (c *Children) Start(boot control.Boot) (cluster.Machine, error) {
	boot.Proxy, boot.Token = c.proxy.Addr().String(), c.token
	child, err := startChild(c.program.path(), &boot)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[raft.ServerAddress(boot.Name)] = child
	return child, nil
}

// Close does nothing: the cluster has ended the children and the network.
func (c *Children) Close() error { return nil }
