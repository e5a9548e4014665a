package faults

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestLyingDiskLosesItsUnflushedTailOnPowerLoss(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{})
				diskMust(t, m.append(1, 2))
				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("one")))
				m.disk.SetFault(Lie{})
				diskMust(t, m.append(3))
				time.Sleep(DefaultFlushEvery)
				diskMust(t, m.append(4, 5))
				diskMust(t, m.process.Logs().DeleteRange(5, 5))
				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("two")))
				diskMust(t, m.process.Stable().Set([]byte("LastVoteTerm"), []byte("two")))
				m.expect("log 1.1:d1 1.2:d2 1.3:d3 1.4:d4 keys CurrentTerm=two LastVoteTerm=two")
				m.restart(true)
				m.expect("log 1.1:d1 1.2:d2 1.3:d3 keys CurrentTerm=one")
			})
		})
	}
}

func TestKillKeepsUnflushedWrites(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{})
				m.disk.SetFault(Lie{})
				diskMust(t, m.append(1, 2, 3))
				diskMust(t, m.snapshot(2, "two"))
				diskMust(t, m.process.Logs().DeleteRange(1, 2))
				m.restart(false)
				m.expect("log 1.3:d3 keys snapshot 2=two")
				m.restart(true) // the second process has inherited the unflushed writes
				m.expect("log keys")
			})
		})
	}
}

// A snapshot and the compaction after it are lost together, so the log has no gap.
func TestPowerLossTakesBackASnapshotWithItsCompaction(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{FsyncLatency: time.Millisecond})
				diskMust(t, m.append(1, 2, 3, 4, 5, 6))
				diskMust(t, m.snapshot(2, "two"))
				diskMust(t, m.process.Logs().DeleteRange(1, 2))
				m.disk.SetFault(Lie{})
				for index := uint64(3); index <= 6; index++ { // more than the file store keeps
					diskMust(t, m.snapshot(index, fmt.Sprint(index)))
					diskMust(t, m.process.Logs().DeleteRange(index, index))
				}
				m.expect("log keys snapshot 6=6")
				m.restart(true)
				m.expect("log 1.3:d3 1.4:d4 1.5:d5 1.6:d6 keys snapshot 2=two")
			})
		})
	}
}

func TestFlushedWritesSurviveAPowerLoss(t *testing.T) {
	end := map[string]func(m *diskMachine){
		"flush tick":            func(*diskMachine) { time.Sleep(DefaultFlushEvery) },
		"flush tick while down": func(m *diskMachine) { m.process.Kill(); time.Sleep(DefaultFlushEvery) },
		"clear":                 func(m *diskMachine) { m.disk.ClearFault() },
		"clear while down":      func(m *diskMachine) { m.process.Kill(); m.disk.ClearFault() },
		"another fault":         func(m *diskMachine) { m.disk.SetFault(Full{}) },
	}
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(end)) {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m := newDiskMachine(t, storage, DiskConfig{})
						m.disk.SetFault(Lie{})
						diskMust(t, m.append(1, 2, 3))
						diskMust(t, m.snapshot(2, "two"))
						diskMust(t, m.process.Logs().DeleteRange(1, 2))
						end[name](m)
						m.restart(true)
						m.expect("log 1.3:d3 keys snapshot 2=two")
					})
				})
			}
		})
	}
}

// Flushes keep the schedule that began with the lie, however late the operation is that
// performs them.
func TestFlushesKeepTheirSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newDiskMachine(t, diskStorages[0], DiskConfig{})
		m.disk.SetFault(Lie{})
		diskMust(t, m.append(1))
		time.Sleep(45 * time.Second)
		diskMust(t, m.append(2)) // performs the flush due at 30s
		time.Sleep(16 * time.Second)
		m.disk.SetFault(Lie{}) // changes nothing
		diskMust(t, m.append(3))
		m.restart(true) // at 61s, after the flush due at 60s
		m.expect("log 1.1:d1 1.2:d2 keys")
	})
}

// Raft opens a snapshot by the ID its sink returned, even if a flush has come in between
// and the file store has chosen another ID.
func TestSnapshotIsFoundByItsIDBeforeAndAfterItsFlush(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{})
				m.disk.SetFault(Lie{})
				diskMust(t, m.snapshot(2, "two"))
				metas, err := m.process.Snapshots().List()
				diskMust(t, err)
				time.Sleep(time.Second)
				m.disk.ClearFault()
				_, r, err := m.process.Snapshots().Open(metas[0].ID)
				diskMust(t, err)
				diskMust(t, r.Close())
				m.expect("log keys snapshot 2=two")
			})
		})
	}
}

// diskModel is a simple model of a disk's content.
type diskModel struct {
	first, last uint64
	terms       map[uint64]uint64
	keys        map[string]string
	snapshot    uint64
}

func (s diskModel) clone() diskModel {
	s.terms, s.keys = maps.Clone(s.terms), maps.Clone(s.keys)
	return s
}

func (s diskModel) String() string {
	text := "log"
	for i := s.first; i <= s.last; i++ {
		text += fmt.Sprintf(" %d.%d:d%d", s.terms[i], i, i)
	}
	text += " keys"
	for _, key := range raftKeys {
		if value, ok := s.keys[key]; ok {
			text += fmt.Sprintf(" %s=%s", key, value)
		}
	}
	if s.snapshot > 0 {
		text += fmt.Sprintf(" snapshot %d=s%d", s.snapshot, s.snapshot)
	}
	return text
}

