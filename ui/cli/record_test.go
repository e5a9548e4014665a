package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSameTraceRendersToTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	recording := filepath.Join(dir, "good.jsonl.gz")
	runBinary(t, "run", writeFile(t, "good.capsize", goodScenario), "--trace", recording).checkEnded(t, 0)
	for _, ending := range []string{".cast", ".svg"} {
		var first []byte
		for _, name := range []string{"a", "b"} {
			file := filepath.Join(dir, name+ending)
			runBinary(t, "record", recording, "-o", file, "--size", "80x24", "--fps", "10", "--theme", "light", "--idle-limit", "2s").checkEnded(t, 0)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if first != nil && !bytes.Equal(first, data) {
				t.Errorf("%s: recorded twice, it is not the same", ending)
			}
			first = data
		}
		if want := map[string]string{".cast": `{"version":3,"term":{"cols":80,"rows":24,`, ".svg": "<svg "}[ending]; !strings.HasPrefix(string(first), want) {
			t.Errorf("%s begins with %.80s", ending, first)
		}
	}
}

func TestFailingScenarioIsRecordedAndReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.cast")
	o := runBinary(t, "record", writeFile(t, "bad.capsize", "nodes 1\nexpect value 7\n"), "-o", file)
	if o.status != exitFailed || !strings.Contains(o.stderr, "expect value 7") {
		t.Errorf("status %d, it says %q", o.status, o.stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("there is no recording of it (%v)", err)
	}
}

func TestRecordFailsInOneLine(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "a.cast")
	for _, c := range []struct{ args, why string }{
		{"record leader-crash", "no output file"},
		{"record leader-crash -o a.gif", "use the extension .cast or .svg"},
		{"record nosuch -o " + out, "no such file"},
		{"record leader-crash -o " + filepath.Join(dir, "no", "a.cast"), "no such file or directory"},
		{"record leader-crash --size 1x1 -o " + out, "60x18"},
		{"record leader-crash --size big -o " + out, "like 120x36"},
		{"record leader-crash --fps 1000 -o " + out, "1 to 60"},
		{"record leader-crash --theme pink -o " + out, "unknown theme"},
		{"record leader-crash --idle-limit -1s -o " + out, "negative"},
		{"record leader-crash --at 1s -o " + out, "renders a still"},
		{"record leader-crash --at 1h -o " + filepath.Join(dir, "a.svg"), "only"},
		{"record " + writeFile(t, "torn.jsonl", `{"capsize":99}`) + " -o " + out, "torn.jsonl"},
		{"--cast " + out, "no screen"},
	} {
		runBinary(t, strings.Fields(c.args)...).checkRefused(t, c.why)
	}
}

func TestShellCompletesNamesAndValues(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"play lead", "leader-crash"},
		{"run stale", "stale-read"},
		{"record figure", "figure-8"},
		{"record --theme ", "colour-blind"},
		{"play --lang ", "zh"},
		{"--storage ", "memory"},
		{"--set ", "election="},
		{"soak --chaos ", "membership"},
		{"record --size ", "120x36"},
	} {
		args := strings.Split(c.args, " ")
		o := runBinary(t, append([]string{"__complete"}, args...)...)
		if o.status != 0 || !strings.Contains(o.stdout, c.want+"\n") {
			t.Errorf("%s: %q does not hold %s", c.args, o.stdout, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if o := runBinary(t, "completion", shell); o.status != 0 || !strings.Contains(o.stdout, "capsize") {
			t.Errorf("%s: status %d, %q", shell, o.status, o.stderr)
		}
	}
}

func TestPlainOutputFollowsTheLanguage(t *testing.T) {
	file := writeFile(t, "two.capsize", "nodes 1\nsay hello \u202eevil\nsay.zh 你好\u200b\nwait 1s\n")
	for language, want := range map[string]string{"en": "hello evil", "zh": "你好\n"} {
		p := startPlain(t, "play", file, "--speed", "max", "--lang", language)
		var said strings.Builder
		for p.lines.Scan() {
			said.WriteString(p.lines.Text() + "\n")
			if strings.Contains(p.lines.Text(), "scenario passed") {
				break
			}
		}
		p.terminate(t)
		if text := said.String(); !strings.Contains(text, want) || strings.ContainsAny(text, "\u202e\u200b") {
			t.Errorf("%s: it says %q", language, text)
		}
	}
}
