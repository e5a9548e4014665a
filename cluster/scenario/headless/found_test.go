package headless

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
)

func TestFoundIsCheckedButNotCreated(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, why := range map[string]string{
		filepath.Join(dir, "a", "b"): "", dir: "", "": "", file: "not a directory", filepath.Join(file, "found"): "not a directory",
	} {
		err := Found{name}.Check()
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: got %v, want %q", name, err, why)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the check left %v, %v", left, err)
	}
}

// finding is a failing exact run with a fingerprint.
func finding(t *testing.T, sum string) Finding {
	t.Helper()
	return Finding{
		Name: "17", Script: script(t, "soak", "# a comment\nseed 17\nsoak 10s"),
		Result: Result{
			Identity: Identity{Mode: engine.ExactMode, Seed: 17, Fingerprint: sum},
			Failures: []scenario.Failure{{Text: "checks", Want: "log-matching ok", Got: "violated:\nn1 " + strings.Repeat("and n2 ", 300)}},
		},
		Trace: func(file string) error { return os.WriteFile(file, []byte(sum), 0o600) },
	}
}

func TestKeptScenarioSaysWhatFailedAndHowToOpenIt(t *testing.T) {
	found := Found{filepath.Join(t.TempDir(), "found")}
	name, err := found.Keep(finding(t, "sha256:aa"))
	if err != nil || name != filepath.Join(found.Dir, "17.capsize") {
		t.Fatalf("%s, %v", name, err)
	}
	text := readFile(t, name)
	lines := strings.Split(text, "\n")
	if !strings.HasPrefix(lines[0], "# checks: wanted log-matching ok, got violated: n1 and n2") || lines[1] != "# capsize play "+name+" --exact" {
		t.Errorf("it says\n%s", text)
	}
	if kept, err := scenario.Parse(name, []byte(text)); err != nil || kept.Text() != "seed 17\nsoak 10s\n" {
		t.Errorf("%v\n%s", err, text)
	}
	native := finding(t, "")
	native.Result.Mode = engine.NativeMode
	name, err = found.Keep(native)
	if text := readFile(t, name); err != nil || !strings.Contains(text, "# capsize replay "+strings.TrimSuffix(name, ".capsize")+".trace.gz\n") || !strings.Contains(text, "alike, not the same") {
		t.Errorf("%v: it says\n%s", err, text)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOnlyTheSameRunReplacesAFinding(t *testing.T) {
	found := Found{t.TempDir()}
	for _, one := range []struct{ print, want string }{{"sha256:aa", "17"}, {"sha256:bb", "17-2"}, {"sha256:aa", "17"}, {"sha256:bb", "17-2"}, {"", "17-3"}, {"", "17-4"}} {
		name, err := found.Keep(finding(t, one.print))
		if err != nil || name != filepath.Join(found.Dir, one.want+".capsize") {
			t.Errorf("%q is kept as %s, %v; want %s", one.print, name, err, one.want)
		}
		if got := readFile(t, filepath.Join(found.Dir, one.want+".trace.gz")); got != one.print {
			t.Errorf("the trace of %s is that of %q", one.want, got)
		}
	}
}

func TestInterruptedTraceLeavesTheRest(t *testing.T) {
	found, one := Found{t.TempDir()}, finding(t, "sha256:aa")
	one.Trace = func(file string) error {
		return errors.Join(os.WriteFile(file, []byte("half"), 0o600), ErrInterrupted)
	}
	name, err := found.Keep(one)
	if !errors.Is(err, ErrInterrupted) || name == "" {
		t.Errorf("%q, %v", name, err)
	}
	for file, kept := range map[string]bool{"17.capsize": true, "17.json": true, "17.trace.gz": false} {
		if _, err := os.Stat(filepath.Join(found.Dir, file)); (err == nil) != kept {
			t.Errorf("%s: %v", file, err)
		}
	}
}
