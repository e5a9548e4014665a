package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigurationAppliesToScreensOnly(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CAPSIZE_CONFIG", dir)
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte("theme = dark\nspeed = fast\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"--plain"}, {"play", "leader-crash"}, {"replay", "nothing"}} {
		runBinary(t, args...).checkRefused(t, file+":2: speed = fast: must be 0")
	}
	// Headless commands ignore it.
	runBinary(t, "run", "leader-crash").checkEnded(t, 0)
	runBinary(t, "scenarios").checkEnded(t, 0)
}

func TestPlainScenarioEndsWithItsStatus(t *testing.T) {
	good := runBinary(t, "play", "--plain", "--speed", "max", writeFile(t, "good.capsize", "nodes 3\nincrement\nwait value 1\nexpect value 1\n"))
	good.checkEnded(t, 0)
	if good.stderr != "" || !strings.HasSuffix(good.stdout, "  scenario passed\n") {
		t.Errorf("it says %q, %q", good.stdout, good.stderr)
	}
	file := writeFile(t, "bad.capsize", "nodes 3\nexpect value 1\n")
	bad := runBinary(t, "play", "--plain", "--speed", "max", file)
	if bad.status != exitFailed || !strings.HasPrefix(bad.stderr, "capsize: "+file+":2:1: expect value 1: wanted ") || strings.Count(bad.stderr, "\n") != 1 {
		t.Errorf("exit status %d; it says %q", bad.status, bad.stderr)
	}
	runBinary(t, "--plain", "--speed", "0").checkRefused(t, "needs a screen")
}

func TestFlagsSayWhatTheyTake(t *testing.T) {
	german := writeFile(t, "german.capsize", "nodes 3\nsay Hello\nsay.de Hallo\n")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--history", "x"}, "--history x: invalid value: must be a whole number"},
		{[]string{"-n", "99999999999999999999"}, "--nodes 99999999999999999999: out of range"},
		{[]string{"--still=maybe"}, "--still maybe: invalid value: must be true or false"},
		{[]string{"--speed", "fast"}, "--speed fast: must be 0, a factor"},
		{[]string{"soak", "--for", "long"}, "--for long: invalid duration: must be like"},
		{[]string{"--lang", "xx"}, "--lang xx: no captions in that language; use en, zh"},
		{[]string{"play", "--lang", "fr", german}, "--lang fr: no captions in that language; use de, en, zh"},
	} {
		out := runBinary(t, c.args...)
		out.checkRefused(t, c.says)
		if strings.Contains(out.stderr, "strconv") || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%v: it says %q", c.args, out.stderr)
		}
	}
	for _, language := range []string{"de", "de-AT", "zh_TW", "en"} {
		runBinary(t, "play", "--plain", "--speed", "max", "--lang", language, german).checkEnded(t, 0)
	}
}
