package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

func TestDataDirectoryKeepsTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keep := func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = Bolt, dir }
	for round := range int64(3) {
		tc := open(t, 3, keep)
		for _, name := range tc.Names() {
			if n := tc.nodeState(name); round == 1 && n.LastIndex() == 0 {
				tc.fatal("%s starts with an empty log, want the entries of the first round", name)
			}
		}
		tc.expectOutcome(tc.add(2, RouteLeader), trace.OK, "")
		tc.untilValue(2 * (round + 1))
		if _, err := Open(Config{Dir: dir, Settings: DefaultSettings()}); !errors.Is(err, ErrBusy) {
			tc.fatal("second cluster in the same directory: got error %v, want %v", err, ErrBusy)
		}
		if round == 1 {
			tc.must(func() error { return tc.Wipe("n2") }) // a wiped node is still a node of the cluster
		}
		if err := tc.Close(); err != nil {
			tc.fatal("Close: %v", err)
		}
		_, err := Open(Config{Dir: dir, Nodes: 4, Settings: DefaultSettings()})
		if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "3 nodes") {
			tc.fatal("4 nodes in a directory of 3: got error %v, want %v that names 3 nodes", err, ErrMismatch)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "raft.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("raft.db: got %v (%v), want mode 0600", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "snapshots")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("snapshots: got %v (%v), want mode 0700", info, err)
	}
}

// The recording has everything that a node stores while the cluster shuts down: a trace that ends
// earlier would contradict the disks.
func TestRecordingEndsWithTheDisks(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "a.trace")
	record, err := recording.Create(file, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = Bolt, dir }
	tc := open(t, 3, keep, func(cfg *Config) { cfg.Record = record })
	tc.must(func() error { return tc.Load(500, 20, RouteLeader) })
	tc.pass(time.Second)
	tc.clock.Run(vtime.Max) // time keeps running while the cluster closes
	if err := tc.Close(); err != nil {
		tc.fatal("Close: %v", err)
	}
	read := history.New(history.DefaultBudget)
	r, _, err := recording.Open(file, read, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, last := read.Span()
	var end trace.State
	read.StateAt(last.Seq, &end)
	again, err := Open(Config{Dir: dir, Settings: DefaultSettings()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if err := again.Clock().Do(func() {}); err != nil { // the nodes have loaded their disks after it
		t.Fatal(err)
	}
	disks := again.Trace().State()
	for _, n := range end.Nodes {
		disk := disks.Node(n.ID)
		if n.LastIndex() < 100 || n.LastIndex() != disk.LastIndex() || n.Term != disk.Term || n.Vote != disk.Vote {
			t.Errorf("%s ends at entry %d, term %d, vote %s in the recording, and at %d, %d, %s on disk",
				n.ID, n.LastIndex(), n.Term, n.Vote, disk.LastIndex(), disk.Term, disk.Vote)
		}
		if n.Process != trace.Up {
			t.Errorf("%s is %s at the end of the recording, want up", n.ID, n.Process)
		}
	}
}

func TestDataDirectoryIgnoresReservedNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"n1", "leader", "nonvoter", "not a name"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Open(Config{Dir: dir, Settings: DefaultSettings()})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.inside.Names(); !slices.Equal(got, []string{"n1"}) {
		t.Errorf("got nodes %v, want n1 only", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestDataDirectoryWithTooManyNodesIsRefused(t *testing.T) {
	dir := t.TempDir()
	for i := range NodesMax + 1 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("n%d", i+1)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(Config{Dir: dir, Settings: DefaultSettings()})
	if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "100 nodes") {
		t.Errorf("got error %v, want %v that names 100 nodes", err, ErrMismatch)
	}
}
