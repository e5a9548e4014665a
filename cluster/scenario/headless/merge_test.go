package headless

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
)

// shardFile writes the results of a shard of seeds 1-9, in reverse order, as an exact soak prints
// them. Seed 4 has failed.
func shardFile(t *testing.T, shard string, change func(*Result)) string {
	t.Helper()
	seeds, err := ParseSeeds("1-9", shard)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for seed := range seeds.All() {
		r := Result{
			Scenario: "soak", OK: seed != 4, VirtualSeconds: 600, Ops: Ops{OK: 10}, Faults: map[string]int{"disk": 1},
			Identity: Identity{Mode: engine.ExactMode, Seed: seed, Fingerprint: fmt.Sprintf("sha256:%064x", seed), Share: &Share{Seeds: "1-9", Shard: shard, Script: "soak 10m", Version: "v"}},
		}
		if !r.OK {
			r.Failures, r.Found = []scenario.Failure{{Text: "checks", Want: "x", Got: "y"}}, "found/4.capsize"
		}
		if change != nil {
			change(&r)
		}
		var line bytes.Buffer
		if err := WriteJSON(&line, []Result{r}); err != nil {
			t.Fatal(err)
		}
		lines = append([]string{line.String()}, lines...)
	}
	return textFile(t, strings.Join(lines, ""))
}

func textFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "shard.jsonl")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMergedShardsAreTheWhole(t *testing.T) {
	whole, err := Merge([]string{shardFile(t, "1/1", nil)}, true)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := Merge([]string{shardFile(t, "3/3", nil), shardFile(t, "1/3", nil), shardFile(t, "2/3", nil)}, true)
	if err != nil {
		t.Fatal(err)
	}
	var a, b, all bytes.Buffer
	if err := whole.Summary.WriteText(&a); err != nil {
		t.Fatal(err)
	}
	if err := merged.Summary.WriteText(&b); err != nil || a.String() != b.String() {
		t.Errorf("%v: the whole is\n%s, the shards are\n%s", err, &a, &b)
	}
	want := `soak: seeds 1-9: 9 of 9 done, 1 failed (soak 10m)
soak: seed 4: checks: wanted x, got y
  capsize play found/4.capsize --exact
soak: virtual time: 1h30m0s
soak: operations: 90 ok
soak: faults injected: disk 9
soak: seeds 1-9: traces sha256:`
	if got, ok := strings.CutPrefix(a.String(), want); !ok || len(got) != 65 {
		t.Errorf("got\n%s\nwant\n%s…", &a, want)
	}
	if err := merged.WriteJSON(&all); err != nil {
		t.Fatal(err)
	}
	at := -1
	for seed := range 9 {
		next := strings.Index(all.String(), fmt.Sprintf(`"seed":%d,`, seed+1))
		if next <= at {
			t.Fatalf("seed %d is not in its place in\n%s", seed+1, &all)
		}
		at = next
	}
	// Another run of one seed changes the line that identifies all.
	other, err := Merge([]string{shardFile(t, "1/1", func(r *Result) {
		if r.Seed == 7 {
			r.Fingerprint = strings.Repeat("a", 64)
		}
	})}, false)
	if err != nil || other.Summary.Fingerprint() == whole.Summary.Fingerprint() {
		t.Errorf("%v, both are %s", err, whole.Summary.Fingerprint())
	}
}

func TestMergeRefusesWhatDoesNotFit(t *testing.T) {
	one, two := shardFile(t, "1/2", nil), shardFile(t, "2/2", nil)
	lines := strings.SplitAfter(readFile(t, two), "\n")
	for _, test := range []struct {
		files []string
		why   string
	}{
		{[]string{one}, "shard 2/2 is missing"},
		{[]string{two, textFile(t, strings.Join(strings.SplitAfter(readFile(t, one), "\n")[1:], ""))}, "shard 1/2 is cut short: it has 3 of 4 seeds, the first missing one is 8"},
		{[]string{one, two, one}, "both hold seed 2; the shards overlap"},
		{[]string{one, shardFile(t, "1/1", nil)}, "the number of shards is 1, and 2 in "},
		{[]string{one, textFile(t, lines[0]+lines[1][:40])}, "shard.jsonl:2: damaged, not a result: "},
		{[]string{one, textFile(t, lines[0]+"\n{}\n")}, "shard.jsonl:3: not a result of soak --seeds"},
		{[]string{one, textFile(t, "")}, "holds no result"},
		{[]string{one, "/nowhere/a.jsonl"}, "no such file"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Script = "soak 5m" })}, "the soak is soak 5m, and soak 10m in "},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Version = "w" })}, "the version is w"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Mode = engine.NativeMode })}, "the mode is native"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Seeds = "1-8" })}, "the range of seeds is 1-8"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Seed++ })}, "is not in shard 2/2"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.VirtualSeconds = -1 })}, "damaged: no soak takes -1 virtual seconds"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Checks = map[string]string{"linearizable": "violated"} })}, "damaged: it is ok, and has failures"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Fingerprint = "sha256:zz" })}, "damaged: an exact run without its fingerprint"},
		{[]string{one, shardFile(t, "2/2", func(r *Result) { r.Shard = "3/2" })}, "damaged: --shard 3/2"},
	} {
		if _, err := Merge(test.files, false); err == nil || !strings.Contains(err.Error(), test.why) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q", err, test.why)
		}
	}
}
