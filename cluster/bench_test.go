package cluster

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchRound is the virtual time of one benchmark round.
const benchRound = time.Minute

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
// cluster's speed as a fraction of plain raft's (target: at least 0.9).
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
