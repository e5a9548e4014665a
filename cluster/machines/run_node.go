package machines

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// NodeConfig describes a node that runs by itself.
type NodeConfig struct {
	Name     string
	Dir      string // of its files
	Listen   string // where other nodes reach it
	Control  string // where capsize attach reaches it
	Peers    []Peer // all nodes of a new cluster, this one too
	Proxy    string // where the proxy of capsize attach listens, "" to reach the others directly
	TLS      TLSFiles
	Settings trace.Settings
}

// Peer is a node and its address.
type Peer struct{ Name, Address string }

// ParsePeers parses NAME=HOST:PORT,… .
func ParsePeers(text string) (peers []Peer, err error) {
	for one := range strings.SplitSeq(text, ",") {
		name, address, ok := strings.Cut(strings.TrimSpace(one), "=")
		if _, _, bad := net.SplitHostPort(address); !ok || bad != nil {
			return nil, fmt.Errorf("--peers %q: write NAME=HOST:PORT, separated by commas", one)
		}
		if !cluster.IsName(name) || slices.Contains(cluster.ReservedNames(), name) {
			return nil, fmt.Errorf("--peers %q: %q is not a valid node name: use %s, and no reserved word", one, name, cluster.NameRule)
		}
		if slices.ContainsFunc(peers, func(p Peer) bool { return p.Name == name }) {
			return nil, fmt.Errorf("--peers: %s is there twice", name)
		}
		peers = append(peers, Peer{name, address})
	}
	return peers, nil
}

// RunNode runs a node until ctx ends, or the node's disk fails, which is the error. It tells ready
// once it is reachable. Whoever connects to its control port drives it.
func RunNode(ctx context.Context, cfg NodeConfig, ready func(listen, control net.Addr)) error {
	conf, err := cfg.TLS.load()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(cfg.Peers, func(p Peer) bool { return p.Name == cfg.Name }) {
		return fmt.Errorf("%s is not in --peers: name all nodes, this one too", cfg.Name)
	}
	nodes, err := listen("--listen", cfg.Listen, conf)
	if err != nil {
		return err
	}
	defer func() { _ = nodes.Close() }()
	drivers, err := listen("--control", cfg.Control, conf)
	if err != nil {
		return err
	}
	defer func() { _ = drivers.Close() }()
	agent, hello, err := startNode(cfg, nodes, conf)
	if err != nil {
		return err
	}
	if err = agent.AwaitBoot(); err == nil {
		go welcome(drivers, agent, hello)
		ready(nodes.Addr(), drivers.Addr())
		select {
		case <-ctx.Done():
		case <-agent.Done():
			err = agent.Err()
		}
	}
	closeWithin(agent, closeTimeout)
	return err
}

// startNode starts the agent of a node that runs by itself.
func startNode(cfg NodeConfig, nodes net.Listener, conf *tls.Config) (*cluster.Agent, control.Hello, error) {
	boot := control.Boot{
		Protocol: control.Protocol, Name: cfg.Name, Dir: filepath.Join(cfg.Dir, cfg.Name), Settings: cfg.Settings,
		Run:  uint64(time.Now().Unix()), // grows with each start
		Seed: cfg.Settings.Seed, Factor: 1,
	}
	addresses := map[raft.ServerAddress]string{}
	for _, p := range cfg.Peers {
		boot.First = append(boot.First, trace.Server{ID: p.Name, Voter: true})
		addresses[raft.ServerAddress(p.Name)] = p.Address
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, control.Hello{}, fmt.Errorf("--data: %w", err)
	}
	hello := control.Hello{
		Protocol: control.Protocol, Name: cfg.Name, Address: nodes.Addr().String(), Settings: cfg.Settings,
		Proxy: cfg.Proxy, Peers: map[string]string{},
	}
	for _, p := range cfg.Peers {
		hello.Peers[p.Name] = p.Address
	}
	agent, err := cluster.StartAgent(cluster.AgentConfig{
		Boot: boot,
		Stream: func(mark func() uint64, seen func(string, uint64)) (raft.StreamLayer, error) {
			return tcp.NewStreamLayer(tcp.StreamConfig{
				Name: cfg.Name, Address: raft.ServerAddress(cfg.Name), Listener: nodes,
				Dial: func(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
					address, ok := addresses[to]
					if cfg.Proxy != "" {
						address, ok = cfg.Proxy, true
					}
					if !ok {
						return nil, fmt.Errorf("no address for %s: name it in --peers", to)
					}
					return dial(address, conf, timeout)
				},
				Mark: mark, Seen: seen,
			}), nil
		},
	})
	return agent, hello, err
}

// welcome serves those who connect to a control port, until it is closed.
func welcome(drivers net.Listener, agent *cluster.Agent, hello control.Hello) {
	for {
		c, err := drivers.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // as out of files
			continue
		}
		go serveDriver(c, agent, hello)
	}
}

// serveDriver serves one driver until its connection ends.
func serveDriver(c net.Conn, agent *cluster.Agent, hello control.Hello) {
	bounded := boundedConn{c}
	driver := control.New(bounded, bounded, c)
	defer func() { _ = driver.Close() }()
	var first control.ToNode
	if driver.Receive(&first) != nil || first.Drive == nil {
		return
	}
	go keepSaying(driver, &control.FromNode{})
	_ = agent.Serve(driver, hello)
}

// boundedConn bounds writes, because a driver that does not read must not stop the node, and silence.
type boundedConn struct{ net.Conn }

// Read implements io.Reader.
func (b boundedConn) Read(p []byte) (int, error) {
	_ = b.SetReadDeadline(time.Now().Add(silenceMax))
	return b.Conn.Read(p)
}

// Write implements io.Writer.
func (b boundedConn) Write(p []byte) (int, error) {
	_ = b.SetWriteDeadline(time.Now().Add(dialTimeout))
	return b.Conn.Write(p)
}