// diskRun drives a disk and the model side by side.
type diskRun struct {
	*diskMachine
	cache, platter diskModel     // what a process reads, and what a power loss leaves
	lyingSince     time.Time     // zero while the disk is honest
	flushes        time.Duration // the number of flushes since lyingSince
	term           uint64
}

// flushModel copies the cache to the platter if a flush has happened by now.
func (r *diskRun) flushModel() {
	if r.lyingSince.IsZero() {
		r.platter = r.cache.clone()
		return
	}
	if flushes := time.Since(r.lyingSince) / DefaultFlushEvery; flushes > r.flushes {
		r.flushes = flushes
		r.platter = r.cache.clone()
	}
}

func (r *diskRun) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"append": func(rt *rapid.T) {
			r.term += uint64(rapid.IntRange(0, 1).Draw(rt, "newTerm"))
			for range rapid.IntRange(1, 4).Draw(rt, "entries") {
				r.cache.last++
				r.cache.terms[r.cache.last] = r.term
				diskMust(r.t, r.process.Logs().StoreLog(diskEntry(r.cache.last, r.term)))
			}
		},
		"truncate": func(rt *rapid.T) {
			from := max(r.cache.first, r.cache.snapshot+1)
			if from > r.cache.last {
				rt.Skip()
			}
			from = rapid.Uint64Range(from, r.cache.last).Draw(rt, "from")
			diskMust(r.t, r.process.Logs().DeleteRange(from, r.cache.last))
			r.cache.last = from - 1
		},
		"set": func(rt *rapid.T) {
			key, value := rapid.SampledFrom(raftKeys).Draw(rt, "key"), rapid.StringMatching("[a-c]*").Draw(rt, "value")
			diskMust(r.t, r.process.Stable().Set([]byte(key), []byte(value)))
			r.cache.keys[key] = value
		},
		"snapshot": func(rt *rapid.T) {
			if r.cache.snapshot == r.cache.last {
				rt.Skip()
			}
			r.cache.snapshot = rapid.Uint64Range(r.cache.snapshot+1, r.cache.last).Draw(rt, "index")
			diskMust(r.t, r.snapshot(r.cache.snapshot, fmt.Sprintf("s%d", r.cache.snapshot)))
		},
		"compact": func(rt *rapid.T) {
			if r.cache.snapshot < r.cache.first {
				rt.Skip()
			}
			to := rapid.Uint64Range(r.cache.first, min(r.cache.snapshot, r.cache.last)).Draw(rt, "to")
			diskMust(r.t, r.process.Logs().DeleteRange(r.cache.first, to))
			r.cache.first = to + 1
		},
		"wait": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(1, 40).Draw(rt, "seconds")) * time.Second)
		},
		"lie": func(*rapid.T) {
			r.disk.SetFault(Lie{})
			if r.lyingSince.IsZero() {
				r.lyingSince, r.flushes = time.Now(), 0
			}
		},
		"clear": func(*rapid.T) {
			r.disk.ClearFault()
			r.lyingSince = time.Time{}
		},
		"kill": func(*rapid.T) { r.restart(false) },
		"powerLoss": func(*rapid.T) {
			r.restart(true)
			r.cache = r.platter.clone()
		},
		"": func(rt *rapid.T) {
			r.flushModel()
			if got, want := r.state(), r.cache.String(); got != want {
				rt.Fatalf("the disk holds\n%s\ninstead of\n%s", got, want)
			}
		},
	}
}

func TestDiskMatchesTheModel(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Rapid calls Deadline on a *testing.T, which a bubble does not allow.
				rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
					m := newDiskMachine(t, storage, DiskConfig{FsyncLatency: time.Millisecond})
					m.t = rt
					empty := diskModel{first: 1, terms: map[uint64]uint64{}, keys: map[string]string{}}
					r := &diskRun{diskMachine: m, cache: empty, platter: empty.clone(), term: 1}
					rt.Repeat(r.actions())
				})
			})
		})
	}
}

// The first power loss restores what the last flush had, and what is written after it is a new
// beginning: a second power loss goes back to that, not to the journal of the first.
func TestSecondPowerLossTakesBackOnlyWhatCameAfterTheFirst(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{})
				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("1")))
				diskMust(t, m.append(1, 2))
				m.disk.SetFault(Lie{})
				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("2")))
				diskMust(t, m.append(3))
				m.restart(true)
				m.expect("log 1.1:d1 1.2:d2 keys CurrentTerm=1")

				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("3")))
				diskMust(t, m.append(3, 4))
				time.Sleep(DefaultFlushEvery) // all of this is durable now
				diskMust(t, m.append(5))
				m.restart(true)
				m.expect("log 1.1:d1 1.2:d2 1.3:d3 1.4:d4 keys CurrentTerm=3")

				// An honest disk in between: what it synced survives the next loss.
				m.disk.SetFault(nil)
				diskMust(t, m.process.Stable().Set([]byte("CurrentTerm"), []byte("4")))
				diskMust(t, m.append(5))
				m.restart(true)
				m.expect("log 1.1:d1 1.2:d2 1.3:d3 1.4:d4 1.5:d5 keys CurrentTerm=4")
			})
		})
	}
}
