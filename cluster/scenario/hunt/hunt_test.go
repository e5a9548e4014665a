package hunt

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
)

func TestEveryScheduleParses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for nodes := nodesMin; nodes <= nodesMax; nodes++ {
		g, h := grammar{nodes: nodes}, header{nodes: nodes, settings: []string{"set heartbeats queued"}}
		s := g.random(rng)
		for range 300 {
			s = g.mutate(rng, s, g.random(rng))
			checkSchedule(t, h, s)
			if rng.IntN(20) == 0 {
				s = g.random(rng)
			}
		}
	}
}

func checkSchedule(t *testing.T, h header, s schedule) {
	t.Helper()
	if _, err := h.script("test", s); err != nil {
		t.Fatalf("%v in\n%s", err, strings.Join(s.lines, "\n"))
	}
	total := time.Duration(0)
	for _, line := range s.lines {
		total += waitOf(line)
	}
	if len(s.lines) > linesMax || total > waitMax {
		t.Fatalf("%d lines, %s", len(s.lines), total)
	}
}

func TestCorpusKeepsWhatIsNewAndPrefersWhatIsRare(t *testing.T) {
	c := corpus{hits: map[feature]int{}}
	common := coverage{features: map[feature]float64{1: 1, 2: 1}}
	if n := c.add(schedule{seed: 1}, common); n != 2 {
		t.Errorf("%d features are new, want 2", n)
	}
	for range 50 {
		if n := c.add(schedule{seed: 2}, common); n != 0 {
			t.Fatalf("%d features are new, want none", n)
		}
	}
	c.add(schedule{seed: 3}, coverage{features: map[feature]float64{1: 1, 3: 1}})
	if len(c.entries) != 2 {
		t.Fatalf("the corpus has %d entries, want 2", len(c.entries))
	}
	c.weigh()
	rare, rng := 0, rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if c.choose(rng).seed == 3 {
			rare++
		}
	}
	if rare < 800 {
		t.Errorf("the rare entry was chosen %d times of 1000", rare)
	}
	for i := range entriesMax {
		c.add(schedule{seed: 4}, coverage{features: map[feature]float64{feature(100 + i): 1}})
	}
	c.weigh()
	if len(c.entries) != entriesMax || slices.ContainsFunc(c.entries, func(e *entry) bool { return e.seed == 1 }) {
		t.Errorf("%d entries, want %d without the common one", len(c.entries), entriesMax)
	}
}

// loadExact returns the exact engine.
func loadExact(t *testing.T) *exact.Program {
	t.Helper()
	p, err := exact.Load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// searchFor returns how far a search has come after some batches.
func searchFor(t *testing.T, open engine.Opener, jobs, batches int) Progress {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var opened atomic.Int64
	counted := func(cfg cluster.Config, o engine.Options) (engine.Engine, error) {
		if opened.Add(1) > int64(batches*batch) {
			cancel()
		}
		return open(cfg, o)
	}
	h := New(Config{Open: counted, Mode: engine.ExactMode, Exact: open, Nodes: 3, Seeds: []int64{7}, Jobs: jobs})
	if err := h.Run(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	return h.Progress()[0]
}

func TestExactSearchDoesNotDependOnItsJobs(t *testing.T) {
	p := loadExact(t)
	one, two := searchFor(t, p.Open, 1, 2), searchFor(t, p.Open, 2, 2)
	if one.Schedules != 2*batch || one.States == 0 || !reflect.DeepEqual(one, two) {
		t.Errorf("one at a time: %+v\ntwo at a time: %+v", one, two)
	}
}

// Without sessions a retry counts twice, so there is something to find.
func TestHuntKeepsWhatItFindsAsAnExactRun(t *testing.T) {
	p := loadExact(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := filepath.Join(t.TempDir(), "found")
	var h *Hunt
	untilFound := func(cfg cluster.Config, o engine.Options) (engine.Engine, error) {
		if h.Failed() {
			cancel()
		}
		return engine.OpenNative(cfg, o)
	}
	h = New(Config{
		Open: untilFound, Mode: engine.NativeMode, Exact: p.Open, Version: p.Version(), Nodes: 3, Settings: [][2]string{{"sessions", "off"}, {"client-timeout", "5s"}},
		Seeds: []int64{1}, Jobs: 2, Found: headless.Found{Dir: dir},
	})
	file := filepath.Join(dir, "hunt-1-exactly-once.capsize")
	if err := h.Run(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script, err := scenario.Parse(file, data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := headless.Run(t.Context(), p.Open, script, nil)
	if err != nil || r.Checks["exactly-once"] != string(trace.VerdictViolated) {
		t.Errorf("%+v, %v", r, err)
	}
	var text strings.Builder
	if err := h.WriteTable(&text); err != nil || !strings.Contains(text.String(), "seed 1: exactly-once violated, after ") || !strings.Contains(text.String(), "capsize play "+file+" --exact") {
		t.Errorf("%v, %s", err, &text)
	}
}
