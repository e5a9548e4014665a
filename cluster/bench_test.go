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

	"capsize/counter"

	"github.com/hashicorp/raft"
)

// benchRound is the virtual time of one benchmark round.
const benchRound = time.Minute

// timePlainRaft is the baseline for a cluster. It runs n nodes of raft with raft's own
// stores and transport in a bare synctest bubble, under rate operations a second, for
// benchRound of virtual time, and returns the real time taken.
func timePlainRaft(tb testing.TB, n, rate int) time.Duration {
	tb.Helper()
	start := time.Now() // real time
	synctest.Test(new(testing.T), func(*testing.T) {
		end := time.Now().Add(benchRound) // virtual time
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
		time.Sleep(time.Until(end)) // lets the last operations finish
		for _, r := range nodes {
			if err := r.Shutdown().Error(); err != nil {
				tb.Error(err)
			}
		}
	})
	return time.Since(start)
}

// openPlainRaft starts n connected nodes of raft with raft's in-memory stores.
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

// farTransport is raft's in-memory transport with the cluster's default latency and,
// like the cluster's, without pipelining.
type farTransport struct{ *raft.InmemTransport }

func (t farTransport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func (t farTransport) AppendEntries(
	id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	time.Sleep(DefaultSettings().Latency)
	defer time.Sleep(DefaultSettings().Latency)
	return t.InmemTransport.AppendEntries(id, target, args, resp)
}

func (t farTransport) RequestVote(
	id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	time.Sleep(DefaultSettings().Latency)
	defer time.Sleep(DefaultSettings().Latency)
	return t.InmemTransport.RequestVote(id, target, args, resp)
}

// benchClients is the number of clients in the benchmark load. They take turns. Two of
// ten operations are reads, as in a soak.
const benchClients = 3

// isBenchRead reports whether operation n is a read.
func isBenchRead(n int) bool { return n%5 == 4 }

// benchLoad runs rate operations a second, spread over the clients, until stop closes.
// Each client has at most one operation in flight.
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

// clusterLoad puts the benchmark load on a cluster.
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
	c := openCluster(b, n, change)
	if rate > 0 {
		if err := c.Do("load", func(c *Inside) error { clusterLoad(c, rate); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// BenchmarkVirtualTime compares the full cluster (network, disks, events, state) with
// plain raft under the same load. It reports virtual seconds per real second, and the
// cluster's speed as a fraction of plain raft's (target: at least 0.75).
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

// BenchmarkOpen measures the real time from Open to the first leader with five nodes, on
// each kind of storage (target: under 300 ms).
func BenchmarkOpen(b *testing.B) {
	for _, storage := range []string{Memory, Bolt} {
		b.Run(storage, func(b *testing.B) {
			for b.Loop() {
				cfg := Config{Nodes: 5, Settings: DefaultSettings()}
				cfg.Settings.Storage = storage
				c, err := Open(cfg)
				if err != nil {
					b.Fatal(err)
				}
				if !c.AwaitLeader(time.Minute) {
					b.Fatal("got no leader within a minute, want one")
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

// BenchmarkMemory runs ten virtual minutes at a hundred operations a second on files and
// reports the memory then in use (target: under 60 MB).
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

// residentMB returns the resident memory of this process in MB, 0 where /proc is not
// available.
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
