package faults_test

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"capsize/faults"
)

// BenchmarkReplication compares a Network without faults to raft's own in-memory
// transport, both with a pipeline and without: time per committed entry, under the real
// clock, with in-memory stores.
func BenchmarkReplication(b *testing.B) {
	for _, way := range []struct {
		name        string
		maxInFlight int
	}{{"rpc", 1}, {"pipeline", 0}} {
		for _, nodes := range []int{3, 5} {
			for _, clients := range []int{1, 256} {
				name := fmt.Sprintf("%s/nodes=%d/clients=%d", way.name, nodes, clients)
				b.Run("inmem/"+name, func(b *testing.B) {
					benchmarkReplication(b, inmemTransports(netAddrs(nodes), way.maxInFlight != 1), clients)
				})
				b.Run("network/"+name, func(b *testing.B) {
					benchmarkReplication(b, netTransports(netAddrs(nodes), way.maxInFlight), clients)
				})
			}
		}
	}
}

func netTransports(addrs []raft.ServerAddress, maxInFlight int) []raft.Transport {
	n := faults.NewNetwork(faults.NetworkConfig{MaxRPCsInFlight: maxInFlight})
	var transports []raft.Transport
	for _, addr := range addrs {
		transports = append(transports, n.Transport(addr))
	}
	return transports
}

// unpipelined is raft's InmemTransport without pipelining.
type unpipelined struct{ *raft.InmemTransport }

func (unpipelined) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func inmemTransports(addrs []raft.ServerAddress, pipelined bool) []raft.Transport {
	var transports []raft.Transport
	var peers []*raft.InmemTransport
	for _, addr := range addrs {
		_, t := raft.NewInmemTransportWithTimeout(addr, time.Second)
		for _, peer := range peers {
			t.Connect(peer.LocalAddr(), peer)
			peer.Connect(addr, t)
		}
		peers = append(peers, t)
		if pipelined {
			transports = append(transports, t)
		} else {
			transports = append(transports, unpipelined{t})
		}
	}
	return transports
}

// startNetRafts starts a cluster with in-memory stores and raft's default timeouts, and
// stops it when the test ends. The channel reports elections.
func startNetRafts(tb testing.TB, transports []raft.Transport) (nodes []*raft.Raft, elections <-chan raft.Observation) {
	tb.Helper()
	return startNetRaftsOver(tb, transports, func(s *raft.InmemStore) raft.LogStore { return s })
}

// startNetRaftsOver is startNetRafts with other log stores.
func startNetRaftsOver(tb testing.TB, transports []raft.Transport, logs func(*raft.InmemStore) raft.LogStore,
) (nodes []*raft.Raft, elections <-chan raft.Observation) {
	tb.Helper()
	var members raft.Configuration
	for _, t := range transports {
		members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(t.LocalAddr()), Address: t.LocalAddr()})
	}
	observed := make(chan raft.Observation, 256)
	for _, t := range transports {
		cfg := raft.DefaultConfig()
		cfg.LocalID = raft.ServerID(t.LocalAddr())
		cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
		cfg.ShutdownOnRemove = false
		store, snapshots := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
		if err := raft.BootstrapCluster(cfg, store, store, snapshots, t, members); err != nil {
			tb.Fatal(err)
		}
		r, err := raft.NewRaft(cfg, &netFSM{}, logs(store), store, snapshots, t)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = r.Shutdown().Error() })
		r.RegisterObserver(raft.NewObserver(observed, false, func(o *raft.Observation) bool { return o.Data == raft.Leader }))
		nodes = append(nodes, r)
	}
	return nodes, observed
}

// netFSM only counts the entries it applies, so a long benchmark does not use more memory.
type netFSM struct{ applied atomic.Uint64 }

func (f *netFSM) Apply(*raft.Log) any                 { return f.applied.Add(1) }
func (f *netFSM) Snapshot() (raft.FSMSnapshot, error) { return f, nil }
func (f *netFSM) Persist(s raft.SnapshotSink) error   { return s.Close() }
func (f *netFSM) Restore(r io.ReadCloser) error       { return r.Close() }
func (f *netFSM) Release()                            {}

func benchmarkReplication(b *testing.B, transports []raft.Transport, clients int) {
	b.Helper()
	_, elections := startNetRafts(b, transports)
	leader := (<-elections).Raft
	if err := leader.Barrier(10 * time.Second).Error(); err != nil {
		b.Fatal(err)
	}
	command := []byte("increment")
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := leader.Apply(command, 0).Error(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}
