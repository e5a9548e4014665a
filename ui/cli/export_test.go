package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecordingIsExportedInEveryFormat(t *testing.T) {
	dir := t.TempDir()
	recording := filepath.Join(dir, "good.jsonl.gz")
	runBinary(t, "run", writeFile(t, "good.capsize", goodScenario), "--trace", recording).checkEnded(t, 0)
	for format, want := range map[string]string{
		"html":   "+1: 3",
		"shiviz": `n1 {"n1":1} is up`,
		"svg":    ">n1<",
		"text":   "n1 becomes leader of term 2: it is the only voter",
	} {
		o := runBinary(t, "export", recording, "--format", format)
		o.checkEnded(t, 0)
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%s does not hold %q", format, want)
		}
		file := filepath.Join(dir, "export."+format)
		runBinary(t, "export", recording, "-f", format, "-o", file).checkEnded(t, 0)
		if text, err := os.ReadFile(file); err != nil || string(text) != o.stdout {
			t.Errorf("%s: the file holds something else than what is printed (%v)", format, err)
		}
	}
}

func TestExportFailsInOneLine(t *testing.T) {
	dir := t.TempDir()
	recording := filepath.Join(dir, "good.jsonl")
	runBinary(t, "run", writeFile(t, "good.capsize", goodScenario), "--trace", recording).checkEnded(t, 0)
	whole, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	untouched := filepath.Join(dir, "none.svg")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"export"}, "missing a recording"},
		{[]string{"export", recording, "-f", "png"}, `unknown format "png"`},
		{[]string{"export", recording, "--from", "2s", "--to", "1s"}, "--to must be later than --from"},
		{[]string{"export", recording, "--from", "1h", "-o", untouched}, "no events in this span"},
		{[]string{"export", recording, "--from", "soon"}, "soon"},
		{[]string{"export", recording, "-o", recording}, "is the recording itself"},
		{[]string{"export", recording, "-o", filepath.Join(dir, "no", "file")}, "no such file"},
		{[]string{"export", filepath.Join(dir, "none")}, "no such file"},
		{[]string{"export", writeFile(t, "good.capsize", goodScenario)}, "not a capsize recording"},
	} {
		o := runBinary(t, c.args...)
		if o.status != exitUsage || !strings.Contains(o.stderr, c.says) || strings.Count(o.stderr, "\n") != 1 || o.stdout != "" {
			t.Errorf("%q: exit status %d, printed %q, said %q", c.args, o.status, o.stdout, o.stderr)
		}
	}
	if _, err := os.Stat(untouched); err == nil {
		t.Error("a file is left of an export that failed")
	}
	if after, err := os.ReadFile(recording); err != nil || string(after) != string(whole) {
		t.Errorf("the recording has changed (%v)", err)
	}
	torn := filepath.Join(dir, "torn.jsonl")
	if err := os.WriteFile(torn, whole[:len(whole)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if o := runBinary(t, "export", torn); o.status != 0 || !strings.Contains(o.stderr, "torn off") || !strings.Contains(o.stdout, "n1 becomes leader") {
		t.Errorf("a torn recording: exit status %d, printed %q, said %q", o.status, o.stdout, o.stderr)
	}
}
