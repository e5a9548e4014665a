package faults_test

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"capsize/faults"
)

// Three nodes run plain hashicorp/raft. When a partition isolates their leader, the others
// elect a new one.
func Example() {
	addrs := []raft.ServerAddress{"n1", "n2", "n3"}
	network := faults.NewNetwork(faults.NetworkConfig{Seed: 1, RPCTimeout: 200 * time.Millisecond})
	defer network.Close()

	var members raft.Configuration
	for _, addr := range addrs {
		members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(addr), Address: addr})
	}
	elections := make(chan raft.Observation, 16)
	nodes := map[*raft.Raft]raft.ServerAddress{}
	for _, addr := range addrs {
		cfg := raft.DefaultConfig()
		cfg.LocalID = raft.ServerID(addr)
		cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: io.Discard})
		cfg.HeartbeatTimeout, cfg.ElectionTimeout, cfg.LeaderLeaseTimeout = 200*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
		store, snapshots, transport := raft.NewInmemStore(), raft.NewInmemSnapshotStore(), network.Transport(addr)
		if err := raft.BootstrapCluster(cfg, store, store, snapshots, transport, members); err != nil {
			panic(err)
		}
		node, err := raft.NewRaft(cfg, &raft.MockFSM{}, store, store, snapshots, transport)
		if err != nil {
			panic(err)
		}
		defer func() { _ = node.Shutdown().Error() }()
		nodes[node] = addr
		node.RegisterObserver(raft.NewObserver(elections, false, func(o *raft.Observation) bool { return o.Data == raft.Leader }))
	}

	first := (<-elections).Raft
	network.Cut(faults.Isolate(addrs, nodes[first]))
	second := (<-elections).Raft
	for second == first { // it may have lost leadership and won it back before the cut
		second = (<-elections).Raft
	}
	fmt.Println("new leader elected:", second != first)
	fmt.Println("old leader commits:", first.Apply([]byte("lost"), time.Second).Error() == nil)
	fmt.Println("new leader commits:", second.Apply([]byte("kept"), time.Second).Error() == nil)
	network.HealAll()
	fmt.Println("faults left:", len(network.Faults(nodes[first], nodes[second])))
	// Output:
	// new leader elected: true
	// old leader commits: false
	// new leader commits: true
	// faults left: 0
}
