package tcp_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"go.uber.org/goleak"
)

const (
	token = "secret"
	// hung is how long a test waits for what must come. It is only reached if it never comes.
	hung = 30 * time.Second
	// patient is the RPC timeout of nodes in tests that must not run into it.
	patient = 2 * hung
)

// rig is a proxy between nodes that answer every request. It records what the tap receives.
type rig struct {
	*tcp.Proxy
	t     testing.TB
	nodes map[raft.ServerAddress]*node

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	reported []report
}

// report is what the tap got.
type report struct {
	faults.Packet
	mark uint64
}

// node is a NetworkTransport over a StreamLayer. It answers requests unless it is halted.
type node struct {
	*raft.NetworkTransport
	rig      *rig
	name     raft.ServerAddress
	listener net.Listener
	answer   func(raft.RPC)
	stop     chan struct{}
	served   sync.WaitGroup

	mu       sync.Mutex
	accepted []net.Conn // raft leaves them open
	events   uint64     // what Mark returns
	heard    []any      // marks of other nodes and requests, in the order in which they came
}

// seen is a mark that a node has seen.
type seen struct {
	peer string
	mark uint64
}

// newRig starts a proxy without nodes, and closes it at the end of the test.
func newRig(tb testing.TB, cfg tcp.ProxyConfig) *rig {
	tb.Helper()
	tb.Cleanup(func() { goleak.VerifyNone(tb) }) // after all else
	r := &rig{t: tb, nodes: map[raft.ServerAddress]*node{}, changed: make(chan struct{})}
	cfg.Listener, cfg.Token = listen(tb), token
	cfg.Reach, cfg.Tap = r.reach, r.tap
	r.Proxy = tcp.NewProxy(cfg)
	tb.Cleanup(r.Close)
	return r
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

func (r *rig) reach(to raft.ServerAddress) (net.Conn, error) {
	r.mu.Lock()
	n := r.nodes[to]
	r.mu.Unlock()
	if n == nil {
		return nil, net.ErrClosed
	}
	return net.Dial("tcp", n.listener.Addr().String())
}

// tap answers with the mark as the sender's, plus tapped.
func (r *rig) tap(p faults.Packet, mark uint64) uint64 {
	r.change(func() { r.reported = append(r.reported, report{p, mark}) })
	return mark + tapped
}

const tapped = 1000

// change makes a change, and wakes who waits for one.
func (r *rig) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// waitFor waits until something is true, which may look at what the tap has got and at nodes.
func (r *rig) waitFor(what string, isTrue func() bool) {
	r.t.Helper()
	limit := time.After(hung)
	for {
		r.mu.Lock()
		ok, changed := isTrue(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, p := range r.reported {
				r.t.Logf("%+v", p)
			}
			r.t.Fatalf("hung: %s", what)
		}
	}
}

// waitReports waits until the tap has got so many packets of a status, and returns them.
func (r *rig) waitReports(status faults.PacketStatus, count int) (found []faults.Packet) {
	r.t.Helper()
	r.waitFor(status.String(), func() bool {
		found = r.withStatus(status)
		return len(found) >= count
	})
	return found
}

// withStatus returns what the tap has got of a status. The caller holds the mutex.
func (r *rig) withStatus(status faults.PacketStatus) (found []faults.Packet) {
	for _, p := range r.reported {
		if p.Status == status {
			found = append(found, p.Packet)
		}
	}
	return found
}

// reports returns what the tap has got so far.
func (r *rig) reports() []report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reported)
}

// start starts a node that answers yes to everything.
func (r *rig) start(name raft.ServerAddress, timeout time.Duration) *node {
	r.t.Helper()
	n := newNode(r.t, name, timeout, func(raft.ServerAddress) string { return r.Addr().String() })
	n.rig = r
	r.change(func() { r.nodes[name] = n })
	n.serve()
	return n
}

// newNode returns a node that dials what where says.
func newNode(tb testing.TB, name raft.ServerAddress, timeout time.Duration, where func(raft.ServerAddress) string) *node {
	tb.Helper()
	n := &node{name: name, listener: listen(tb), answer: yes, stop: make(chan struct{})}
	n.NetworkTransport = raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: &accepting{node: n, StreamLayer: tcp.NewStreamLayer(tcp.StreamConfig{
			Name: string(name), Address: name, Listener: n.listener, Token: token, Mark: n.mark, Seen: n.see,
			Dial: func(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
				return net.DialTimeout("tcp", where(to), timeout)
			},
		})},
		MaxPool: 3, MaxRPCsInFlight: 8, Timeout: timeout, Logger: quiet(),
	})
	tb.Cleanup(n.kill)
	return n
}

