package cluster

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"go.uber.org/goleak"
)

// TestKillsUnderDiskFaults kills nodes under load, one at a time, while a disk fault is set: 1,000
// times with -long. Nothing may leak: no goroutine, open file, temporary file or memory. Where the
// fault is within Raft's model, every check is ok. Elsewhere nothing may hang or panic.
func TestKillsUnderDiskFaults(t *testing.T) {
	kills := 25
	if *long {
		kills = 1000
	}
	for _, fault := range []faults.DiskFault{
		faults.Slow{Latency: 100 * time.Millisecond},
		faults.Stall{},
		faults.Fail{},
		faults.Full{},
		faults.Lie{},
		faults.Corrupt{},
		faults.CorruptSnapshot{},
	} {
		for _, storage := range []string{Memory, Bolt} {
			t.Run(fault.String()+"/"+storage, func(t *testing.T) {
				temporary := filepath.Join(t.TempDir(), "tmp")
				if err := os.Mkdir(temporary, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Setenv("TMPDIR", temporary)
				ignore := goleak.IgnoreCurrent()
				k := killing{fault: fault, rng: rand.New(rand.NewPCG(rand.Uint64(), 0))}
				k.testCluster = open(t, 5, func(cfg *Config) {
					cfg.Settings.Storage = storage
					cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 20, 10
				})
				for range 10 {
					k.kill()
				}
				before := k.use()
				for range kills - 10 {
					k.kill()
				}
				after := k.use()
				t.Logf("after %d kills %+v, before %+v; %d increments acknowledged", kills, after, before, k.state().Clients.OK)
				if after.goroutines > before.goroutines+10 || after.files > before.files+5 || after.heap > before.heap+heapGrowthMax {
					t.Errorf("after %d kills: %+v, want about %+v, as after 10", kills, after, before)
				}
				if err := k.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				goleak.VerifyNone(t, ignore)
				if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
					t.Errorf("temporary files are left: %v, %v", left, err)
				}
			})
		}
	}
}

// heapGrowthMax is how much the memory in use may grow between the 10th and the last kill, in bytes:
// the checks remember each acknowledged increment.
const heapGrowthMax = 32 << 20

// killing is a cluster in which one node after the other is killed under a disk fault.
type killing struct {
	*testCluster
	fault faults.DiskFault
	rng   *rand.Rand
}

// kill sets the fault on a node, kills the node, clears the fault and starts the node again. A node
// whose disk is damaged is wiped.
func (k *killing) kill() {
	k.t.Helper()
	k.must(func() error { return k.Load(20, 5, RouteLeader) })
	names := k.Names()
	name := names[k.rng.IntN(len(names))]
	k.setDisk(name, k.fault)
	k.pass(time.Duration(k.rng.IntN(1000)) * time.Millisecond)
	stop := k.Kill
	if _, lies := k.fault.(faults.Lie); lies { // it has no effect on a process that is killed
		stop = k.PowerOff
	}
	if err := k.do(func() error { return stop(name) }); err != nil && k.nodeState(name).Process != trace.Crashed {
		k.fatal("%v", err)
	}
	if k.rng.IntN(2) == 0 { // it starts with the fault, too
		_ = k.Do("restart "+name, func() error { return k.Restart(name) })
		k.pass(100 * time.Millisecond)
		_ = k.do(func() error { return k.Kill(name) })
	}
	k.setDisk(name, nil)
	err := k.do(func() error { return k.Restart(name) })
	if err != nil && strings.Contains(err.Error(), "damaged") {
		err = errors.Join(k.do(func() error { return k.Wipe(name) }), k.do(func() error { return k.Restart(name) }))
	}
	if process := k.nodeState(name).Process; process != trace.Up {
		k.fatal("%s is %s: %v", name, process, err)
	}
	k.pass(time.Duration(k.rng.IntN(1000)) * time.Millisecond)
}

// usage is what a process can leak.
type usage struct {
	goroutines, files int
	heap              uint64 // bytes
}

// use stops the load, waits until the nodes agree, and returns what they use then.
func (k *killing) use() usage {
	k.t.Helper()
	k.must(func() error { k.StopLoad(); return nil })
	if k.isWithinModel() {
		k.settle()
		k.expectAllOK()
	}
	k.pass(20 * time.Second)
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return usage{runtime.NumGoroutine(), len(openFiles(k.t)), memory.HeapAlloc}
}

// settle waits until the nodes agree. Raft can leave a follower stuck until it or its leader restarts
// (see the scenarios install-snapshot-livelock, stuck-follower and stale-pipeline), so settle restarts
// one node after the other while they do not.
func (k *killing) settle() {
	k.t.Helper()
	for _, name := range k.Names() {
		for range 30 {
			if converged(k.state()) {
				return
			}
			k.pass(time.Second)
		}
		k.must(func() error { return errors.Join(k.Kill(name), k.Restart(name)) })
	}
	k.until("all nodes agree", converged)
}

// isWithinModel reports whether Raft survives the fault.
func (k *killing) isWithinModel() bool {
	switch k.fault.(type) {
	case faults.Slow, faults.Stall, faults.Fail, faults.Full:
		return true
	}
	return false
}
