package cli

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"capsize/cluster/scenario/headless"
)

// buildEngine runs something exact, so that the engine is there when a test counts on it.
func buildEngine(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), binary, "run", "leader-crash", "--exact").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// exactRun returns the result of an exact run as JSON.
func exactRun(t *testing.T, args ...string) (r headless.Result) {
	t.Helper()
	o := runBinary(t, append([]string{"run", "--exact", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || o.status != 0 {
		t.Fatalf("%v: %+v", err, o)
	}
	return r
}

func TestExactRunsAndTheirRecordings(t *testing.T) {
	buildEngine(t)
	dir := t.TempDir()
	plain, packed := filepath.Join(dir, "a.trace"), filepath.Join(dir, "a.trace.gz")
	first, second := exactRun(t, "leader-crash", "--trace", plain), exactRun(t, "leader-crash", "--trace", packed)
	if first.Fingerprint != second.Fingerprint || first.Mode != "exact" || first.Fingerprint == exactRun(t, "leader-crash", "--seed", "2").Fingerprint {
		t.Errorf("%+v, then %+v", first.Identity, second.Identity)
	}
	text, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	header, events, _ := strings.Cut(string(text), "\n")
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(events))); got != first.Fingerprint {
		t.Errorf("the fingerprint is %s, the SHA-256 of the events %s", first.Fingerprint, got)
	}
	if !strings.Contains(header, `"exact":{"version":"`) {
		t.Errorf("the header is %s", header)
	}
	for _, name := range []string{plain, packed} {
		o := runBinary(t, "replay", name, "--exact", "--plain")
		if want := fmt.Sprintf("%s: all %d events are the same\n", name, first.Events); o.status != 0 || o.stdout != want {
			t.Errorf("%+v, want %q", o, want)
		}
	}
	t.Run("edited", func(t *testing.T) {
		name := filepath.Join(dir, "edited.trace")
		write(t, name, header+"\n"+strings.Replace(events, `"size":64`, `"size":65`, 1))
		o := runBinary(t, "replay", name, "--exact", "--plain")
		if o.status != exitFailed || !strings.Contains(o.stdout, ` differs: recorded was "size":65, now it is "size":64`) {
			t.Errorf("%+v", o)
		}
	})
	t.Run("another version", func(t *testing.T) {
		name := filepath.Join(dir, "old.trace")
		at := strings.Index(header, `"version":"`) + len(`"version":"`)
		write(t, name, header[:at]+"0123456789ab"+header[at+12:]+"\n"+events)
		o := runBinary(t, "replay", name, "--exact", "--plain")
		if o.status != 0 || !strings.Contains(o.stderr, "another version of the exact engine: 0123456789ab") || !strings.Contains(o.stdout, "becomes leader") {
			t.Errorf("%+v", o)
		}
	})
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestExactRepeatsAreTheSame(t *testing.T) {
	buildEngine(t)
	o := runBinary(t, "run", "leader-crash", "minority-partition", "--exact", "--repeat", "3", "--seed", "5")
	if o.status != 0 || strings.Count(o.stdout, ": all 3 runs are the same\n") != 2 {
		t.Errorf("%+v", o)
	}
	o = runBinary(t, "soak", "--exact", "--for", "10s", "--json")
	if o.status != 0 || !strings.Contains(o.stdout, `"mode":"exact"`) || !strings.Contains(o.stdout, `"fingerprint":"sha256:`) {
		t.Errorf("%+v", o)
	}
}

// A soak is a scenario of one command: the same commands in a file, below any comment, give the same
// run.
func TestExactSoakIsAScenario(t *testing.T) {
	buildEngine(t)
	file := writeFile(t, "17.capsize", "# a finding\n\ntitle Soak\nnodes 3\nset election 2s\nseed 17\nsoak 10s network nodes\n")
	var soak headless.Result
	o := runBinary(t, "soak", "--exact", "--json", "--seed", "17", "--nodes", "3", "--for", "10s", "--chaos", "network,nodes", "--set", "election=2s")
	if err := json.Unmarshal([]byte(o.stdout), &soak); err != nil || o.status != 0 {
		t.Fatalf("%v: %+v", err, o)
	}
	if run := exactRun(t, file); run.Fingerprint != soak.Fingerprint || len(run.Faults) != 2 {
		t.Errorf("the soak is %+v, the file %+v", soak, run)
	}
}

func TestExactRunStopsAtAnEvent(t *testing.T) {
	buildEngine(t)
	for until, want := range map[string]string{
		"100": "stopped at event 100, ", "1.5s": "stopped at event ", "becomes leader": "becomes leader of term 2", "3": "stopped at event 3, 0:00:00.000",
	} {
		o := runBinary(t, "run", "leader-crash", "--exact", "--until", until)
		if o.status != 0 || !strings.Contains(o.stdout, want) {
			t.Errorf("--until %s: %+v", until, o)
		}
	}
	if o := runBinary(t, "run", "leader-crash", "--exact", "--until", "violation"); o.status != exitFailed || !strings.Contains(o.stdout, "wanted violation, got the end of the run") {
		t.Errorf("%+v", o)
	}
}

// A shrunk scenario passes, and can be shrunk again, to the same.
func TestShrunkScenarioPasses(t *testing.T) {
	buildEngine(t)
	const lying = "title A disk lies\nnodes 3\nincrement\ndisk all lie\nincrement\nsay text\npoweroff all\nrestart all\nwait leader\nwait 3.2s\n"
	file, dir := writeFile(t, "lying.capsize", lying), t.TempDir()
	first, second := filepath.Join(dir, "1.capsize"), filepath.Join(dir, "2.capsize")
	write(t, first, "an older file")
	o := runBinary(t, "shrink", file, "-o", first, "--check", "acked-durable")
	if o.status != 0 || o.stdout != "" || !strings.Contains(o.stderr, "with 20 of 20 seeds") || strings.Count(o.stderr, "\n") != 1 {
		t.Fatalf("%+v", o)
	}
	if o := runBinary(t, "run", "--exact", first); o.status != 0 || !strings.Contains(o.stdout, ", acked-durable\n") {
		t.Errorf("%+v", o)
	}
	if o := runBinary(t, "shrink", first, "--jobs", "1", "-o", second); o.status != 0 {
		t.Errorf("%+v", o)
	}
	commands := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		_, commands, _ := strings.Cut(string(text), "\n\n")
		return commands
	}
	if one, two := commands(first), commands(second); one != two || strings.Count(one, "\n") > 9 {
		t.Errorf("shrunk to\n%sand again to\n%s", one, two)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestShrinkRefusals(t *testing.T) {
	buildEngine(t)
	file := writeFile(t, "passes.capsize", "nodes 1\nincrement\n")
	for args, why := range map[string]string{
		"":                              "missing a scenario",
		"nothing.capsize":               "no such file",
		writeFile(t, "bad", "kil n1\n"): `bad:1:1: unknown command "kil"`,
		file + " -o " + file:            "is the scenario itself",
		file + " -o " + t.TempDir():     "is a directory",
		file + " -o " + file + "/out":   "not a directory",
		file + " -o /nowhere/out":       "no such file or directory",
		file + " --jobs 0":              "--jobs 0: must be from 1",
		file + " --check durable":       "unknown check",
		"leader-crash chaos":            "unexpected argument",
		"leader-crash --for 1h":         "unknown flag",
		"leader-crash --seed 1.5":       "must be a whole number",
	} {
		runBinary(t, append([]string{"shrink"}, strings.Fields(args)...)...).checkRefused(t, why)
	}
	o := runBinary(t, "shrink", file)
	if o.status != exitFailed || o.stdout != "" || !strings.Contains(o.stderr, "passes.capsize: does not fail: ") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("%+v", o)
	}
}

func TestExactRefusals(t *testing.T) {
	buildEngine(t)
	native := filepath.Join(t.TempDir(), "native.trace")
	if o := runBinary(t, "run", "leader-crash", "--trace", native); o.status != 0 {
		t.Fatalf("%+v", o)
	}
	bolt := filepath.Join(t.TempDir(), "bolt.capsize")
	write(t, bolt, "storage bolt\nwait 1s\n")
	for args, why := range map[string]string{
		"--exact --data " + t.TempDir():                         "keeps its disks in memory",
		"--exact --storage bolt":                                "keeps its disks in memory",
		"play " + bolt + " --exact":                             "keeps its disks in memory",
		"run " + bolt + " --exact":                              "keeps its disks in memory",
		"replay " + native + " --exact":                         "was not recorded with --exact",
		"run leader-crash --until 3":                            "--until needs --exact",
		"run leader-crash --exact --open":                       "--open needs --until",
		"run leader-crash minority-partition --exact --until 3": "stops one run",
		"run leader-crash --exact --until 3 --open":             "needs a terminal",
		"run leader-crash --exact --until 0":                    "numbered from 1",
	} {
		runBinary(t, strings.Fields(args)...).checkRefused(t, why)
	}
}
