package faults

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// flippedEntry is in the middle of the log, so losing it leaves a gap.
const flippedEntry = 2

// fillDisk stores three log entries and all keys.
func fillDisk(t *testing.T, m *diskMachine) {
	t.Helper()
	diskMust(t, m.append(1, 2, 3))
	for _, key := range raftKeys {
		diskMust(t, m.process.Stable().SetUint64([]byte(key), 5))
	}
}

// expectDamage requires Open to reject the damaged backend and to name the record.
func (m *diskMachine) expectDamage(record string) {
	m.t.Helper()
	_, err := m.disk.Open(m.backend)
	if !errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), record+" is damaged (") {
		m.t.Fatalf("opening the disk over a damaged %s: %v", record, err)
	}
}

// The test flips every bit of every record as the store returns it, in both kinds of store.
func TestEveryBitFlipInARecordIsDetected(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{})
			fillDisk(t, m)
			m.process.Kill()
			var stored raft.Log
			diskMust(t, m.backend.Logs.GetLog(flippedEntry, &stored))
			flip := func(change func(l *raft.Log)) {
				t.Helper()
				damaged := stored
				damaged.Data, damaged.Extensions = bytes.Clone(stored.Data), bytes.Clone(stored.Extensions)
				change(&damaged)
				diskMust(t, m.backend.Logs.StoreLog(&damaged))
				m.expectDamage("log entry 2")
			}
			for bit := range 64 {
				flip(func(l *raft.Log) { l.Term ^= 1 << bit })
			}
			for bit := range 8 {
				flip(func(l *raft.Log) { l.Type ^= 1 << bit })
				flip(func(l *raft.Log) { l.Extensions[0] ^= 1 << bit })
			}
			for bit := range 8 * len(stored.Data) {
				flip(func(l *raft.Log) { l.Data[bit/8] ^= 1 << (bit % 8) })
			}
			for bit := range 30 {
				flip(func(l *raft.Log) { l.AppendedAt = l.AppendedAt.Add(1 << bit) })
			}
			diskMust(t, m.backend.Logs.StoreLog(&stored))
			for _, key := range raftKeys {
				value, err := m.backend.Stable.Get([]byte(key))
				diskMust(t, err)
				for bit := range 8 * len(value) {
					damaged := bytes.Clone(value)
					damaged[bit/8] ^= 1 << (bit % 8)
					diskMust(t, m.backend.Stable.Set([]byte(key), damaged))
					m.expectDamage("key " + key)
				}
				diskMust(t, m.backend.Stable.Set([]byte(key), value))
			}
			process, err := m.disk.Open(m.backend) // everything is restored
			diskMust(t, err)
			m.process = process
		})
	}
}

// The test flips every bit of an entry's key and raw bytes in raft-boltdb's file. Either
// the entry is rejected, or the flip makes no difference to it (the name of an empty field,
// a time zone).
func TestBitFlipInTheFileIsDetectedOrHarmless(t *testing.T) {
	m := newDiskMachine(t, diskStorage{"bolt", diskBolt}, DiskConfig{})
	fillDisk(t, m)
	want := readAllLogs(t, m.process)
	m.process.Kill()
	path := filepath.Join(t.TempDir(), "raft.db")
	key := []byte{7: flippedEntry}
	raw := copyToBolt(t, m.backend, path, key)

	detected, harmless := 0, 0
	for bit := range 8 * (len(key) + len(raw)) {
		damaged := append(bytes.Clone(key), raw...)
		damaged[bit/8] ^= 1 << (bit % 8)
		if bytes.Equal(damaged[:8], []byte{7: 3}) {
			continue // a B-tree cannot hold a second entry 3
		}
		var err error
		inBolt(t, path, func(bucket *bbolt.Bucket) error {
			return errors.Join(bucket.Delete(key), bucket.Put(damaged[:8], damaged[8:]))
		})
		store := openBolt(t, path)
		process, err := NewDisk(DiskConfig{}).Open(DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()})
		switch {
		case errors.Is(err, ErrDamaged):
			detected++
		case err != nil:
			t.Fatalf("bit %d: %v", bit, err)
		default:
			harmless++
			if got := readAllLogs(t, process); !reflect.DeepEqual(got, want) {
				t.Fatalf("bit %d: the flip is not detected, and the log reads %+v", bit, got)
			}
		}
		diskMust(t, store.Close())
		inBolt(t, path, func(bucket *bbolt.Bucket) error {
			return errors.Join(bucket.Delete(damaged[:8]), bucket.Put(key, raw))
		})
	}
	if detected < 8*len(raw)/2 {
		t.Fatalf("only %d flips were detected, %d were harmless", detected, harmless)
	}
}

func openBolt(t *testing.T, path string) *raftboltdb.BoltStore {
	t.Helper()
	store, err := raftboltdb.New(raftboltdb.Options{Path: path, NoSync: true})
	diskMust(t, err)
	return store
}

func inBolt(t *testing.T, path string, change func(*bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	diskMust(t, err)
	diskMust(t, db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte("logs"))) }))
	diskMust(t, db.Close())
}

// copyToBolt copies the log of b to a new file and returns the raw bytes of one entry.
func copyToBolt(t *testing.T, b DiskBackend, path string, key []byte) (raw []byte) {
	t.Helper()
	store := openBolt(t, path)
	for index := uint64(1); index <= 3; index++ {
		var l raft.Log
		diskMust(t, b.Logs.GetLog(index, &l))
		diskMust(t, store.StoreLog(&l))
	}
	diskMust(t, store.Close())
	inBolt(t, path, func(bucket *bbolt.Bucket) error {
		raw = bytes.Clone(bucket.Get(key))
		return nil
	})
	return raw
}