func quiet() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
}

// accepting remembers the connections that raft accepts, so that the node can die as its process.
type accepting struct {
	*tcp.StreamLayer
	node *node
}

func (a *accepting) Accept() (net.Conn, error) {
	c, err := a.StreamLayer.Accept()
	if err == nil {
		a.node.mu.Lock()
		a.node.accepted = append(a.node.accepted, c)
		a.node.mu.Unlock()
	}
	return c, err
}

// mark counts one more event.
func (n *node) mark() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events++
	return n.events
}

func (n *node) see(peer string, mark uint64) { n.hear(seen{peer, mark}) }

func (n *node) hear(what any) {
	n.mu.Lock()
	n.heard = append(n.heard, what)
	n.mu.Unlock()
	if n.rig != nil {
		n.rig.change(func() {})
	}
}

// requests returns the requests that the node has got.
func (n *node) requests() (all []raft.RPC) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.heard {
		if rpc, ok := h.(raft.RPC); ok {
			all = append(all, rpc)
		}
	}
	return all
}

// serve answers requests until the node is killed.
func (n *node) serve() {
	n.SetHeartbeatHandler(func(rpc raft.RPC) { n.take(rpc) })
	n.served.Go(func() {
		for {
			select {
			case rpc := <-n.Consumer():
				n.take(rpc)
			case <-n.stop:
				return
			}
		}
	})
}

func (n *node) take(rpc raft.RPC) {
	n.hear(rpc)
	n.answer(rpc)
}

// kill ends the node as SIGKILL ends its process.
func (n *node) kill() {
	select {
	case <-n.stop:
		return
	default:
	}
	if n.rig != nil {
		n.rig.change(func() {
			if n.rig.nodes[n.name] == n {
				delete(n.rig.nodes, n.name)
			}
		})
	}
	close(n.stop)
	_ = n.Close()
	n.CloseStreams()
	n.mu.Lock()
	for _, c := range n.accepted {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.served.Wait()
}

// yes answers a request with success.
func yes(rpc raft.RPC) {
	switch c := rpc.Command.(type) {
	case *raft.AppendEntriesRequest:
		rpc.Respond(&raft.AppendEntriesResponse{Term: c.Term, LastLog: c.PrevLogEntry + uint64(len(c.Entries)), Success: true}, nil)
	case *raft.RequestVoteRequest:
		rpc.Respond(&raft.RequestVoteResponse{Term: c.Term, Granted: true}, nil)
	case *raft.RequestPreVoteRequest:
		rpc.Respond(&raft.RequestPreVoteResponse{Term: c.Term, Granted: true}, nil)
	case *raft.InstallSnapshotRequest:
		n, err := io.Copy(io.Discard, rpc.Reader)
		rpc.Respond(&raft.InstallSnapshotResponse{Term: c.Term, Success: n == c.Size}, err)
	case *raft.TimeoutNowRequest:
		rpc.Respond(&raft.TimeoutNowResponse{}, nil)
	}
}

func header(n *node) raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.name), Addr: []byte(n.name)}
}

func heartbeat(n *node) *raft.AppendEntriesRequest {
	return &raft.AppendEntriesRequest{RPCHeader: header(n), Term: 7}
}

func appendOf(n *node, index uint64, data ...[]byte) *raft.AppendEntriesRequest {
	a := &raft.AppendEntriesRequest{RPCHeader: header(n), Term: 7, PrevLogEntry: index - 1, PrevLogTerm: 6, LeaderCommitIndex: index - 1}
	for i, d := range data {
		a.Entries = append(a.Entries, &raft.Log{Index: index + uint64(i), Term: 7, Data: d, AppendedAt: time.Unix(1, 0)})
	}
	return a
}

// vote asks for a vote, on a connection that is in the pool or new.
func (n *node) vote(to raft.ServerAddress) error {
	var resp raft.RequestVoteResponse
	return n.RequestVote(raft.ServerID(to), to, &raft.RequestVoteRequest{RPCHeader: header(n), Term: 8, LastLogIndex: 3, LastLogTerm: 2, LeadershipTransfer: true}, &resp)
}

// later runs something in the background, and returns its result.
func later(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// get waits for a result.
func get(tb testing.TB, result <-chan error) error {
	tb.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(hung):
		tb.Fatal("hung: no result")
		return nil
	}
}
