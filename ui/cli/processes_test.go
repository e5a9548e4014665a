package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"capsize/cluster/scenario/headless"
)

func TestFlagsThatProcessesExclude(t *testing.T) {
	byHand := writeFile(t, "hand.capsize", "title By hand\nincrement\nhold all\n")
	for _, c := range []struct {
		args string
		want string
	}{
		{"--processes --exact --plain", "exclude each other"},
		{"--processes --speed 10 --plain", "--speed 10: over processes time is real"},
		{"--processes --speed max --plain", "--speed max: over processes time is real"},
		{"play leader-crash --processes --speed 0 --plain", "--speed 0: over processes time is real"},
		{"run leader-crash --processes --exact", "exclude each other"},
		{"soak --processes --exact", "exclude each other"},
		{"record leader-crash -o a.svg --processes --exact", "exclude each other"},
		{"attach 127.0.0.1:1 --speed 3 --plain", "--speed 3: over processes time is real"},
		{"attach", "missing the control address of a node"},
		{"learn --processes", "unknown flag: --processes"},
		{"replay a --processes", "unknown flag: --processes"},
		{"hunt --processes", "unknown flag: --processes"},
		{"shrink a --processes", "unknown flag: --processes"},
		// Nothing of the first scenario runs.
		{"run leader-crash --processes -v " + byHand, byHand + ":3:1: hold is not possible over processes"},
		{"play --processes --plain " + byHand, byHand + ":3:1: hold is not possible over processes"},
	} {
		o := runBinary(t, strings.Fields(c.args)...)
		o.checkRefused(t, c.want)
		if o.stdout != "" || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", c.args, o)
		}
	}
}

// A speed that the configuration sets is for virtual time: processes need no other configuration.
func TestConfiguredSpeedIsForVirtualTime(t *testing.T) {
	t.Setenv("CAPSIZE_SPEED", "10")
	dir := t.TempDir()
	t.Setenv("CAPSIZE_CONFIG", dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte("speed = 30\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runBinary(t, "--processes", "--exact", "--plain").checkRefused(t, "exclude each other")
	runBinary(t, "attach", "127.0.0.1:1", "--plain").checkRefused(t, "127.0.0.1:1: does not answer")
}

func TestScenariosRunOverProcesses(t *testing.T) {
	short := writeFile(t, "short.capsize", "title Short\nnodes 3\nseed 7\nset heartbeat 200ms\nset election 200ms\nset lease 100ms\nspeed 100\nincrement 3\nexpect value 3 on all within 10s\n")
	o := runBinary(t, "run", "--processes", "--json", "--repeat", "2", short)
	o.checkEnded(t, 0)
	results := json.NewDecoder(strings.NewReader(o.stdout))
	for seed := int64(7); seed < 9; seed++ {
		var r headless.Result
		if err := results.Decode(&r); err != nil || r.Mode != "processes" || r.Seed != seed || r.Fingerprint != "" || !r.OK || r.Value != 3 {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

// An interrupt ends the run and those that would follow, and leaves no file.
func TestInterruptEndsARunOverProcesses(t *testing.T) {
	temporary := t.TempDir()
	long := writeFile(t, "long.capsize", "title Long\nnodes 3\nincrement\nwait 5m\n")
	cmd := exec.CommandContext(t.Context(), binary, "run", "--processes", "-v", long, long, long)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.HasSuffix(lines.Text(), "wait 5m") {
			terminate(t, cmd)
		}
	}
	_ = cmd.Wait() // the exit status is what counts
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || said[len(said)-1] != "capsize: interrupted" {
		t.Errorf("%d: %s", code, said)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
