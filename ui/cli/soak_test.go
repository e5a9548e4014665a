package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"capsize/cluster"
)

func TestSoakReportsWhatItDid(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace.gz")
	o := runBinary(t, "soak", "--for", "1m", "--chaos", "network,nodes", "--trace", name)
	o.checkEnded(t, 0)
	if !regexp.MustCompile(`\nsoak +ok .*\n\nsoak: faults injected: network \d+, nodes \d+\n$`).MatchString(o.stdout) {
		t.Errorf("it says\n%s", o.stdout)
	}
	if _, state := readTrace(t, name); state.Clients.OK < 300 || len(state.Nodes) != 5 {
		t.Errorf("by the trace, %d nodes did %+v", len(state.Nodes), state.Clients)
	}
	o = runBinary(t, "soak", "--for", "10s", "--chaos=")
	o.checkEnded(t, 0)
	if strings.Contains(o.stdout, "chaos") {
		t.Errorf("without chaos it says\n%s", o.stdout)
	}
}

func TestSoakRunsManySeedsAndMergesShards(t *testing.T) {
	dir := t.TempDir()
	args := []string{"soak", "--seeds", "1-4", "--for", "2s", "--set", "client-timeout=10ms", "--set", "latency=50ms", "--found", filepath.Join(dir, "found"), "--json"}
	var shards []string
	for _, shard := range []string{"1/2", "2/2"} {
		o := runBinary(t, append(args, "--shard", shard)...)
		if o.status != exitFailed || strings.Count(o.stdout, "\n") != 2 || !strings.Contains(o.stderr, "soak: seeds 1-4, shard "+shard+": 2 of 2 done, 2 failed") {
			t.Errorf("%+v", o)
		}
		shards = append(shards, writeFile(t, "shard.jsonl", o.stdout))
	}
	o := runBinary(t, "soak", "--merge", shards[1], shards[0])
	if o.status != exitFailed || !strings.Contains(o.stdout, "soak: seeds 1-4: 4 of 4 done, 4 failed") || o.stderr != "" {
		t.Errorf("%+v", o)
	}
	runBinary(t, "replay", filepath.Join(dir, "found", "3.trace.gz"), "--plain", "--speed", "max").checkEnded(t, 0)
	runBinary(t, "soak", "--seeds", "1-2", "--for", "1s", "--found", "").checkEnded(t, 0)
	for args, why := range map[string]string{
		"--seeds 9-1":                      "runs backwards",
		"--seeds x":                        "not a range of seeds",
		"--seeds 1-4 --seed 3":             "--seed and --seeds exclude each other",
		"--seeds 1-4 --trace a.gz":         "--trace and --seeds exclude each other",
		"--seeds 1-4 --shard 5/4":          "there is no shard 5 of 4",
		"--seeds 1-4 --shard 0/4":          "there is no shard 0 of 4",
		"--seeds 1-4 --shard=":             "needs a share of the seeds",
		"--seeds 1-4 --jobs 0":             "--jobs 0: must be from 1",
		"--seeds 1-4 --found " + binary:    "not a directory",
		"--shard 1/4":                      "--shard needs --seeds",
		"--jobs 2":                         "--jobs needs --seeds",
		"--found a":                        "--found needs --seeds",
		"--set election=1x":                "--set election=1x",
		"--merge":                          "missing a file",
		"--merge " + shards[0]:             "shard 2/2 is missing",
		"--merge --seeds 1-4 " + shards[0]: "--merge and --seeds exclude each other",
		"--merge " + binary:                ":1: damaged, not a result",
		"--seeds 1-4 extra":                "unexpected argument",
	} {
		runBinary(t, append([]string{"soak"}, strings.Fields(args)...)...).checkRefused(t, why)
	}
}

// The commands in the snippets that spread a soak over machines are ones that soak accepts.
func TestSpreadSnippetsParse(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top, ".ci", "spread", "*"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v", files, err)
	}
	index := regexp.MustCompile(`\$\(\([A-Z_]+ \+ 1\)\)|\$\{\{ matrix\.shard \}\}|\{\}|\$shards`)
	defaults := regexp.MustCompile(`\$\{[A-Z]+:-([^}]+)\}`)
	plain := func(text string) string {
		return defaults.ReplaceAllString(index.ReplaceAllString(text, "8"), "$1")
	}
	command := regexp.MustCompile(`capsize soak ([^>;|"\n]*?)(?: 2?>|[;|"\n])`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var many, merges int
		for _, found := range command.FindAllStringSubmatch(plain(string(text)), -1) {
			words := strings.Fields(found[1])
			var f soakFlags
			fs := pflag.NewFlagSet("soak", pflag.ContinueOnError)
			f.one.Settings = cluster.DefaultSettings()
			f.add(fs)
			if err := fs.Parse(words); err != nil {
				t.Errorf("%s: %v: %v", name, words, err)
			} else if err := f.check(fs); err != nil {
				t.Errorf("%s: %v: %v", name, words, err)
			}
			switch {
			case f.merge && fs.NArg() == 1:
				merges++
			case f.many.Seeds.Shards == 8 && f.json && f.exact && fs.NArg() == 0:
				many++
			default:
				t.Errorf("%s: %v", name, words)
			}
		}
		if many != 1 || merges != 1 {
			t.Errorf("%s runs %d shards and merges %d times", name, many, merges)
		}
	}
}
