package headless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// seedsConfig is a native soak of a second for a range of seeds.
func seedsConfig(t *testing.T, seeds string) SeedsConfig {
	t.Helper()
	cfg := SeedsConfig{SoakConfig: soakConfig(3, scenario.Soak{For: time.Second, Chaos: []string{"nodes"}}), Jobs: 2, Version: "v"}
	var err error
	if cfg.Seeds, err = ParseSeeds(seeds, ""); err != nil {
		t.Fatal(err)
	}
	cfg.Found.Dir = filepath.Join(t.TempDir(), "found")
	return cfg
}

// failing makes every run fail: no reply comes in time.
func failing(t *testing.T, cfg SeedsConfig) SeedsConfig {
	t.Helper()
	if err := cluster.ApplySettings(&cfg.Settings, []string{"client-timeout=10ms", "latency=50ms"}); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestEachSeedRunsOnce(t *testing.T) {
	cfg, seen := seedsConfig(t, "5-14"), map[int64]int{}
	cfg.Each = func(r Result) error {
		if seen[r.Seed]++; !r.OK || *r.Share != (Share{Seeds: "5-14", Shard: "1/1", Script: "nodes 3; soak 1s nodes", Version: "v"}) {
			t.Errorf("%+v %+v", r, r.Share)
		}
		return nil
	}
	s, err := SoakSeeds(t.Context(), cfg)
	if err != nil || !s.OK() || s.Done != 10 || s.Ops.OK != 110 || s.VirtualSeconds < 10 || len(s.Faults) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	for seed := int64(5); seed <= 14; seed++ {
		if seen[seed] != 1 {
			t.Errorf("seed %d ran %d times", seed, seen[seed])
		}
	}
	if _, err := os.Stat(cfg.Found.Dir); err == nil {
		t.Error("the directory for failing runs was created for nothing")
	}
}

func TestFailingSeedIsKept(t *testing.T) {
	cfg := failing(t, seedsConfig(t, "3"))
	var result Result
	cfg.Each = func(r Result) error { result = r; return nil }
	s, err := SoakSeeds(t.Context(), cfg)
	if err != nil || s.OK() || len(s.Failed) != 1 || s.Failed[0].Seed != 3 || !strings.Contains(s.Failed[0].Text, "wanted a reply after healing") {
		t.Fatalf("%+v, %v", s, err)
	}
	name := filepath.Join(cfg.Found.Dir, "3.capsize")
	if kept, err := scenario.Load(name); err != nil || kept.Settings.Seed != 3 || kept.Settings.ClientTimeout != 10*time.Millisecond || kept.Nodes != 3 {
		t.Errorf("%+v, %v", kept, err)
	}
	var written Result
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(cfg.Found.Dir, "3.json"))), &written); err != nil || written.Found != name || result.Found != name {
		t.Errorf("%+v and %+v, %v", written, result, err)
	}
	var state trace.State
	reader, _, err := recording.Open(filepath.Join(cfg.Found.Dir, "3.trace.gz"), history.New(1<<24), func(e *trace.Event) { state.Apply(e) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if reader.Missing() != "" || state.Seq != result.Events || state.Clients.OK != result.Ops.OK {
		t.Errorf("%s; the trace ends at %d with %+v, the run at %d with %+v", reader.Missing(), state.Seq, state.Clients, result.Events, result.Ops)
	}
}

// What was found stays, and the summary says how far it came.
func TestInterruptedSeedsKeepWhatWasFound(t *testing.T) {
	cfg := failing(t, seedsConfig(t, "1-1000"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := 0
	cfg.Each = func(Result) error {
		if ended++; ended == 2 {
			cancel()
		}
		return nil
	}
	s, err := SoakSeeds(ctx, cfg)
	if !errors.Is(err, ErrInterrupted) || s.OK() || s.Done < 2 || s.Done > 4 || int(s.Done) != ended || len(s.Failed) != ended {
		t.Errorf("%+v, %v", s, err)
	}
	for _, f := range s.Failed {
		if _, err := os.Stat(f.Found); err != nil {
			t.Error(err)
		}
	}
	var text bytes.Buffer
	if err := s.WriteText(&text); err != nil || !strings.Contains(text.String(), "soak: seeds 1-1000: "+strings.Fields(text.String())[3]+" of 1000 done, ") {
		t.Errorf("%v\n%s", err, &text)
	}
}

// A cluster that ends by itself is a finding of its seed, and the other seeds go on.
func TestRunThatDiesIsAFinding(t *testing.T) {
	cfg := seedsConfig(t, "1-4")
	cfg.Open = func(c cluster.Config, o engine.Options) (engine.Engine, error) {
		e, err := engine.OpenNative(c, o)
		if c.Settings.Seed == 2 {
			return e, errors.Join(err, e.Close())
		}
		return e, err
	}
	s, err := SoakSeeds(t.Context(), cfg)
	if err != nil || s.Done != 4 || len(s.Failed) != 1 || s.Failed[0].Seed != 2 || !strings.Contains(s.Failed[0].Text, "wanted the run to end") {
		t.Errorf("%+v, %v", s, err)
	}
	cfg.Open = func(cluster.Config, engine.Options) (engine.Engine, error) { return nil, errors.New("no room") }
	if s, err := SoakSeeds(t.Context(), cfg); err == nil || err.Error() != "no room" || s.Done != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	cfg.Open, cfg.Each = engine.OpenNative, func(Result) error { return errors.New("the disk is full") }
	if s, err := SoakSeeds(t.Context(), cfg); err == nil || err.Error() != "the disk is full" || s.Done > 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSeedsRejectBadOptions(t *testing.T) {
	for why, change := range map[string]func(*SeedsConfig){
		"--jobs 0: must be from 1":      func(c *SeedsConfig) { c.Jobs = 0 },
		"--jobs 1025: must be":          func(c *SeedsConfig) { c.Jobs = 1025 },
		"--nodes 0":                     func(c *SeedsConfig) { c.Nodes = 0 },
		"seeds_test.go: not a director": func(c *SeedsConfig) { c.Found.Dir = "seeds_test.go" },
	} {
		cfg := seedsConfig(t, "1-9")
		change(&cfg)
		if _, err := SoakSeeds(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
}

// A summary says whose time it tells.
func TestSummaryNamesItsTime(t *testing.T) {
	for mode, want := range map[engine.Mode]string{
		engine.NativeMode:    "soak: virtual time: 1m0s in 2s, 30 virtual seconds a second\n",
		engine.ProcessesMode: "soak: real time: 1m0s\n",
	} {
		var b strings.Builder
		s := Summary{Mode: mode, Of: 1, Done: 1, VirtualSeconds: 60, Wall: 2 * time.Second}
		if err := s.WriteText(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v, got %q", mode, err, b.String())
		}
	}
}
