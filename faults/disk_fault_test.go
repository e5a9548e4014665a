package faults

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// writes returns one write of each kind, by name.
func (m *diskMachine) writes() map[string]func() error {
	return map[string]func() error{
		"append":   func() error { return m.append(1) },
		"delete":   func() error { return m.process.Logs().DeleteRange(1, 1) },
		"set":      func() error { return m.process.Stable().Set([]byte("CurrentTerm"), []byte("v")) },
		"snapshot": func() error { return m.snapshot(1, "one") },
	}
}

// inBackground runs f in a goroutine.
func inBackground(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

func TestWriteTakesTheTimeOfAnFsync(t *testing.T) {
	cases := map[string]struct {
		fault DiskFault
		want  time.Duration
	}{
		"ok":        {nil, 5 * time.Millisecond},
		"slow 50ms": {Slow{Latency: 50 * time.Millisecond}, 55 * time.Millisecond},
		"lie":       {Lie{}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, diskStorages[0], DiskConfig{FsyncLatency: 5 * time.Millisecond})
				m.disk.SetFault(c.fault)
				start := time.Now()
				diskMust(t, m.append(1, 2))
				if took := time.Since(start); took != c.want {
					t.Errorf("a write took %v, want %v", took, c.want)
				}
				start = time.Now()
				m.state()
				if took := time.Since(start); took != 0 {
					t.Errorf("reading took %v, want no time", took)
				}
			})
		})
	}
}

func TestClearedStallCompletesEveryWrite(t *testing.T) {
	for name := range (&diskMachine{}).writes() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, diskStorages[0], DiskConfig{FsyncLatency: time.Millisecond})
				inFlight := inBackground(m.writes()[name])
				synctest.Wait()
				m.disk.SetFault(Stall{}) // also stalls writes that have begun
				before := m.state()
				waiting := inBackground(m.writes()[name])
				time.Sleep(time.Hour)
				m.expect(before)
				m.disk.ClearFault()
				diskMust(t, <-inFlight)
				diskMust(t, <-waiting)
			})
		})
	}
}

func TestPausedProcessWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newDiskMachine(t, diskStorages[0], DiskConfig{})
		ops := m.writes()
		ops["read"] = func() error { _, err := m.process.Logs().LastIndex(); return err }
		ops["list"] = func() error { _, err := m.process.Snapshots().List(); return err }
		m.process.Pause()
		m.process.Pause()
		var results []<-chan error
		for _, op := range ops {
			results = append(results, inBackground(op))
		}
		time.Sleep(time.Hour)
		for _, result := range results {
			select {
			case err := <-result:
				t.Fatalf("an operation of a paused process returned %v, want it to wait", err)
			default:
			}
		}
		m.process.Resume()
		m.process.Resume()
		for _, result := range results {
			diskMust(t, <-result)
		}
	})
}

func TestKilledProcessWritesNothing(t *testing.T) {
	obstacles := map[string]func(m *diskMachine){
		"none":  func(*diskMachine) {},
		"stall": func(m *diskMachine) { m.disk.SetFault(Stall{}) },
		"pause": func(m *diskMachine) { m.process.Pause() },
		"fsync": func(m *diskMachine) { m.disk.SetFault(Slow{Latency: time.Hour}) },
	}
	for name, obstruct := range obstacles {
		for kind := range (&diskMachine{}).writes() {
			t.Run(name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newDiskMachine(t, diskStorages[0], DiskConfig{})
					diskMust(t, m.append(1))
					before := m.state()
					obstruct(m)
					var waiting <-chan error
					if name != "none" {
						waiting = inBackground(m.writes()[kind])
						synctest.Wait()
					}
					start := time.Now()
					m.process.Kill()
					m.process.Kill()
					if err := m.writes()[kind](); !errors.Is(err, ErrKilled) {
						t.Errorf("a later operation returned %v, want ErrKilled", err)
					}
					if waiting != nil {
						if err := <-waiting; !errors.Is(err, ErrKilled) {
							t.Errorf("a waiting operation returned %v, want ErrKilled", err)
						}
					}
					if time.Since(start) != 0 {
						t.Errorf("they returned after %v, want at once", time.Since(start))
					}
					if len(m.crashes()) > 0 {
						t.Errorf("a dead process crashed: %v, want no crash", m.crashes())
					}
					m.disk.ClearFault()
					m.restart(false)
					m.expect(before)
				})
			})
		}
	}
}

