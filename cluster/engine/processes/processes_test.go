package processes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/enginetest"
	"capsize/cluster/engine/processes"
	"capsize/cluster/machines"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// open opens a cluster of three nodes, which ends with the test.
func open(tb testing.TB) engine.Engine {
	tb.Helper()
	e, err := processes.Open(enginetest.Config(), engine.Options{Attended: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// refuseVariable makes children end at once.
const refuseVariable = "CAPSIZE_TEST_REFUSE"

// TestMain makes this program a node when a test starts it as one.
func TestMain(m *testing.M) {
	switch {
	case machines.IsChild() && os.Getenv(refuseVariable) != "":
		end(errors.New("capsize: this child does not want to"))
	case machines.IsChild():
		end(machines.RunChild())
	case os.Getenv(nodeVariable) != "":
		end(runNode(os.Getenv(nodeVariable)))
	}
	os.Exit(m.Run())
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// hung is how long a test waits before it calls a run hung.
const hung = 3 * time.Minute

// parse parses a scenario.
func parse(t *testing.T, name, text string) *scenario.Script {
	t.Helper()
	script, err := scenario.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// run performs a scenario over processes.
func run(t *testing.T, s *scenario.Script) (*history.History, headless.Result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	past, r, err := headless.RunRecorded(ctx, processes.Open, s)
	if err != nil {
		t.Fatal(err)
	}
	return past, r
}

// leaveNothing gives the test a temporary directory of its own, and fails if a file, a process or a
// socket is left in the end.
func leaveNothing(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	sockets := openSockets(t)
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("files are left: %v (%v)", left, err)
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("processes are left: %v", left)
		}
		if left := openSockets(t); left > sockets {
			t.Errorf("%d sockets are open, %d were before", left, sockets)
		}
	})
}

// children returns the process IDs of this one's children, where the system shows them as files.
func children(t *testing.T) (found []string) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range all {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, fields, _ := strings.Cut(string(content), ") ")
		if f := strings.Fields(fields); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			pid, _, _ := strings.Cut(string(content), " ")
			found = append(found, pid)
		}
	}
	return found
}

// openSockets returns how many sockets this process has open, where the system shows them.
func openSockets(t *testing.T) (count int) {
	t.Helper()
	all, _ := filepath.Glob("/proc/self/fd/*")
	for _, name := range all {
		if target, err := os.Readlink(name); err == nil && strings.HasPrefix(target, "socket:") {
			count++
		}
	}
	return count
}

func TestProcessesConform(t *testing.T) {
	leaveNothing(t)
	enginetest.Run(t, engine.ProcessesMode, func(tb testing.TB) engine.Engine {
		tb.Helper()
		return open(tb)
	})
}

// attempts is how often a test tries what a busy machine may not be fast enough for: an election that
// takes a second round there is no mistake.
const attempts = 3

// succeed performs a scenario until it holds and its past is as wanted, a few times at most.
func succeed(t *testing.T, s *scenario.Script, isWanted func(past *history.History, r headless.Result) bool) {
	t.Helper()
	for range attempts {
		past, r := run(t, s)
		if r.OK && isWanted(past, r) {
			return
		}
		t.Logf("%s: %v, checks %v", s.Name, r.Failures, r.Checks)
	}
	t.Errorf("%s does not hold in %d attempts", s.Name, attempts)
}

// Scenarios hold over processes as they do in virtual time. These take a few seconds each.
func TestScenariosHold(t *testing.T) {
	leaveNothing(t)
	for _, name := range []string{"leader-crash", "paused-leader", "minority-partition", "heartbeat-divergence", "disk-full"} {
		script, err := scenario.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		succeed(t, script, func(_ *history.History, r headless.Result) bool { return r.Mode == engine.ProcessesMode })
	}
}

// A node's process is one of the operating system: it has another process ID, and its death is
// noticed whoever caused it.
func TestDeathFromOutsideIsNoticed(t *testing.T) {
	leaveNothing(t)
	e := open(t)
	if !engine.AwaitLeader(e, engine.FirstElection) {
		t.Fatal("no leader")
	}
	found := children(t)
	if len(found) == 0 {
		t.Skip("the system does not show processes as files")
	}
	if len(found) != 3 {
		t.Fatalf("%d children, want 3: %v", len(found), found)
	}
	died := make(chan trace.Event, 3)
	e.Subscribe(func(event trace.Event) {
		if event.Kind == trace.KindProcess && event.Process == trace.Killed {
			died <- event
		}
	})
	id, _ := strconv.Atoi(found[0])
	victim, err := os.FindProcess(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	dead := (<-died).Node
	if a := engine.Do(e, engine.Order{Line: "restart " + dead}); a.End.Err != nil {
		t.Errorf("restarting %s: %v", dead, a.End.Err)
	}
	if a := engine.Do(e, engine.Order{Line: "increment"}); a.End.Err != nil || a.End.Op.Outcome != trace.OK {
		t.Errorf("increment: %+v", a.End)
	}
}

func TestChildrenThatCannotStartEndTheCluster(t *testing.T) {
	leaveNothing(t)
	t.Setenv(refuseVariable, "1")
	e, err := processes.Open(enginetest.Config(), engine.Options{})
	if err == nil || !strings.Contains(err.Error(), "failed to start: this child does not want to") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("opened %v with error %v", e, err)
	}
}

func TestImpossibleFaultsAreRefused(t *testing.T) {
	leaveNothing(t)
	e := open(t)
	for _, line := range []string{"lose n1 -> n2 10%", "duplicate n1 -> n2 10%", "reorder n1 -> n2 10%", "hold all", "fire n1 election"} {
		if a := engine.Do(e, engine.Order{Line: line}); a.End.Err == nil {
			t.Errorf("%s is accepted", line)
		}
	}
}

// What is said of a data directory holds for processes too: a cluster goes on where it was.
func TestClusterGoesOnOverItsFiles(t *testing.T) {
	cfg := enginetest.Config()
	cfg.Settings.Storage, cfg.Dir = cluster.Bolt, t.TempDir()
	for round := range 2 {
		e, err := processes.Open(cfg, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		engine.AwaitLeader(e, engine.FirstElection)
		if a := engine.Do(e, engine.Order{Line: "increment"}); a.End.Err != nil || a.End.Op.Value != int64(round+1) {
			t.Errorf("round %d: %+v", round, a.End)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		cfg.Nodes = 0
	}
	if names, err := os.ReadDir(cfg.Dir); err != nil || !slices.ContainsFunc(names, func(d os.DirEntry) bool { return d.Name() == "n3" }) {
		t.Errorf("%v, %v", names, err)
	}
}

// A successor whose connections are stale, because the nodes have restarted since it asked them for
// votes, loses its first election. Before its own timer fires, another node wins, and the transfer is
// tried again.
func TestTransferOverStaleConnections(t *testing.T) {
	leaveNothing(t)
	past, r := run(t, parse(t, "stale", `nodes 5
storage memory

transfer n5
wait leader n5
wait 500ms
transfer n1
wait leader n1
wait converged
kill n2
restart n2
wait converged
kill n3
restart n3
wait converged
kill n4
restart n4
wait converged
clock n5 20
transfer n5
expect leader n5
`))
	if !r.OK {
		t.Fatal(r.Failures)
	}
	stale := 0
	past.Events(1, r.Events, func(e *trace.Event) bool {
		if e.Kind == trace.KindLogLine && strings.Contains(e.Text, "failed to make requestVote RPC") {
			stale++
		}
		return true
	})
	if stale < 3 {
		t.Errorf("%d requests for votes failed, want those to n2, n3 and n4", stale)
	}
}
