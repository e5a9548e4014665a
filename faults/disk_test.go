package faults

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// diskStorage is a kind of backend. Each call of open opens it again over the same data, as
// a restarted process does.
type diskStorage struct {
	name string
	new  func(t *testing.T) (open func() DiskBackend, shut func())
}

// diskStorages are the backends over which every rule about stored data is tested.
var diskStorages = []diskStorage{{"memory", diskMemory}, {"bolt", diskBolt}}

func diskMemory(*testing.T) (open func() DiskBackend, shut func()) {
	store := raft.NewInmemStore()
	b := DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	return func() DiskBackend { return b }, func() {}
}

func diskBolt(t *testing.T) (open func() DiskBackend, shut func()) {
	t.Helper()
	dir := t.TempDir()
	var store *raftboltdb.BoltStore
	open = func() DiskBackend {
		var err error
		// Real files, but no fsync: no test here could observe it.
		store, err = raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		snapshots, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, hclog.NewNullLogger())
		if err != nil {
			t.Fatal(err)
		}
		rewrite := func(id string, change func([]byte) []byte) error {
			name := filepath.Join(dir, "snapshots", id, "state.bin")
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return os.WriteFile(name, change(content), 0o600)
		}
		return DiskBackend{Logs: store, Stable: store, Snapshots: snapshots, RewriteSnapshot: rewrite}
	}
	shut = func() {
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return open, shut
}

// diskT is the part of a *testing.T or *rapid.T that the helpers use.
type diskT interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// diskMachine is a disk, its backend and the process that has it open.
type diskMachine struct {
	t       diskT
	disk    *Disk
	process *DiskSession
	backend DiskBackend
	open    func() DiskBackend
	shut    func()

	mu      sync.Mutex
	reasons []error
}

// crashes returns the reasons passed to OnCrash.
func (m *diskMachine) crashes() []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reasons)
}

func newDiskMachine(t *testing.T, storage diskStorage, cfg DiskConfig) *diskMachine {
	t.Helper()
	m := &diskMachine{t: t}
	cfg.OnCrash = func(reason error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.reasons = append(m.reasons, reason)
	}
	m.disk = NewDisk(cfg)
	m.open, m.shut = storage.new(t)
	m.start()
	t.Cleanup(func() { m.process.Kill(); m.shut() })
	return m
}

func (m *diskMachine) start() {
	m.t.Helper()
	m.backend = m.open()
	process, err := m.disk.Open(m.backend)
	if err != nil {
		m.t.Fatalf("opening the disk: %v", err)
	}
	m.process = process
}

// restart kills the process and starts another. A power loss in between takes back
// everything that was not flushed.
func (m *diskMachine) restart(powerLoss bool) {
	m.t.Helper()
	m.process.Kill()
	if powerLoss {
		if err := m.disk.PowerLoss(m.backend); err != nil {
			m.t.Fatalf("power loss: %v", err)
		}
	}
	m.shut()
	m.start()
}

func (m *diskMachine) append(indexes ...uint64) error {
	logs := make([]*raft.Log, len(indexes))
	for i, index := range indexes {
		logs[i] = diskEntry(index, 1)
	}
	return m.process.Logs().StoreLogs(logs)
}

func (m *diskMachine) snapshot(index uint64, content string) error {
	sink, err := m.process.Snapshots().Create(1, index, 1, raft.Configuration{}, 1, diskTransport())
	if err != nil {
		return err
	}
	if _, err := io.WriteString(sink, content); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// state returns everything a process can read: the log, the keys and the newest snapshot.
func (m *diskMachine) state() string {
	m.t.Helper()
	logs := m.process.Logs()
	first, err1 := logs.FirstIndex()
	last, err2 := logs.LastIndex()
	if err := errors.Join(err1, err2); err != nil {
		m.t.Fatal(err)
	}
	s := "log"
	for i := first; i <= last && last > 0; i++ {
		var l raft.Log
		if err := logs.GetLog(i, &l); err != nil {
			m.t.Fatal(err)
		}
		s += fmt.Sprintf(" %d.%d:%s", l.Term, l.Index, l.Data)
	}
	s += " keys"
	for _, key := range raftKeys {
		if value, err := m.process.Stable().Get([]byte(key)); err == nil {
			s += fmt.Sprintf(" %s=%s", key, value)
		} else if err.Error() != "not found" {
			m.t.Fatal(err)
		}
	}
	metas, err := m.process.Snapshots().List()
	if err != nil {
		m.t.Fatal(err)
	}
	if len(metas) == 0 {
		return s
	}
	_, r, err := m.process.Snapshots().Open(metas[0].ID)
	if err != nil {
		m.t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		m.t.Fatal(err)
	}
	return s + fmt.Sprintf(" snapshot %d=%s", metas[0].Index, content)
}

func (m *diskMachine) expect(want string) {
	m.t.Helper()
	if got := m.state(); got != want {
		m.t.Fatalf("the disk holds\n%s\ninstead of\n%s", got, want)
	}
}

func diskEntry(index, term uint64) *raft.Log {
	return &raft.Log{
		Index: index, Term: term, Type: raft.LogCommand, Data: fmt.Appendf(nil, "d%d", index),
		Extensions: []byte{7}, AppendedAt: time.Unix(1_700_000_000, 123),
	}
}

func diskTransport() raft.Transport {
	_, transport := raft.NewInmemTransport("n1")
	return transport
}

func diskMust(t diskT, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Raft deletes 0 to 0 in RecoverCluster, and what a snapshot covers may begin before the log.
func TestDeletingOutsideTheLogChangesNothingElse(t *testing.T) {
	for _, storage := range diskStorages {
		for _, fault := range []DiskFault{nil, Lie{}} {
			m := newDiskMachine(t, storage, DiskConfig{})
			m.disk.SetFault(fault)
			logs := m.process.Logs()
			diskMust(t, logs.DeleteRange(0, 0))
			m.expect("log keys")
			diskMust(t, m.append(3, 4, 5))
			for _, outside := range [][2]uint64{{0, 0}, {1, 2}, {6, 9}, {5, 3}, {6, ^uint64(0)}} {
				diskMust(t, logs.DeleteRange(outside[0], outside[1]))
				m.expect("log 1.3:d3 1.4:d4 1.5:d5 keys")
			}
			diskMust(t, logs.DeleteRange(0, 3))
			m.expect("log 1.4:d4 1.5:d5 keys")
			diskMust(t, logs.DeleteRange(5, ^uint64(0)))
			m.expect("log 1.4:d4 keys")
		}
	}
}

// After a snapshot from the leader, entries can follow a gap. A log that is cut off there ends
// with the entry before the gap, on every storage.
func TestLogCutOffAtAGapEndsBeforeIt(t *testing.T) {
	for _, storage := range diskStorages {
		for _, fault := range []DiskFault{nil, Lie{}} {
			m := newDiskMachine(t, storage, DiskConfig{})
			m.disk.SetFault(fault)
			diskMust(t, m.append(1, 2))
			diskMust(t, m.append(6, 7))
			diskMust(t, m.process.Logs().DeleteRange(6, 7))
			if last, err := m.process.Logs().LastIndex(); last != 2 || err != nil {
				t.Errorf("%s: the log ends at entry %d (%v), want 2", storage.name, last, err)
			}
		}
	}
}
