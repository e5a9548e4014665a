package cluster

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// snapshotTwice makes a node take two snapshots, with more entries after each.
func (tc *testCluster) snapshotTwice(name string) {
	tc.t.Helper()
	for range 2 {
		for range 5 {
			tc.add(1, RouteLeader)
		}
		tc.pass(time.Second)
		tc.must(func() error { return tc.Snapshot(name) })
	}
	tc.add(1, RouteLeader)
	tc.untilValue(11)
}

// FileSnapshotStore keeps two snapshots. The checksum reveals damage in the newer one, and raft
// starts from the older one, because the log still has the entries after it.
func TestDamagedSnapshotIsPassedOver(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.Storage = Bolt })
	name := tc.followers()[0]
	tc.snapshotTwice(name)
	newest := tc.nodeState(name).SnapshotIndex
	tc.setDisk(name, faults.CorruptSnapshot{})
	tc.must(func() error { return tc.Kill(name) })
	tc.must(func() error { return tc.Restart(name) })
	n := tc.nodeState(name)
	if n.Process != trace.Up || n.SnapshotIndex == 0 || n.SnapshotIndex >= newest {
		tc.fatal("%s is %s with a snapshot up to %d, want it up with one before %d", name, n.Process, n.SnapshotIndex, newest)
	}
	found := false
	for _, line := range tc.state().Story {
		found = found || strings.HasPrefix(line.Text, name+" falls back to its snapshot up to entry ") &&
			strings.HasSuffix(line.Text, ": its newest snapshot is damaged (CRC mismatch)")
	}
	if !found {
		tc.fatal("the story does not say that %s falls back", name)
	}
	tc.untilValue(11)
	logged := false
	for _, line := range tc.nodeState(name).LogLines {
		logged = logged || strings.Contains(line.Text, "failed to open snapshot") && strings.Contains(line.Text, "CRC mismatch")
	}
	if !logged {
		t.Errorf("raft did not log what it found")
	}
	tc.expectNoViolation()
}

// Without an older snapshot, or without the entries after it, raft cannot start.
func TestDamagedSnapshotStopsANode(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"there is no older one to start from": func(cfg *Config) { cfg.Settings.Storage = Memory },
		"and the log no longer has entry ": func(cfg *Config) {
			cfg.Settings.Storage, cfg.Settings.TrailingLogs = Bolt, 1
		},
	} {
		tc := open(t, 3, change)
		name := tc.followers()[0]
		tc.snapshotTwice(name)
		tc.setDisk(name, faults.CorruptSnapshot{})
		tc.must(func() error { return tc.Kill(name) })
		tc.expectRefused(tc.do(func() error { return tc.Restart(name) }), name+" failed to start", "is damaged (CRC mismatch)", want)
		tc.expectProcess(name, trace.Crashed)
		tc.must(func() error { return tc.Wipe(name) })
		tc.must(func() error { return tc.Restart(name) })
		tc.untilValue(11)
		tc.expectNoViolation()
	}
}
