//go:build unix

package cluster

import (
	"syscall"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// checkedSoak lets virtual time pass under a soak's load, eight increments and two
// linearizable reads a second, and returns the real time and the time of the
// processors that it took.
func checkedSoak(b *testing.B, unchecked bool) (wall, cpu time.Duration) {
	b.Helper()
	cfg := Config{Nodes: 5, Settings: DefaultSettings(), Unchecked: unchecked}
	cfg.Settings.Storage = Memory
	before, started := processorTime(b), time.Now()
	c, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	err = c.Do("load", func(c *Inside) error {
		c.Go(func() {
			for !c.Closed() {
				c.Sleep(500 * time.Millisecond)
				c.Read(LevelLinearizable, RouteLeader)
			}
		})
		return c.Load(8, 2, RouteLeader)
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Clock().Advance(5 * benchRound); err != nil {
		b.Fatal(err)
	}
	c.AwaitVerdicts()
	c.Trace().Read(func(s *trace.State) {
		if one := s.Check("linearizable"); !unchecked && (one == nil || one.Count < 2000 || one.Verdict != trace.VerdictOK) {
			b.Errorf("%+v", one)
		}
	})
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(started), processorTime(b) - before
}

// processorTime returns how long the processors have worked for this process.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkChecks compares a soak with all checks with one without, in turn: by how
// much longer it takes (at most 0.15), and how much more the processors work.
func BenchmarkChecks(b *testing.B) {
	var wallOn, wallOff, cpuOn, cpuOff time.Duration
	for b.Loop() {
		wall, cpu := checkedSoak(b, true)
		wallOff, cpuOff = wallOff+wall, cpuOff+cpu
		wall, cpu = checkedSoak(b, false)
		wallOn, cpuOn = wallOn+wall, cpuOn+cpu
	}
	b.ReportMetric(wallOn.Seconds()/wallOff.Seconds()-1, "of-wall")
	b.ReportMetric(cpuOn.Seconds()/cpuOff.Seconds()-1, "of-cpu")
	b.ReportMetric(float64(b.N)*(5*benchRound).Seconds()/wallOn.Seconds(), "vs/s")
	b.ReportMetric(0, "ns/op")
}