// readAllLogs returns the log as raft reads it, with times in a comparable form.
func readAllLogs(t *testing.T, process *DiskSession) []raft.Log {
	t.Helper()
	last, err := process.Logs().LastIndex()
	diskMust(t, err)
	all := make([]raft.Log, last)
	for i := range all {
		diskMust(t, process.Logs().GetLog(uint64(i+1), &all[i]))
		all[i].AppendedAt = diskInstant(all[i].AppendedAt)
		if len(all[i].Extensions) == 0 {
			all[i].Extensions = nil
		}
	}
	return all
}

// diskInstant drops the time zone, and the bits of a decoded time that carry no meaning.
func diskInstant(at time.Time) time.Time { return time.Unix(at.Unix(), int64(at.Nanosecond())).UTC() }

func TestCorruptDamagesOneRecordWhichOpenNames(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			for seed := range int64(20) {
				m := newDiskMachine(t, storage, DiskConfig{Seed: seed})
				fillDisk(t, m)
				before := m.state()
				m.disk.SetFault(Corrupt{})
				m.expect(before) // no damage while a process has the disk open
				m.process.Kill()
				_, err := m.disk.Open(m.backend)
				if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), " is damaged (CRC32C 0x") {
					t.Fatalf("seed %d: opening a corrupted disk: %v", seed, err)
				}
				if m.disk.Fault() != nil {
					t.Fatalf("the fault is still %v after Open, want none", m.disk.Fault())
				}
				_, again := m.disk.Open(m.backend)
				if again == nil || again.Error() != err.Error() {
					t.Fatalf("Open reports %v first and %v then, want the same damage", err, again)
				}
			}
		})
	}
}

func TestSeedDecidesWhatCorruptDamages(t *testing.T) {
	damage := func(seed int64) string {
		m := newDiskMachine(t, diskStorages[0], DiskConfig{Seed: seed})
		fillDisk(t, m)
		m.disk.SetFault(Corrupt{})
		m.process.Kill()
		_, err := m.disk.Open(m.backend)
		return err.Error()
	}
	if a, b := damage(4), damage(4); a != b {
		t.Fatalf("seed 4 caused %q and %q", a, b)
	}
	if a, b := damage(4), damage(5); a == b {
		t.Fatalf("seeds 4 and 5 both caused %q", a)
	}
}

func TestCorruptWaitsForARecord(t *testing.T) {
	m := newDiskMachine(t, diskStorages[0], DiskConfig{})
	m.disk.SetFault(Corrupt{})
	m.restart(false)
	if m.disk.Fault() != (Corrupt{}) {
		t.Fatalf("the empty disk has fault %v, want it armed", m.disk.Fault())
	}
	diskMust(t, m.append(1))
	m.process.Kill()
	m.shut()
	m.backend = m.open()
	if _, err := m.disk.Open(m.backend); !errors.Is(err, ErrDamaged) || m.disk.Fault() != nil {
		t.Fatalf("opening it with an entry: %v, and the fault is %v; want damage, and none", err, m.disk.Fault())
	}
}

// NewRaft panics when an entry after the newest snapshot is missing, so Open must return
// an error.
func TestLogGapIsDamageUnlessASnapshotCoversIt(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newDiskMachine(t, storage, DiskConfig{})
				diskMust(t, m.append(1, 2, 5, 6))
				m.process.Kill()
				_, err := m.disk.Open(m.backend)
				if !errors.Is(err, ErrDamaged) || err.Error() != "the log is damaged: entry 3 is missing" {
					t.Fatalf("opening a log without entry 3: %v", err)
				}
				sink, err := m.backend.Snapshots.Create(1, 4, 1, raft.Configuration{}, 1, diskTransport())
				diskMust(t, err)
				diskMust(t, sink.Close())
				m.process, err = m.disk.Open(m.backend)
				diskMust(t, err)
				diskMust(t, m.process.Logs().DeleteRange(1, 5))
				m.process.Kill()
				if _, err = m.disk.Open(m.backend); err == nil || err.Error() != "the log is damaged: entry 5 is missing" {
					t.Fatalf("opening a log without entry 5: %v", err)
				}
			})
		})
	}
}

func TestEntriesReadBackAsStored(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{})
			entries := []*raft.Log{
				{Index: 1, Term: 3, Type: raft.LogNoop},
				{Index: 2, Term: 3, Type: raft.LogConfiguration, Data: []byte("c"), AppendedAt: time.Unix(17, 5)},
				diskEntry(3, 9),
			}
			diskMust(t, m.process.Logs().StoreLogs(entries))
			m.restart(false)
			for i, got := range readAllLogs(t, m.process) {
				want := *entries[i]
				want.AppendedAt = diskInstant(want.AppendedAt)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("stored %+v, read %+v", want, got)
				}
			}
			if _, err := m.process.Stable().GetUint64([]byte("CurrentTerm")); err == nil || err.Error() != "not found" {
				t.Errorf("reading a key that was never set: %v", err) // raft compares the text
			}
			if err := m.process.Logs().GetLog(4, &raft.Log{}); err != raft.ErrLogNotFound { //nolint:errorlint // raft compares with ==
				t.Errorf("reading an entry that was never stored: %v", err)
			}
		})
	}
}
