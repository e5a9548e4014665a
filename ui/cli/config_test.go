package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"capsize/ui"
	"capsize/ui/source"
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

// flagsOf returns the options from a configuration, an environment and a command line.
func flagsOf(t *testing.T, config string, environment map[string]string, args ...string) (ui.Options, error) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("CAPSIZE_CONFIG", dir)
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	var o ui.Options
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addOptions(&o, fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o, configureFlags(fs)
}

func TestFlagsWinOverEnvironmentOverFile(t *testing.T) {
	o, err := flagsOf(t, "# mine\ntheme = light\nspeed=1/10\n\nascii = on\nstill = yes\nlang = zh\nhistory = 64\nkey.k = x\nkey.x = ctrl+s\n",
		map[string]string{"CAPSIZE_SPEED": "3", "CAPSIZE_THEME": "colour-blind", "CAPSIZE_STILL": "off"}, "--theme", "high-contrast", "--bind", "x=f5")
	if err != nil {
		t.Fatal(err)
	}
	if o.Theme != "high-contrast" || o.Speed != 3 || !o.ASCII || o.Still || o.Lang != "zh" || o.HistoryMB != 64 {
		t.Errorf("the options are %+v", o)
	}
	if o.Bindings["k"] != "x" || o.Bindings["x"] != "f5" {
		t.Errorf("the keys are %v", o.Bindings)
	}
}

func TestDefaultsWithoutConfiguration(t *testing.T) {
	o, err := flagsOf(t, "", nil)
	if err != nil || o.Theme != "" || o.Speed != 1 || o.ASCII || o.HistoryMB != source.HistoryMB || len(o.Bindings) > 0 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestConfigurationErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"theme":                          `config:1: theme: must be NAME = VALUE`,
		"\ncolour = red":                 `config:2: colour = red: unknown setting "colour": use theme, speed`,
		"theme = pink":                   `config:1: theme = pink: unknown theme "pink": use dark`,
		"speed = fast":                   `config:1: speed = fast: must be 0, a factor`,
		"ascii = perhaps":                `config:1: ascii = perhaps: must be on or off`,
		"history = much":                 `config:1: history = much: must be a whole number`,
		"still = on\nstill = off":        `config:2: still = off: already set in line 1`,
		"key.k = i":                      `config: i already does "increment": rebind that key too`,
		"key.k = \x1b[2J":                `config:1: key.k = [2J: "\x1b[2J" is not a key`,
		"key.k = fish":                   `config:1: key.k = fish: "fish" is not a key: use a character`,
		"key.fish = k":                   `config:1: key.fish = k: no key "fish" can be rebound`,
		"key.1-9 = k":                    `no key "1-9" can be rebound`,
		strings.Repeat("#", configMax+1): `config: too large, at most 64 kB`,
	} {
		if _, err := flagsOf(t, text, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v, not %s", text, err, want)
		}
	}
	_, err := flagsOf(t, "", map[string]string{"CAPSIZE_THEME": "pink"})
	if want := `CAPSIZE_THEME=pink: unknown theme "pink"`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, not %s", err, want)
	}
}

func TestEqualsSignCanBeRebound(t *testing.T) {
	if _, err := flagsOf(t, "key.k = i\nkey.i = ctrl+k\nkey.== z\nkey.z = =", nil); err == nil || !strings.Contains(err.Error(), "key.== z") {
		t.Errorf("the key = is none of its own: %v", err)
	}
}
