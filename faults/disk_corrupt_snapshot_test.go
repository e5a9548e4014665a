package faults

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A store in memory keeps one snapshot, FileSnapshotStore two: of two, raft starts from the older
// one.
func TestCorruptSnapshotIsPassedOver(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{Seed: 3})
			diskMust(t, m.append(1, 2, 3, 4, 5))
			diskMust(t, m.snapshot(2, "two"))
			diskMust(t, m.snapshot(4, "four"))
			m.disk.SetFault(CorruptSnapshot{})
			m.expect("log 1.1:d1 1.2:d2 1.3:d3 1.4:d4 1.5:d5 keys snapshot 4=four") // the node is up
			m.process.Kill()
			m.shut()
			m.backend = m.open()
			process, err := m.disk.Open(m.backend)
			if storage.name == "memory" {
				if !errors.Is(err, ErrDamaged) || !strings.HasSuffix(err.Error(), "is damaged (CRC mismatch), and there is no older one to start from") {
					t.Fatalf("opening a disk with one damaged snapshot: %v", err)
				}
				if m.disk.Fault() != nil {
					t.Errorf("the disk still has fault %v, want none: the damage is done", m.disk.Fault())
				}
				if _, again := m.disk.Open(m.backend); again == nil || again.Error() != err.Error() {
					t.Errorf("opening it again: %v, want the same error", again)
				}
				return
			}
			diskMust(t, err)
			m.process = process
			metas, err := process.Snapshots().List()
			diskMust(t, err)
			if len(metas) != 2 {
				t.Fatalf("%d snapshots are listed, want 2", len(metas))
			}
			if _, _, err := process.Snapshots().Open(metas[0].ID); err == nil || err.Error() != "CRC mismatch" {
				t.Errorf("opening the newer snapshot: %v, want CRC mismatch", err)
			}
			_, older, err := process.Snapshots().Open(metas[1].ID)
			diskMust(t, err)
			diskMust(t, older.Close())
			// Without the entries after the older one, raft would panic.
			diskMust(t, process.Logs().DeleteRange(1, 3))
			process.Kill()
			_, err = m.disk.Open(m.backend)
			if !errors.Is(err, ErrDamaged) || !strings.HasSuffix(err.Error(), "is damaged (CRC mismatch), and the log no longer has entry 3, which an older snapshot needs") {
				t.Errorf("opening the disk without entry 3: %v", err)
			}
		})
	}
}

// Without a snapshot there is nothing to damage yet: the fault stays until there is one.
func TestCorruptSnapshotWaitsForASnapshot(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			m := newDiskMachine(t, storage, DiskConfig{})
			diskMust(t, m.append(1, 2))
			m.disk.SetFault(CorruptSnapshot{})
			m.restart(false)
			m.expect("log 1.1:d1 1.2:d2 keys")
			if m.disk.Fault() != (CorruptSnapshot{}) {
				t.Errorf("the disk has fault %v, want it armed", m.disk.Fault())
			}
			diskMust(t, m.snapshot(2, "two"))
			m.process.Kill()
			m.shut()
			m.backend = m.open()
			if _, err := m.disk.Open(m.backend); DamageOf(err) != (CorruptSnapshot{}) || m.disk.Fault() != nil {
				t.Errorf("opening it with a snapshot: %v, and the fault is %v; want a damaged snapshot, and none", err, m.disk.Fault())
			}
		})
	}
}

func TestDamageOf(t *testing.T) {
	for err, want := range map[error]DiskFault{
		nil: nil, ErrIO: nil,
		fmt.Errorf("entry 1 is %w", ErrDamaged):                     Corrupt{},
		fmt.Errorf("starting: %w", &damagedSnapshot{"2-4", errCRC}): CorruptSnapshot{},
	} {
		if got := DamageOf(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}
