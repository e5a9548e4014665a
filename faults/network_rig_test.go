package faults_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"capsize/faults"
)

// netRig is a network whose nodes answer every request at once. It records what the tap
// receives.
type netRig struct {
	*faults.Network
	t         *testing.T // the bubble's
	pipelines bool       // each append goes over a pipeline of its own
	nodes     map[raft.ServerAddress]*netNode

	mu       sync.Mutex
	reported []faults.Packet
}

// netNode answers requests until it is halted, and records them.
type netNode struct {
	*faults.Transport
	stop chan struct{}

	mu   sync.Mutex
	seen []raft.RPC
}

// netPath is the ways that messages take: heartbeats through the main loop or past it,
// appends as single RPCs or over pipelines.
type netPath struct{ queued, pipelined bool }

var netPaths = []netPath{{true, false}, {true, true}, {false, false}, {false, true}}

func (p netPath) String() string {
	return fmt.Sprintf("queued=%t,pipelined=%t", p.queued, p.pipelined)
}

// onPath returns cfg with a path.
func onPath(cfg faults.NetworkConfig, path netPath) faults.NetworkConfig {
	cfg.QueueHeartbeats, cfg.MaxRPCsInFlight = path.queued, 1
	if path.pipelined {
		cfg.MaxRPCsInFlight = raft.DefaultMaxRPCsInFlight
	}
	return cfg
}

// inNetBubbles runs f as inNetBubble does, on each of the netPaths.
func inNetBubbles(t *testing.T, cfg faults.NetworkConfig, f func(rig *netRig)) {
	t.Helper()
	for _, path := range netPaths {
		t.Run(path.String(), func(t *testing.T) {
			t.Helper()
			inNetBubble(t, onPath(cfg, path), f)
		})
	}
}

// inNetBubble runs f on a rig in virtual time. When f returns, it closes the network, and
// synctest fails the test if a goroutine is left.
func inNetBubble(t *testing.T, cfg faults.NetworkConfig, f func(rig *netRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		rig := &netRig{t: t, pipelines: cfg.MaxRPCsInFlight > 1, nodes: make(map[raft.ServerAddress]*netNode)}
		cfg.Tap = rig.record
		rig.Network = faults.NewNetwork(cfg)
		for _, addr := range netAddrs(3) {
			rig.start(addr)
		}
		defer func() {
			rig.Close()
			for _, n := range rig.nodes {
				n.halt()
			}
		}()
		f(rig)
	})
}

func netAddrs(n int) []raft.ServerAddress {
	addrs := make([]raft.ServerAddress, n)
	for i := range addrs {
		addrs[i] = raft.ServerAddress(fmt.Sprintf("n%d", i+1))
	}
	return addrs
}

func (r *netRig) record(p faults.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reported = append(r.reported, p)
}

// start starts a node at the address and replaces the one there.
func (r *netRig) start(addr raft.ServerAddress) {
	if old := r.nodes[addr]; old != nil {
		old.halt()
	}
	n := &netNode{Transport: r.Transport(addr), stop: make(chan struct{})}
	n.SetHeartbeatHandler(n.answer)
	r.nodes[addr] = n
	go n.serve()
}

// mute stops the node from answering; its endpoint stays open.
func (n *netNode) mute() *netNode {
	n.halt()
	synctest.Wait()
	return n
}

func (n *netNode) halt() {
	select {
	case <-n.stop:
	default:
		close(n.stop)
	}
}

func (n *netNode) serve() {
	for {
		select {
		case <-n.stop:
			return
		case rpc := <-n.Consumer():
			n.answer(rpc)
		}
	}
}

// answer answers a request, unless the node is halted.
func (n *netNode) answer(rpc raft.RPC) {
	select {
	case <-n.stop:
		return
	default:
	}
	n.mu.Lock()
	n.seen = append(n.seen, rpc)
	n.mu.Unlock()
	rpc.Respond(netAnswer(rpc.Command))
}

func netAnswer(command any) (any, error) {
	switch c := command.(type) {
	case *raft.AppendEntriesRequest:
		return &raft.AppendEntriesResponse{Term: c.Term, LastLog: c.PrevLogEntry, Success: true}, nil
	case *raft.RequestVoteRequest:
		return &raft.RequestVoteResponse{Term: c.Term, Granted: true}, nil
	case *raft.RequestPreVoteRequest:
		return &raft.RequestPreVoteResponse{Term: c.Term, Granted: true}, nil
	case *raft.InstallSnapshotRequest:
		return &raft.InstallSnapshotResponse{Term: c.Term, Success: true}, nil
	case *raft.TimeoutNowRequest:
		return &raft.TimeoutNowResponse{}, nil
	default:
		return nil, fmt.Errorf("unexpected command %T", command)
	}
}

// requests returns the indexes of the appends that the node has served, in order. See
// netRig.append.
func (n *netNode) requests() []uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	var indexes []uint64
	for _, rpc := range n.seen {
		if c, ok := rpc.Command.(*raft.AppendEntriesRequest); ok {
			indexes = append(indexes, c.PrevLogEntry)
		}
	}
	return indexes
}

// append makes an AppendEntries RPC that its index identifies.
func (r *netRig) append(from, to raft.ServerAddress, index uint64) error {
	var resp raft.AppendEntriesResponse
	err := r.appendRequest(from, to, &raft.AppendEntriesRequest{Term: 1, PrevLogEntry: index}, &resp)
	if err == nil && resp.LastLog != index {
		return fmt.Errorf("request %d got the reply to %d", index, resp.LastLog)
	}
	return err
}

// appendRequest sends a request as a single RPC, or over a pipeline of its own.
func (r *netRig) appendRequest(from, to raft.ServerAddress, request *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if !r.pipelines {
		return r.nodes[from].AppendEntries("", to, request, resp)
	}
	p, err := r.nodes[from].AppendEntriesPipeline("", to)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	future, err := p.AppendEntries(request, resp)
	if err != nil {
		return err
	}
	return future.Error()
}

func (r *netRig) heartbeat(from, to raft.ServerAddress) error {
	return r.nodes[from].AppendEntries("", to, &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{Addr: []byte(from)}, Term: 1}, new(raft.AppendEntriesResponse))
}

// appendAsync starts appends with the given indexes one after another, each in its own
// goroutine. Their errors will arrive on the channels it returns.
func (r *netRig) appendAsync(from, to raft.ServerAddress, indexes ...uint64) []<-chan error {
	var results []<-chan error
	for _, i := range indexes {
		result := make(chan error, 1)
		go func() { result <- r.append(from, to, i) }()
		synctest.Wait()
		results = append(results, result)
	}
	return results
}

// packets returns the matching packets that the tap has received so far.
func (r *netRig) packets(matches func(faults.Packet) bool) []faults.Packet {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.reported), func(p faults.Packet) bool { return !matches(p) })
}

// netIDs returns the IDs of one link's packets with the given status, in the order
// reported.
func netIDs(reported []faults.Packet, at faults.Link, status faults.PacketStatus) []uint64 {
	var ids []uint64
	for _, p := range reported {
		if p.From == at.From && p.To == at.To && p.Status == status {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func netAll(faults.Packet) bool { return true }

func netElapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// netMustAppend makes an append from n1 to n2 that must succeed.
func netMustAppend(rig *netRig, index uint64) {
	rig.t.Helper()
	if err := rig.append("n1", "n2", index); err != nil {
		rig.t.Fatal(err)
	}
}
