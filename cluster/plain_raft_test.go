package cluster

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"capsize/counter"
	"capsize/faults/wiretest"

	"github.com/hashicorp/raft"
)

// timePlainRaft is the baseline for a cluster. It runs n nodes of raft with raft's own
// stores and transport in a bare synctest bubble, under rate operations a second, for
// benchRound of virtual time, and returns the real time taken.
func timePlainRaft(tb testing.TB, n, rate int) time.Duration {
	tb.Helper()
	start := time.Now() // real time
	synctest.Test(new(testing.T), func(*testing.T) {
		end := time.Now().Add(benchRound) // virtual time
		nodes, closeTransports := openPlainRaft(tb, n)
		for leaderOf(nodes) == nil {
			time.Sleep(10 * time.Millisecond)
		}
		stop := make(chan struct{})
		if rate > 0 {
			plainLoad(nodes, rate, stop)
		}
		time.Sleep(time.Until(end) - 100*time.Millisecond)
		close(stop)
		time.Sleep(time.Until(end)) // lets the last operations finish
		for _, r := range nodes {
			if err := r.Shutdown().Error(); err != nil {
				tb.Error(err)
			}
		}
		closeTransports()
		time.Sleep(time.Second) // lets their goroutines end
	})
	return time.Since(start)
}

// openPlainRaft starts n nodes of raft with raft's in-memory stores, connected by raft's own
// NetworkTransport, the only one with both production paths. Its connections are in
// memory, with the cluster's latency.
func openPlainRaft(tb testing.TB, n int) (nodes []*raft.Raft, closeAll func()) {
	tb.Helper()
	var first raft.Configuration
	for i := range n {
		name := fmt.Sprintf("n%d", i+1)
		first.Servers = append(first.Servers, raft.Server{ID: raft.ServerID(name), Address: raft.ServerAddress(name)})
	}
	settings := DefaultSettings()
	wire := wiretest.New(settings.Latency)
	var transports []*raft.NetworkTransport
	for _, server := range first.Servers {
		transport := wire.Transport(server.Address, settings.RPCTimeout)
		transports = append(transports, transport)
		conf := raft.DefaultConfig()
		conf.LocalID, conf.LogOutput, conf.NoLegacyTelemetry = server.ID, io.Discard, true
		store := raft.NewInmemStore()
		snapshots := raft.NewInmemSnapshotStore()
		if err := raft.BootstrapCluster(conf, store, store, snapshots, transport, first); err != nil {
			tb.Fatal(err)
		}
		r, err := raft.NewRaft(conf, counter.New(), store, store, snapshots, transport)
		if err != nil {
			tb.Fatal(err)
		}
		nodes = append(nodes, r)
	}
	return nodes, func() {
		for _, t := range transports {
			_ = t.Close()
		}
	}
}

// plainLoad puts the benchmark load on plain raft. A read confirms the leader with
// VerifyLeader.
func plainLoad(nodes []*raft.Raft, rate int, stop chan struct{}) {
	var seqs [benchClients]uint64
	benchLoad(rate, stop, func(client int, read bool) {
		leader := leaderOf(nodes)
		if leader == nil {
			return
		}
		if read {
			_ = leader.VerifyLeader().Error()
			return
		}
		seqs[client]++
		command := counter.Command{
			Op: counter.OpAdd, Client: fmt.Sprintf("c%d", client+1), Seq: seqs[client], Session: true, Delta: 1,
		}
		data, err := command.Encode()
		if err != nil {
			panic(err)
		}
		_ = leader.Apply(data, time.Second).Error()
	})
}

// leaderOf returns the node that leads, nil without a leader.
func leaderOf(nodes []*raft.Raft) *raft.Raft {
	if i := slices.IndexFunc(nodes, func(r *raft.Raft) bool { return r.State() == raft.Leader }); i >= 0 {
		return nodes[i]
	}
	return nil
}
