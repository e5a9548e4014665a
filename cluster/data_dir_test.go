package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

func TestDataDirectoryKeepsTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keep := func(cfg *Config) { cfg.Settings.Storage, cfg.Dir = Bolt, dir }
	for round := range int64(3) {
		tc := open(t, 3, keep)
		for _, name := range tc.Names() {
			if n := tc.nodeState(name); round == 1 && n.LastIndex() == 0 {
				tc.fatal("%s starts with nothing", name)
			}
		}
		tc.expectOutcome(tc.add(2, RouteLeader), trace.OK, "")
		tc.untilValue(2 * (round + 1))
		if _, err := Open(Config{Dir: dir, Settings: DefaultSettings()}); !errors.Is(err, ErrBusy) {
			tc.fatal("a second one: %v", err)
		}
		if round == 1 {
			tc.must(func() error { return tc.Wipe("n2") }) // it is a node of the cluster still
		}
		if err := tc.Close(); err != nil {
			tc.fatal("Close: %v", err)
		}
		if _, err := Open(Config{Dir: dir, Nodes: 4, Settings: DefaultSettings()}); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "3 nodes") {
			tc.fatal("another size: %v", err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "raft.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("raft.db: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "n1", "snapshots")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("snapshots: %v, %v", info.Mode(), err)
	}
}
