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

// netRig is a network whose nodes answer every request at once, and a record of what the tap was told.
type netRig struct {
	*faults.Network
	t     *testing.T // the bubble's
	nodes map[raft.ServerAddress]*netNode

	mu   sync.Mutex
	told []faults.Packet
}

// netNode answers requests until it is stopped, and remembers them.
type netNode struct {
	*faults.Transport
	stop chan struct{}

	mu   sync.Mutex
	seen []raft.RPC
}

// inNetBubble runs f on a rig in virtual time. When f returns the network is closed, and synctest fails the test if a
// goroutine is left.
func inNetBubble(t *testing.T, cfg faults.NetworkConfig, f func(rig *netRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		rig := &netRig{t: t, nodes: make(map[raft.ServerAddress]*netNode)}
		cfg.Tap = rig.note
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

func (r *netRig) note(p faults.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, p)
}

// start puts a node that answers at the address, in place of the one that was there.
func (r *netRig) start(addr raft.ServerAddress) {
	if old := r.nodes[addr]; old != nil {
		old.halt()
	}
	n := &netNode{Transport: r.Transport(addr), stop: make(chan struct{})}
	r.nodes[addr] = n
	go n.serve()
}

// mute takes the node's answers away; its endpoint stays.
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
			n.mu.Lock()
			n.seen = append(n.seen, rpc)
			n.mu.Unlock()
			rpc.Respond(netAnswer(rpc.Command))
		}
	}
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

// requests returns the indexes of the appends that the node has served, in order. See netRig.append.
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

// append makes an AppendEntries RPC that can be told by its index.
func (r *netRig) append(from, to raft.ServerAddress, index uint64) error {
	var resp raft.AppendEntriesResponse
	err := r.nodes[from].AppendEntries("", to, &raft.AppendEntriesRequest{Term: 1, PrevLogEntry: index}, &resp)
	if err == nil && resp.LastLog != index {
		return fmt.Errorf("answer to %d is for %d", index, resp.LastLog)
	}
	return err
}

func (r *netRig) heartbeat(from, to raft.ServerAddress) error {
	return r.nodes[from].AppendEntries("", to, &raft.AppendEntriesRequest{Term: 1}, new(raft.AppendEntriesResponse))
}

// appendAsync starts appends with the given indexes one after another, each in a goroutine of its own, and returns where
// their errors will appear.
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

// packets returns what the tap was told so far and fits.
func (r *netRig) packets(fits func(faults.Packet) bool) []faults.Packet {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.told), func(p faults.Packet) bool { return !fits(p) })
}

// netIDs returns the ids of the packets of one link with that fate, in the order in which the tap was told.
func netIDs(told []faults.Packet, at faults.Link, fate faults.PacketStatus) []uint64 {
	var ids []uint64
	for _, p := range told {
		if p.From == at.From && p.To == at.To && p.Status == fate {
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
