package headless

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"capsize/cluster/scenario"
)

// benchFor is the virtual time of one soak.
const benchFor = 5 * time.Minute

// plainVirtualSeconds matches what the benchmark of package cluster reports about
// plain raft in a bare bubble.
var plainVirtualSeconds = regexp.MustCompile(`([\d.]+) plain-vs/s`)

// plainRaft returns how many virtual seconds five nodes of plain raft run in a real
// second, at ten increments a second. It runs a benchmark of package cluster,
// because this package must not import raft.
func plainRaft(b *testing.B, binary string) float64 {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), binary, "-test.run=^$", "-test.bench=^BenchmarkVirtualTime$/^5_nodes,_10_a_second$", "-test.benchtime=5x").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	found := plainVirtualSeconds.FindSubmatch(out)
	if found == nil {
		b.Fatalf("no result for plain raft: %s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

// BenchmarkSoak compares a soak with plain raft under the same load, in turn. vs/s is
// the virtual seconds per real second (at least 700 on two cores), of-plain the
// share of what plain raft reaches (at least 0.9).
func BenchmarkSoak(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "cluster.test")
	if out, err := exec.CommandContext(b.Context(), "go", "test", "-c", "-o", binary, "capsize/cluster").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, kinds := range [][]string{nil, {"network", "nodes"}} {
		name := "chaos"
		if kinds == nil {
			name = "calm"
		}
		b.Run(name, func(b *testing.B) {
			var virtual, wall, plainWall float64
			for b.Loop() {
				r, err := Soak(b.Context(), soakConfig(5, scenario.Soak{For: benchFor, Chaos: kinds}))
				if err != nil || !r.OK {
					b.Fatalf("%+v, %v", r, err)
				}
				virtual += r.VirtualSeconds
				wall += r.WallSeconds
				plainWall += r.VirtualSeconds / plainRaft(b, binary)
			}
			b.ReportMetric(virtual/wall, "vs/s")
			b.ReportMetric(virtual/plainWall, "plain-vs/s")
			b.ReportMetric(plainWall/wall, "of-plain")
			b.ReportMetric(0, "ns/op")
		})
	}
}
