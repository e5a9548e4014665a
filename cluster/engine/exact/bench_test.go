package exact

import (
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// BenchmarkBranch branches five minutes into a run under load, right before the next snapshot.
func BenchmarkBranch(b *testing.B) {
	cfg := config(1)
	cfg.Nodes = 5
	e, err := theProgram.Open(cfg, engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	engine.Do(e, engine.Order{Line: "load 10/s"})
	if err := e.Advance(5*time.Minute - 20*time.Millisecond); err != nil {
		b.Fatal(err)
	}
	var state trace.State
	e.CopyTo(&state)
	at := trace.Position{Seq: state.Seq, At: e.Now()}
	for b.Loop() {
		branch, err := e.Branch(at)
		if err != nil {
			b.Fatal(err)
		}
		if err := branch.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSoak reports how many virtual seconds an exact soak of five nodes does in a second, and
// a native one.
func BenchmarkSoak(b *testing.B) {
	const length = 2 * time.Minute
	script, err := scenario.Parse("soak", []byte(scenario.Soak{For: length, Chaos: scenario.ChaosKinds()}.Command()))
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]engine.Opener{"exact": theProgram.Open, "native": engine.OpenNative} {
		b.Run(name, func(b *testing.B) {
			cfg := config(1)
			cfg.Nodes, cfg.HistoryBudget = 5, 0
			for b.Loop() {
				e, err := open(cfg, engine.Options{Ends: true})
				if err != nil {
					b.Fatal(err)
				}
				done := make(chan engine.Answer, 1)
				e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
				e.Run(vtime.Max)
				if a := <-done; a.End.Err != nil || len(a.Failures) > 0 {
					b.Fatalf("%+v", a)
				}
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(length.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "vs/s")
		})
	}
}
