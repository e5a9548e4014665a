//go:build unix

package cluster

import (
	"syscall"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// checkedSoak runs five benchRounds under a soak's load, eight increments and two
// linearizable reads a second, with the checks on or off. It returns the real time and
// the CPU time taken.
func checkedSoak(b *testing.B, unchecked bool) (wall, cpu time.Duration) {
	b.Helper()
	cfg := Config{Nodes: 5, Settings: DefaultSettings(), Unchecked: unchecked}
	cfg.Settings.Storage = Memory
	before, started := cpuTime(b), time.Now()
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
		linearizable := s.Check("linearizable")
		if !unchecked && (linearizable == nil || linearizable.Count < 2000 || linearizable.Verdict != trace.VerdictOK) {
			b.Errorf("got verdict %+v, want %s over at least 2000 operations", linearizable, trace.VerdictOK)
		}
	})
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(started), cpuTime(b) - before
}

// cpuTime returns the CPU time this process has used, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkChecks runs a soak with all checks and one without, in turn. It reports the
// extra real time (target: at most 0.15) and the extra CPU time, as fractions.
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
