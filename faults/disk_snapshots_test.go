package faults

import (
	"testing"

	"github.com/hashicorp/raft"
)

// TestALateSnapshotDoesNotReplaceANewerOne: a node's own snapshot may be finished
// after a newer one has come from its leader and the log has been cut behind that.
func TestALateSnapshotDoesNotReplaceANewerOne(t *testing.T) {
	store := raft.NewInmemStore()
	backend := DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	disk := NewDisk(DiskConfig{})
	open, err := disk.Open(backend)
	if err != nil {
		t.Fatal(err)
	}
	write := func(index uint64) raft.SnapshotSink {
		sink, err := open.Snapshots().Create(raft.SnapshotVersionMax, index, 2, raft.Configuration{}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write([]byte("content")); err != nil {
			t.Fatal(err)
		}
		return sink
	}
	own, installed := write(10), write(20)
	for _, sink := range []raft.SnapshotSink{installed, own} {
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	newest := func() uint64 {
		list, err := open.Snapshots().List()
		if err != nil || len(list) == 0 {
			t.Fatalf("%v, %v", list, err)
		}
		return list[0].Index
	}
	if newest() != 20 {
		t.Fatalf("the newest snapshot is %d", newest())
	}
	open.Kill()
	if err := disk.PowerLoss(backend); err != nil {
		t.Fatal(err)
	}
	if open, err = disk.Open(backend); err != nil {
		t.Fatal(err)
	}
	if newest() != 20 {
		t.Fatalf("after a power loss the newest snapshot is %d", newest())
	}
}
