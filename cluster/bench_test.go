package cluster

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// benchRound is the virtual time that one round of a benchmark lets pass.
const benchRound = time.Minute

// timePlainRaft lets time pass for n nodes of raft over its own stores and transport
// in a bare bubble, under a load of rate operations a second, and returns the
// real time that took. It is what the cluster is measured against.
func timePlainRaft(tb testing.TB, n, rate int) time.Duration {
	tb.Helper()
	start := time.Now() // here time is real
	synctest.Test(new(testing.T), func(*testing.T) {
		end := time.Now().Add(benchRound) // here it is virtual
		nodes := openPlainRaft(tb, n)
		for leaderOf(nodes) == nil {
			time.Sleep(10 * time.Millisecond)
		}
		stop := make(chan struct{})
		if rate > 0 {
			plainLoad(nodes, rate, stop)
		}
		time.Sleep(time.Until(end) - 100*time.Millisecond)
		close(stop)
		time.Sleep(time.Until(end)) // the last operations
		for _, r := range nodes {
			if err := r.Shutdown().Error(); err != nil {
				tb.Error(err)
			}
		}
	})
	return time.Since(start)
}

func openPlainRaft(tb testing.TB, n int) (nodes []*raft.Raft) {
	tb.Helper()
	var first raft.Configuration
	var transports []*raft.InmemTransport
	for i := range n {
		address, transport := raft.NewInmemTransport(raft.ServerAddress(fmt.Sprintf("n%d", i+1)))
		transports = append(transports, transport)
		first.Servers = append(first.Servers, raft.Server{ID: raft.ServerID(address), Address: address})
	}
	for i, transport := range transports {
		for _, other := range transports {
			transport.Connect(other.LocalAddr(), other)
		}
		conf := raft.DefaultConfig()
		conf.LocalID, conf.LogOutput, conf.NoLegacyTelemetry = first.Servers[i].ID, io.Discard, true
		store := raft.NewInmemStore()
		snapshots := raft.NewInmemSnapshotStore()
		if err := raft.BootstrapCluster(conf, store, store, snapshots, transport, first); err != nil {
			tb.Fatal(err)
		}
		r, err := raft.NewRaft(conf, counter.New(), store, store, snapshots, farTransport{transport})
		if err != nil {
			tb.Fatal(err)
		}
		nodes = append(nodes, r)
	}
	return nodes
}

// farTransport is raft's own transport over links as long as the cluster's, and
// like them without pipelining.
type farTransport struct{ *raft.InmemTransport }

func (t farTransport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func (t farTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	time.Sleep(DefaultSettings().Latency)
	defer time.Sleep(DefaultSettings().Latency)
	return t.InmemTransport.AppendEntries(id, target, args, resp)
}

func (t farTransport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	time.Sleep(DefaultSettings().Latency)
	defer time.Sleep(DefaultSettings().Latency)
	return t.InmemTransport.RequestVote(id, target, args, resp)
}

// The load of the benchmarks, which is a soak's: so many clients, which take
// turns, with two reads among ten operations.
const benchClients = 3

// isBenchRead says whether the n-th operation is a read.
func isBenchRead(n int) bool { return n%5 == 4 }

// benchLoad has clients do rate operations a second. Each waits for its answer
// before it goes on.
func benchLoad(rate int, stop chan struct{}, do func(client int, read bool)) {
	every := benchClients * time.Second / time.Duration(rate)
	for k := range benchClients {
		go func() {
			due := time.Now().Add(every * time.Duration(k) / benchClients)
			for n := k; ; n += benchClients {
				if wait := time.Until(due); wait > 0 {
					select {
					case <-stop:
						return
					case <-time.After(wait):
					}
				}
				do(k, isBenchRead(n))
				due = due.Add(every)
			}
		}()
	}
}

// plainLoad is the load on plain raft: increments, and reads of what the leader
// has applied once it made sure that it leads.
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
		command := counter.Command{Op: counter.OpAdd, Client: fmt.Sprintf("c%d", client+1), Seq: seqs[client], Session: true, Delta: 1}
		data, err := command.Encode()
		if err != nil {
			panic(err)
		}
		_ = leader.Apply(data, time.Second).Error()
	})
}

// leaderOf returns the node that leads, nil if none does.
func leaderOf(nodes []*raft.Raft) *raft.Raft {
	if i := slices.IndexFunc(nodes, func(r *raft.Raft) bool { return r.State() == raft.Leader }); i >= 0 {
		return nodes[i]
	}
	return nil
}

// clusterLoad is the load on a cluster.
func clusterLoad(c *Inside, rate int) {
	benchLoad(rate, c.closing, func(_ int, read bool) {
		if read {
			c.Read(LevelLinearizable, RouteLeader)
		} else {
			c.Add(1, RouteLeader)
		}
	})
}

// openBench opens a cluster of n nodes with a leader, under a load of rate operations
// a second.
func openBench(b *testing.B, n, rate int, change ...func(*Config)) *Cluster {
	b.Helper()
	cfg := Config{Nodes: n, Settings: DefaultSettings()}
	cfg.Settings.Storage = Memory
	for _, f := range change {
		f(&cfg)
	}
	c, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	})
	if !c.AwaitLeader(time.Minute) {
		b.Fatal("no leader within a minute")
	}
	if rate > 0 {
		if err := c.Do("load", func(c *Inside) error { clusterLoad(c, rate); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// BenchmarkVirtualTime compares the full cluster, with faults, disks, events and
// state, with plain raft under the same load: how much virtual time passes in a
// second, and which part that is of what plain raft does (at least 0.75).
func BenchmarkVirtualTime(b *testing.B) {
	for _, n := range []int{5, 25, 99} {
		for _, rate := range []int{0, 10} {
			b.Run(fmt.Sprintf("%d nodes, %d a second", n, rate), func(b *testing.B) {
				c := openBench(b, n, rate)
				var full, plain time.Duration
				for b.Loop() {
					start := time.Now()
					if err := c.Clock().Advance(benchRound); err != nil {
						b.Fatal(err)
					}
					full += time.Since(start)
					plain += timePlainRaft(b, n, rate)
				}
				passed := float64(b.N) * benchRound.Seconds()
				b.ReportMetric(passed/full.Seconds(), "vs/s")
				b.ReportMetric(passed/plain.Seconds(), "plain-vs/s")
				b.ReportMetric(plain.Seconds()/full.Seconds(), "of-plain")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkOpen is the time from nothing to a leader, with files and with as many
// nodes as there are by default (under 300 ms).
func BenchmarkOpen(b *testing.B) {
	for _, storage := range []string{Memory, Bolt} {
		b.Run(storage, func(b *testing.B) {
			for b.Loop() {
				c, err := Open(Config{Nodes: 5, Settings: func() trace.Settings { s := DefaultSettings(); s.Storage = storage; return s }()})
				if err != nil {
					b.Fatal(err)
				}
				if !c.AwaitLeader(time.Minute) {
					b.Fatal("no leader within a minute")
				}
				b.StopTimer()
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkMemory lets ten minutes pass at a hundred operations a second, on
// files, and reports what the program needs then (under 60 MB).
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		c := openBench(b, 5, 100, func(cfg *Config) { cfg.Settings.Storage = Bolt })
		if err := c.Clock().Advance(10 * time.Minute); err != nil {
			b.Fatal(err)
		}
		resident := residentMB()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(resident, "RSS-MB")
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "live-MB")
		b.ReportMetric(float64(c.Trace().State().Clients.OK), "increments")
	}
}

// residentMB is the memory this process has in use, where the system tells.
func residentMB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kB / 1024
		}
	}
	return 0
}
