package faults

import (
	"testing"

	"github.com/hashicorp/raft"
)

// A node may finish its own snapshot after it has installed a newer one from its leader
// and compacted its log up to that one.
func TestLateSnapshotDoesNotReplaceANewerOne(t *testing.T) {
	store := raft.NewInmemStore()
	backend := DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	disk := NewDisk(DiskConfig{})
	session, err := disk.Open(backend)
	if err != nil {
		t.Fatal(err)
	}
	write := func(index uint64) raft.SnapshotSink {
		sink, err := session.Snapshots().Create(raft.SnapshotVersionMax, index, 2, raft.Configuration{}, 1, nil)
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
		list, err := session.Snapshots().List()
		if err != nil || len(list) == 0 {
			t.Fatalf("listed snapshots %v, error %v", list, err)
		}
		return list[0].Index
	}
	if newest() != 20 {
		t.Fatalf("the newest snapshot is %d, want 20", newest())
	}
	session.Kill()
	if err := disk.PowerLoss(backend); err != nil {
		t.Fatal(err)
	}
	if session, err = disk.Open(backend); err != nil {
		t.Fatal(err)
	}
	if newest() != 20 {
		t.Fatalf("after a power loss the newest snapshot is %d, want 20", newest())
	}
}
