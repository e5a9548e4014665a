package cluster

import (
	"errors"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// openWithSnapshot opens a cluster of five nodes with value 2, of which n3 has a snapshot.
func openWithSnapshot(t *testing.T, change func(*Config)) *testCluster {
	t.Helper()
	tc := open(t, 5, change)
	tc.add(2, RouteLeader)
	tc.untilValue(2)
	tc.must(func() error { return tc.Snapshot("n3") })
	return tc
}

// A fork does not repair disks: a node that cannot start cannot start in the fork either.
func TestForkKeepsDamage(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := openWithSnapshot(t, change)
		tc.setDisk("n2", faults.Corrupt{})
		tc.setDisk("n3", faults.CorruptSnapshot{})
		damage := map[string]faults.DiskFault{"n2": faults.Corrupt{}, "n3": faults.CorruptSnapshot{}}
		for name := range damage {
			tc.must(func() error { return tc.Kill(name) })
			tc.expectRefused(tc.do(func() error { return tc.Restart(name) }), name+" failed to start", ": wipe "+name+" and restart it")
			tc.setDisk(name, nil)
			tc.expectRefused(tc.do(func() error { return tc.Restart(name) }), "damaged")
		}
		tc.must(func() error { return tc.PowerOff("n2") })
		tc.pass(time.Second)
		state := tc.Trace().State()
		// The second fork is one of the first.
		for range 2 {
			b := tc.fork(&state)
			for name, want := range damage {
				if is, was := b.nodeState(name), state.Node(name); is.Process != was.Process || is.Term != was.Term ||
					is.LastIndex() != was.LastIndex() || is.Damage != was.Damage {
					tc.fatal("%s: fork starts with %+v, want %+v", name, is, was)
				}
				err := b.do(func() error { return b.Restart(name) })
				if got := faults.DamageOf(err); got != want {
					tc.fatal("restarting %s in a fork: got %v, want damage of kind %q", name, err, want)
				}
				b.must(func() error { return b.Wipe(name) })
				b.must(func() error { return b.Restart(name) })
			}
			if !b.AwaitLeader(time.Minute) {
				b.fatal("fork got no leader")
			}
			b.expectOutcome(b.add(1, RouteLeader), trace.OK, "")
			b.untilValue(3)
			b = tc.fork(&state)
			state = b.Trace().State()
		}
	})
}

// A fault that waits for the next start takes effect in a fork, where every node starts.
func TestForkOfADiskThatWillDamageItsSnapshot(t *testing.T) {
	forEachStorage(t, func(t *testing.T, change func(*Config)) {
		t.Helper()
		tc := openWithSnapshot(t, change)
		tc.setDisk("n3", faults.CorruptSnapshot{})
		state := tc.Trace().State()
		b := tc.fork(&state)
		b.pass(time.Second)
		is, was := b.nodeState("n3"), state.Node("n3")
		if is.Process != trace.Crashed || is.Damage != "corrupt snapshot" || is.Term != was.Term || is.LastIndex() != was.LastIndex() ||
			len(is.Entries) != len(was.Entries) || is.SnapshotIndex != was.SnapshotIndex {
			tc.fatal("the fork has %+v, want it crashed with the disk of %+v", is, was)
		}
	})
}

// FileSnapshotStore keeps two snapshots. A node that fell back to the older one has spent the
// fault: in a fork, it starts.
func TestForkAfterAFallback(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.Storage = Bolt })
	name := tc.followers()[0]
	tc.snapshotTwice(name)
	tc.setDisk(name, faults.CorruptSnapshot{})
	tc.must(func() error { return tc.Kill(name) })
	tc.must(func() error { return tc.Restart(name) })
	tc.untilValue(11)
	state := tc.Trace().State()
	b := tc.fork(&state)
	b.expectProcess(name, trace.Up)
	b.untilValue(11)
}

func TestDamageThatCannotBeRestored(t *testing.T) {
	tc := open(t, 3)
	state := tc.Trace().State()
	state.Nodes[0].Process, state.Nodes[0].Damage = trace.Crashed, "corrupt snapshot" // it has none
	c, err := Open(Config{From: &state})
	if err == nil {
		err = errors.Join(errors.New("no error"), c.Close())
	}
	tc.expectRefused(err, "n1", "there is nothing to damage")
}
