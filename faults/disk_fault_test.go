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

// diskWrites is one write of each kind, by name.
func (m *diskHost) writes() map[string]func() error {
	return map[string]func() error{
		"append":   func() error { return m.append(1) },
		"delete":   func() error { return m.process.Logs().DeleteRange(1, 1) },
		"set":      func() error { return m.process.Stable().Set([]byte("CurrentTerm"), []byte("v")) },
		"snapshot": func() error { return m.snapshot(1, "one") },
	}
}

// diskGo runs f on a goroutine of its own.
func diskGo(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

func TestAWriteTakesTheTimeOfAnFsync(t *testing.T) {
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
					t.Errorf("a write took %v instead of %v", took, c.want)
				}
				start = time.Now()
				m.state()
				if took := time.Since(start); took != 0 {
					t.Errorf("reading took %v", took)
				}
			})
		})
	}
}

func TestAStalledDiskLetsEverythingGoWhenItIsCleared(t *testing.T) {
	for name := range (&diskHost{}).writes() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, diskStorages[0], DiskConfig{FsyncLatency: time.Millisecond})
				inFlight := diskGo(m.writes()[name])
				synctest.Wait()
				m.disk.SetFault(Stall{}) // stalls what has begun as well
				before := m.state()
				waiting := diskGo(m.writes()[name])
				time.Sleep(time.Hour)
				m.expect(before)
				m.disk.ClearFault()
				diskMust(t, <-inFlight)
				diskMust(t, <-waiting)
			})
		})
	}
}

func TestAStoppedProcessWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newDiskMachine(t, diskStorages[0], DiskConfig{})
		ops := m.writes()
		ops["read"] = func() error { _, err := m.process.Logs().LastIndex(); return err }
		ops["list"] = func() error { _, err := m.process.Snapshots().List(); return err }
		m.process.Pause()
		m.process.Pause()
		var results []<-chan error
		for _, op := range ops {
			results = append(results, diskGo(op))
		}
		time.Sleep(time.Hour)
		for _, result := range results {
			select {
			case err := <-result:
				t.Fatalf("an operation of a stopped process returned %v", err)
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

func TestADetachedProcessWritesNothing(t *testing.T) {
	obstacles := map[string]func(m *diskHost){
		"none":  func(*diskHost) {},
		"stall": func(m *diskHost) { m.disk.SetFault(Stall{}) },
		"hold":  func(m *diskHost) { m.process.Pause() },
		"fsync": func(m *diskHost) { m.disk.SetFault(Slow{Latency: time.Hour}) },
	}
	for name, obstruct := range obstacles {
		for kind := range (&diskHost{}).writes() {
			t.Run(name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newDiskMachine(t, diskStorages[0], DiskConfig{})
					diskMust(t, m.append(1))
					before := m.state()
					obstruct(m)
					var waiting <-chan error
					if name != "none" {
						waiting = diskGo(m.writes()[kind])
						synctest.Wait()
					}
					start := time.Now()
					m.process.Kill()
					m.process.Kill()
					if err := m.writes()[kind](); !errors.Is(err, ErrKilled) {
						t.Errorf("a later operation returned %v", err)
					}
					if waiting != nil {
						if err := <-waiting; !errors.Is(err, ErrKilled) {
							t.Errorf("a waiting operation returned %v", err)
						}
					}
					if time.Since(start) != 0 {
						t.Errorf("it took %v", time.Since(start))
					}
					if len(m.crashes()) > 0 {
						t.Errorf("a dead process crashed: %v", m.crashes())
					}
					m.disk.ClearFault()
					m.restart(false)
					m.expect(before)
				})
			})
		}
	}
}

// Whatever goroutines do while a process is killed, nothing of it happens after Detach.
func TestNothingHappensAfterDetachUnderConcurrency(t *testing.T) {
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
				t.Fatalf("the log grew from %d to %d after Detach", before, after)
			}
			m.restart(false)
		})
	}
}

func TestAFailingDiskRefusesEveryWrite(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1))
	before := m.state()
	m.disk.SetFault(Fail{})
	for _, kind := range []string{"append", "delete", "snapshot"} {
		if err := m.writes()[kind](); !errors.Is(err, ErrIO) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if len(m.crashes()) > 0 {
		t.Fatalf("crashed: %v", m.crashes())
	}
	m.expect(before)
	if err := m.writes()["set"](); !errors.Is(err, ErrIO) {
		t.Errorf("set returned %v", err)
	}
	if len(m.crashes()) != 1 || m.crashes()[0].Error() != "storing key CurrentTerm: input/output error" {
		t.Errorf("crashed: %v", m.crashes())
	}
	if err := m.append(2); !errors.Is(err, ErrKilled) {
		t.Errorf("a crashed process wrote: %v", err)
	}
}

func TestAFullDiskStillDeletesAndKeepsTermsAndVotes(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1, 2))
	m.disk.SetFault(Full{})
	for _, kind := range []string{"append", "snapshot"} {
		if err := m.writes()[kind](); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	diskMust(t, m.writes()["set"]())
	diskMust(t, m.writes()["delete"]())
	m.expect("log 1.2:d2 keys CurrentTerm=v")
}

// The FSM closes the sink, then raft does; a disk that fills up in between the two must not look like success.
func TestASnapshotThatFailedStaysFailed(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	sink, err := m.process.Snapshots().Create(1, 1, 1, raft.Configuration{}, 1, diskTransport())
	diskMust(t, err)
	m.disk.SetFault(Full{})
	for range 2 {
		if err := sink.Close(); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("Close returned %v", err)
		}
	}
	m.disk.ClearFault()
	m.expect("log keys")
}

func TestACancelledSnapshotLeavesNothing(t *testing.T) {
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

func TestAnEntryThatCannotBeReadCrashesTheProcess(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	diskMust(t, m.append(1))
	diskMust(t, m.backend.Logs.StoreLog(diskEntry(1, 2))) // behind the disk's back, without a checksum
	if err := m.process.Logs().GetLog(1, &raft.Log{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("GetLog returned %v", err)
	}
	if len(m.crashes()) != 1 || !errors.Is(m.crashes()[0], ErrDamaged) {
		t.Errorf("crashed: %v", m.crashes())
	}
}

func TestADiskIsOpenOnce(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	if _, err := m.disk.Open(m.backend); err == nil {
		t.Error("opened twice")
	}
	if err := m.disk.PowerLoss(m.backend); err == nil {
		t.Error("lost power under a running process")
	}
}

func TestFaultsReadAsTheyAreTyped(t *testing.T) {
	faults := []DiskFault{Slow{Latency: 50 * time.Millisecond}, Stall{}, Fail{}, Full{}, Lie{}, Corrupt{}}
	kinds := DiskFaultKinds()
	if len(kinds) != len(faults) {
		t.Fatalf("%d kinds, %d faults", len(kinds), len(faults))
	}
	for i, f := range faults {
		if word, _, _ := strings.Cut(f.String(), " "); word != kinds[i].Name {
			t.Errorf("%q is listed as %q", f, kinds[i].Name)
		}
	}
	if got := faults[0].String(); got != "slow 50ms" {
		t.Errorf("slow reads %q", got)
	}
}
