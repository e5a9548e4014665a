package cluster

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// benchEvents is the number of events in the benchmarked run.
const benchEvents = 1_000_000

// longHistory returns the history of a run of benchEvents events: five nodes under ten
// operations a second, with a node killed and restarted every minute.
var longHistory = sync.OnceValue(func() *history.History {
	cfg := Config{Nodes: 5, Settings: DefaultSettings(), HistoryBudget: history.DefaultBudget}
	cfg.Settings.Storage = Memory
	c, err := runUntil(cfg, benchEvents)
	if err != nil {
		panic(err)
	}
	return c.History()
})

// runUntil opens a cluster, runs it under load and kills until it has emitted the given
// number of events, and closes it.
func runUntil(cfg Config, events uint64) (*Cluster, error) {
	c, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	c.AwaitLeader(time.Minute)
	inside := func(f func(*Inside)) { err = errors.Join(err, c.Go(f)) }
	inside(func(c *Inside) { c.emitRefused(c.Load(10, 3, RouteLeader)) })
	for i, seq := 0, uint64(0); seq < events && err == nil; i++ {
		name := c.inside.Names()[i%cfg.Nodes]
		inside(func(c *Inside) { c.emitRefused(c.Kill(name)) })
		err = errors.Join(err, c.Clock().Advance(20*time.Second))
		inside(func(c *Inside) { c.emitRefused(c.Restart(name)) })
		err = errors.Join(err, c.Clock().Advance(40*time.Second))
		c.Trace().Read(func(s *trace.State) { seq = s.Seq })
	}
	return c, errors.Join(err, c.Close())
}

// BenchmarkStateAt restores the state after any one of a million events (target: at most
// 20 ms) and reports the memory per event (target: at most 100 bytes).
func BenchmarkStateAt(b *testing.B) {
	h := longHistory()
	first, last := h.Span()
	perEvent := float64(h.Bytes()) / float64(last.Seq-first.Seq)
	rng := rand.New(rand.NewPCG(1, 2))
	var state trace.State
	run := func(name string, next func() uint64) {
		b.Run(name, func(b *testing.B) {
			worst := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				if !h.StateAt(next(), &state) {
					b.Fatal("got no state, want the history to hold every event")
				}
				worst = max(worst, time.Since(start))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(perEvent, "B/event")
		})
	}
	run("anywhere", func() uint64 { return first.Seq + rng.Uint64N(last.Seq-first.Seq+1) })
	seq := first.Seq + rng.Uint64N(last.Seq/2)
	run("forwards", func() uint64 { seq++; return seq })
	run("backwards", func() uint64 { seq--; return seq })
}

// BenchmarkMarks walks the significant events of ten minutes.
func BenchmarkMarks(b *testing.B) {
	h := longHistory()
	from, to := h.SeqAt(10*time.Minute), h.SeqAt(20*time.Minute)
	count := 0
	for b.Loop() {
		count = 0
		h.Significant(from, to, func(*trace.Event) bool { count++; return true })
	}
	b.ReportMetric(float64(count), "marks")
	b.ReportMetric(float64(to-from), "events")
}

// BenchmarkOpenFile reads a recording of a million events (target: under 2 s).
func BenchmarkOpenFile(b *testing.B) {
	h := longHistory()
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		b.Run(name, func(b *testing.B) {
			name := filepath.Join(b.TempDir(), name)
			w, err := recording.Create(name, recording.Header{Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			h.Events(0, benchEvents, func(e *trace.Event) bool { w.Add(e, nil); return true })
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			wrote := time.Since(start)
			for b.Loop() {
				r, _, err := recording.Open(name, history.New(history.DefaultBudget), nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				if r.Missing() != "" {
					b.Fatal(r.Missing())
				}
				r.Close()
			}
			b.ReportMetric(wrote.Seconds(), "s-to-write")
		})
	}
}

// BenchmarkHistoryAdd replays a hundred thousand events into a stream with a history and
// into one without, and reports the extra time per event.
func BenchmarkHistoryAdd(b *testing.B) {
	h := longHistory()
	_, last := h.Span()
	var events []trace.Event
	h.Events(last.Seq-100_000, last.Seq, func(e *trace.Event) bool {
		if e.Packet != nil {
			packet := *e.Packet
			e.Packet = &packet
		}
		events = append(events, *e)
		return true
	})
	play := func(l *trace.Stream) time.Duration {
		start := time.Now()
		for i := range events {
			if e := &events[i]; e.Packet != nil {
				l.EmitPacket(e.At, e.Packet)
			} else {
				l.Emit(*e)
			}
		}
		return time.Since(start)
	}
	var with, without time.Duration
	for b.Loop() {
		var plain, keeping trace.Stream
		keeping.AddSink(history.New(history.DefaultBudget))
		without += play(&plain)
		with += play(&keeping)
	}
	b.ReportMetric(float64((with-without).Nanoseconds())/float64(b.N*len(events)), "ns/event")
	b.ReportMetric(float64(without.Nanoseconds())/float64(b.N*len(events)), "without-ns/event")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRecording repeats the same run with nothing recorded, with a history, and with
// a recording file. It reports the last two as a ratio to the first.
func BenchmarkRecording(b *testing.B) {
	kinds := []string{"nothing", "history", "file"}
	took := map[string]time.Duration{}
	for b.Loop() {
		for _, kind := range kinds {
			cfg := Config{Nodes: 5, Settings: DefaultSettings()}
			cfg.Settings.Storage = Memory
			switch kind {
			case "history":
				cfg.HistoryBudget = history.DefaultBudget
			case "file":
				w, err := recording.Create(filepath.Join(b.TempDir(), "a.trace"), recording.Header{Seed: 1})
				if err != nil {
					b.Fatal(err)
				}
				cfg.Record = w
			}
			start := time.Now()
			c, err := runUntil(cfg, benchEvents/10)
			if cfg.Record != nil {
				err = errors.Join(err, cfg.Record.Close())
			}
			if err != nil {
				b.Fatal(err)
			}
			state := c.Trace().State()
			took[kind] += time.Since(start) / time.Duration(state.Seq)
		}
	}
	for _, kind := range kinds[1:] {
		b.ReportMetric(float64(took[kind])/float64(took["nothing"]), kind+"-of-nothing")
	}
	b.ReportMetric(float64(took["nothing"])/float64(b.N), "ns/event")
	b.ReportMetric(0, "ns/op")
}