// No write takes effect after Kill, whatever goroutines do while the process is killed.
func TestConcurrentWritersWriteNothingAfterKill(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{})
			logs, keys := m.process.Logs(), m.process.Stable()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for index := uint64(1); logs.StoreLog(diskEntry(index, 1)) == nil; index++ {
						runtime.Gosched()
					}
				})
				all.Go(func() {
					for term := uint64(1); keys.SetUint64([]byte("CurrentTerm"), term) == nil; term++ {
						runtime.Gosched()
					}
				})
			}
			for range 50 {
				runtime.Gosched()
			}
			m.process.Kill()
			before, err := m.backend.Logs.LastIndex()
			diskMust(t, err)
			all.Wait()
			after, err := m.backend.Logs.LastIndex()
			diskMust(t, err)
			if before != after {
				t.Fatalf("the log grew from %d to %d after Kill", before, after)
			}
			m.restart(false)
		})
	}
}

func TestFailingDiskRefusesEveryWrite(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1))
	before := m.state()
	m.disk.SetFault(Fail{})
	for _, kind := range []string{"append", "delete", "snapshot"} {
		if err := m.writes()[kind](); !errors.Is(err, ErrIO) {
			t.Errorf("%s: %v, want ErrIO", kind, err)
		}
	}
	if len(m.crashes()) > 0 {
		t.Fatalf("crashed: %v, want no crash", m.crashes())
	}
	m.expect(before)
	if err := m.writes()["set"](); !errors.Is(err, ErrIO) {
		t.Errorf("set: %v, want ErrIO", err)
	}
	if len(m.crashes()) != 1 || m.crashes()[0].Error() != "storing key CurrentTerm: input/output error" {
		t.Errorf("crashed: %v, want one crash that names the key", m.crashes())
	}
	if err := m.append(2); !errors.Is(err, ErrKilled) {
		t.Errorf("append after the crash: %v, want ErrKilled", err)
	}
}

func TestFullDiskStillDeletesAndStoresTermsAndVotes(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1, 2))
	m.disk.SetFault(Full{})
	for _, kind := range []string{"append", "snapshot"} {
		if err := m.writes()[kind](); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("%s: %v, want ErrNoSpace", kind, err)
		}
	}
	diskMust(t, m.writes()["set"]())
	diskMust(t, m.writes()["delete"]())
	m.expect("log 1.2:d2 keys CurrentTerm=v")
}

// The FSM closes the sink, and then raft does. If the first Close fails, the second one
// must not report success.
func TestFailedSnapshotStaysFailed(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	sink, err := m.process.Snapshots().Create(1, 1, 1, raft.Configuration{}, 1, diskTransport())
	diskMust(t, err)
	m.disk.SetFault(Full{})
	for range 2 {
		if err := sink.Close(); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("Close returned %v, want ErrNoSpace", err)
		}
	}
	m.disk.ClearFault()
	m.expect("log keys")
}

func TestCancelledSnapshotLeavesNothing(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{})
			diskMust(t, m.snapshot(1, "one"))
			sink, err := m.process.Snapshots().Create(1, 2, 1, raft.Configuration{}, 1, diskTransport())
			diskMust(t, err)
			_, err = sink.Write([]byte("half"))
			diskMust(t, err)
			m.expect("log keys snapshot 1=one")
			diskMust(t, sink.Cancel())
			diskMust(t, sink.Close())
			m.expect("log keys snapshot 1=one")
		})
	}
}

func TestUnreadableEntryCrashesTheProcess(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1))
	diskMust(t, m.backend.Logs.StoreLog(diskEntry(1, 2))) // bypasses the disk: no checksum
	if err := m.process.Logs().GetLog(1, &raft.Log{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("GetLog returned %v, want ErrDamaged", err)
	}
	if len(m.crashes()) != 1 || !errors.Is(m.crashes()[0], ErrDamaged) {
		t.Errorf("crashed: %v, want one crash with ErrDamaged", m.crashes())
	}
}

func TestDiskIsOpenedOnce(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	if _, err := m.disk.Open(m.backend); err == nil {
		t.Error("an open disk could be opened again")
	}
	if err := m.disk.PowerLoss(m.backend); err == nil {
		t.Error("PowerLoss succeeded while a process had the disk open")
	}
}

func TestDiskFaultKindsMatchTheFaults(t *testing.T) {
	faults := []DiskFault{Slow{Latency: 50 * time.Millisecond}, Stall{}, Fail{}, Full{}, Lie{}, Corrupt{}, CorruptSnapshot{}}
	kinds := DiskFaultKinds()
	if len(kinds) != len(faults) {
		t.Fatalf("%d kinds for %d faults", len(kinds), len(faults))
	}
	for i, f := range faults {
		if text := strings.TrimSuffix(f.String(), " 50ms"); text != kinds[i].Name {
			t.Errorf("fault %q is listed as %q", f, kinds[i].Name)
		}
	}
	if got := faults[0].String(); got != "slow 50ms" {
		t.Errorf("got %q, want slow 50ms", got)
	}
}
