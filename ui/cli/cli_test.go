package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// keepsCounting tells this test binary, started as a child, in which directory to
// count until it is killed.
const keepsCounting = "CAPSIZE_TEST_KEEPS_COUNTING"

// patience is how long a test waits, in real time, before it fails.
const patience = time.Minute

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	if dir := os.Getenv(keepsCounting); dir != "" {
		os.Exit(keepCounting(dir))
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "capsize-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "capsize.exe")
	if err := os.Setenv("CAPSIZE_CONFIG", filepath.Join(dir, "config")); err != nil { // not that of whoever runs this
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "capsize").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s", err, out)
		return 1
	}
	return m.Run()
}

// outcome is how the program ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// runBinary runs the program to its end.
func runBinary(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	// A program that is not refused runs until it is killed, and fails the test.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// checkRefused checks that the program said in one line why it did not start.
func (o outcome) checkRefused(t *testing.T, why string) {
	t.Helper()
	if o.status != exitUsage {
		t.Errorf("exit status %d, wanted %d", o.status, exitUsage)
	}
	if o.stdout != "" {
		t.Errorf("it wrote %q to its standard output", o.stdout)
	}
	if !strings.HasPrefix(o.stderr, "capsize: ") || strings.Count(o.stderr, "\n") != 1 || !strings.HasSuffix(o.stderr, "\n") {
		t.Errorf("it is not one line of its own: %q", o.stderr)
	}
	if !strings.Contains(o.stderr, why) {
		t.Errorf("it says %q, which does not say %q", o.stderr, why)
	}
}

func TestBadCommandLineFailsInOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, why string }{
		{"--nodes 0", "1 to 99"},
		{"--nodes -3", "1 to 99"},
		{"-n 100", "1 to 99"},
		{"--nodes five", "invalid"},
		{"--nodes", "needs an argument"},
		{"--storage tape", "tape"},
		{"--storage memory --data " + t.TempDir(), "needs --storage bolt"},
		{"--data " + file, "not a directory"},
		{"--data " + filepath.Join(file, "deeper"), "not a directory"},
		{"--seed x", "invalid"},
		{"--seed 99999999999999999999", "out of range"},
		{"--speed fast", "a factor from"},
		{"--speed -1", "a factor from"},
		{"--speed NaN", "a factor from"},
		{"--speed 1/0", "a factor from"},
		{"--speed 1/2/3", "a factor from"},
		{"--speed 0.00001", "a factor from"},
		{"--speed 10001", "a factor from"},
		{"--set election", "KEY=VALUE"},
		{"--set colour=red", "election"}, // it names the keys there are
		{"--set election=soon", "250ms"},
		{"--set election=-1s", "250ms"},
		{"--set prevote=perhaps", "on nor off"},
		{"--set snapshot-threshold=0", "1 or more"},
		{"--set heartbeat=50ms --set election=10ms", "election"},
		{"--theme beige", "dark"},
		{"play leader-crash --answers " + filepath.Join(file, "deeper"), "without --plain"},
		{"learn 11", "there are 1 to 10"},
		{"--fast", "unknown flag"},
		{"-z", "unknown shorthand"},
		{"swim", `unknown command "swim"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			runBinary(t, strings.Fields(c.args)...).checkRefused(t, c.why)
		})
	}
}

func TestVersionAndHelp(t *testing.T) {
	version := runBinary(t, "--version")
	if version.status != 0 || version.stderr != "" || !regexp.MustCompile(`^capsize \S+\n$`).MatchString(version.stdout) {
		t.Errorf("--version: %+v", version)
	}
	help := runBinary(t, "--help")
	if help.status != 0 || help.stderr != "" {
		t.Errorf("--help: status %d, stderr %q", help.status, help.stderr)
	}
	for _, flag := range []string{"-n, --nodes", "--storage", "--data", "--seed", "--speed", "--set", "--theme", "--ascii", "--plain", "--version"} {
		if !strings.Contains(help.stdout, flag) {
			t.Errorf("the help does not tell of %s", flag)
		}
	}
}

// plainRun is the program while it writes plain lines.
type plainRun struct {
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func startPlain(t *testing.T, args ...string) *plainRun {
	t.Helper()
	p := &plainRun{cmd: exec.CommandContext(t.Context(), binary, append(args, "--plain")...)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stdout)
	if _, err := p.cmd.StdinPipe(); err != nil { // open until Wait, because its end ends the program
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

var leadsTerm = regexp.MustCompile(`n\d+ becomes leader of term (\d+)`)

// term waits for a leader, and returns its term.
func (p *plainRun) term(t *testing.T) int {
	t.Helper()
	for p.lines.Scan() {
		if found := leadsTerm.FindStringSubmatch(p.lines.Text()); found != nil {
			term, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			return term
		}
	}
	t.Fatalf("nobody ever leads: %s", p.stderr.String())
	return 0
}

// terminate ends the program as a shutdown does, and checks that it ends cleanly.
func (p *plainRun) terminate(t *testing.T) {
	t.Helper()
	terminate(t, p.cmd)
	for p.lines.Scan() {
		continue
	}
	if err := p.cmd.Wait(); err != nil || p.stderr.Len() > 0 {
		t.Errorf("it ended with %v and said %q", err, p.stderr.String())
	}
}

// counting is a cluster whose counter must survive.
type counting struct {
	*cluster.Cluster
}

// openCounting opens the cluster in a directory and waits for its leader.
func openCounting(dir string) (counting, error) {
	c, err := cluster.Open(cluster.Config{DefaultNodes: 3, Dir: dir, Settings: cluster.DefaultSettings()})
	if err != nil {
		return counting{}, err
	}
	if !c.AwaitLeader(time.Minute) {
		return counting{}, errors.Join(errors.New("no leader within a minute"), c.Close())
	}
	return counting{c}, nil
}

// increment adds one and advances the clock until the reply.
func (c counting) increment() (trace.Op, error) {
	answers := make(chan trace.Op, 1)
	if err := c.Do("increment", func(c *cluster.Inside) error { answers <- c.Add(1, cluster.RouteLeader); return nil }); err != nil {
		return trace.Op{}, err
	}
	for {
		select {
		case op := <-answers:
			return op, nil
		default:
		}
		if err := c.Clock().Advance(time.Millisecond); err != nil {
			return trace.Op{}, err
		}
	}
}

// settled advances the clock until all nodes have applied every entry, and returns the
// state.
func (c counting) settled() (trace.State, error) {
	for range 10_000 {
		state := c.Trace().State()
		leader := state.LeaderNode()
		if leader != nil && !slices.ContainsFunc(state.Nodes, func(n trace.Node) bool {
			return n.Applied != leader.LastIndex() || n.Value != leader.Value || n.LastIndex() != leader.LastIndex()
		}) {
			return state, nil
		}
		if err := c.Clock().Advance(10 * time.Millisecond); err != nil {
			return state, err
		}
	}
	return trace.State{}, errors.New("the nodes do not agree within 100 s")
}

// reopened opens the cluster in a directory again, and returns its value and state.
func reopened(t *testing.T, dir string) trace.State {
	t.Helper()
	c, err := openCounting(dir)
	if err != nil {
		t.Fatal(err)
	}
	state, err := c.settled()
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestDataDirectoryKeepsTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cluster")
	p := startPlain(t, "--data", dir, "--nodes", "3")
	first := p.term(t)
	p.terminate(t)

	c, err := openCounting(dir)
	if err != nil {
		t.Fatal(err)
	}
	const count = 7
	for range count {
		if op, err := c.increment(); err != nil || op.Outcome != trace.OK {
			t.Fatalf("increment: %+v, %v", op, err)
		}
	}
	before, err := c.settled()
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}

	p = startPlain(t, "--data", dir)
	if last := p.term(t); last <= first {
		t.Errorf("the first leader had term %d, the last one %d", first, last)
	}
	p.terminate(t)

	after := reopened(t, dir)
	if len(after.Nodes) != 3 {
		t.Errorf("there are %d nodes", len(after.Nodes))
	}
	for i, n := range after.Nodes {
		if n.Value != count {
			t.Errorf("%s has the value %d, it was %d", n.ID, n.Value, count)
		}
		for index := before.Nodes[i].First; index <= before.Nodes[i].LastIndex(); index++ {
			was, _ := before.Nodes[i].Entry(index)
			if is, ok := n.Entry(index); !ok || !reflect.DeepEqual(is, was) {
				t.Errorf("%s: entry %d is %+v, it was %+v", n.ID, index, is, was)
			}
		}
	}
}

// keepCounting increments until this process is killed, and prints each acknowledged
// value.
func keepCounting(dir string) int {
	c, err := openCounting(dir)
	for err == nil {
		var op trace.Op
		if op, err = c.increment(); op.Outcome == trace.OK {
			fmt.Println(op.Value)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestKilledProgramLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	told := 0
	for round := range 2 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), keepsCounting+"="+dir)
		child.Stderr = os.Stderr
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		before := told
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if told, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			// It dies in the middle of its work; what it still says is true.
			if told == before+20 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		if told < before+20 {
			t.Fatalf("round %d: it was told %d, after %d", round, told, before)
		}
	}
	for _, n := range reopened(t, dir).Nodes {
		// The last increment may have been stored without an answer.
		if n.Value < int64(told) || n.Value > int64(told)+1 {
			t.Errorf("%s has the value %d, a client was told %d", n.ID, n.Value, told)
		}
	}
}

func TestDataDirectoryInUseFailsAtOnce(t *testing.T) {
	dir := t.TempDir()
	p := startPlain(t, "--data", dir)
	p.term(t)
	runBinary(t, "--data", dir).checkRefused(t, "another capsize is using it")
	p.terminate(t)
	runBinary(t, "--data", dir, "--nodes", "4").checkRefused(t, "already holds a cluster of 5 nodes, not 4")
}

func TestOnlyTheOwnerMayReadTheFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such permissions there")
	}
	dir := filepath.Join(t.TempDir(), "cluster")
	p := startPlain(t, "--data", dir)
	p.term(t)
	p.terminate(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} {
		t.Setenv(name, dir)
	}
	p := startPlain(t)
	p.term(t)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Fatalf("while it runs its directory holds %v, %v", entries, err)
	}
	p.terminate(t)

	// The reader of its lines may leave.
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Stdout = writer
	if err := errors.Join(reader.Close(), cmd.Start(), writer.Close()); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("without a reader: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("it left %v behind, %v", entries, err)
	}
}
