package faults

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/raft"
)

// A snapshot is one that is not in the backend (yet). The backend gets a snapshot only once it is durable, because no store of
// raft's can take one back: FileSnapshotStore deletes old ones when it gets a new one, and InmemSnapshotStore has only one.
type snapshot struct {
	id      string
	durable bool                     // survives a power loss
	memory  *raft.InmemSnapshotStore // holds this snapshot and nothing else
	create  func(raft.SnapshotStore) (raft.SnapshotSink, error)
}

// copyTo writes the snapshot to the backend and returns its ID there, which contains the time and so may be another one.
func (s *snapshot) copyTo(backend raft.SnapshotStore) (id string, err error) {
	_, content, err := s.memory.Open(s.id)
	if err != nil {
		return "", err
	}
	sink, err := s.create(backend)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(sink, content); err != nil {
		_ = sink.Cancel() // the error that matters is the first one
		return "", err
	}
	return sink.ID(), sink.Close()
}

// writeBack hands the newest durable snapshot to the backend; older ones have lost their use to it. What fails is tried again
// later, and the snapshot is visible all the same. The caller holds mu.
func (d *Disk) writeBack(b DiskBackend) error {
	newest := len(d.snapshots) - 1
	for newest >= 0 && !d.snapshots[newest].durable {
		newest--
	}
	if newest < 0 {
		return nil
	}
	id, err := d.snapshots[newest].copyTo(b.Snapshots)
	if err != nil {
		return fmt.Errorf("writing snapshot %s: %w", d.snapshots[newest].id, err)
	}
	if id != d.snapshots[newest].id {
		d.writtenAs[d.snapshots[newest].id] = id
	}
	d.snapshots = append([]*snapshot(nil), d.snapshots[newest+1:]...)
	return nil
}

// listSnapshots lists all snapshots, newest first. The caller holds mu.
func (d *Disk) listSnapshots(b DiskBackend) ([]*raft.SnapshotMeta, error) {
	var all []*raft.SnapshotMeta
	for i := len(d.snapshots) - 1; i >= 0; i-- {
		metas, err := d.snapshots[i].memory.List()
		if err != nil {
			return nil, err
		}
		all = append(all, metas...)
	}
	metas, err := b.Snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("listing the snapshots: %w", err)
	}
	all = append(all, metas...)
	// Raft starts from the first one. A snapshot that a node takes of itself may be finished after a later one has come
	// from its leader, so the order in which they were written does not say which is newest.
	slices.SortStableFunc(all, func(a, b *raft.SnapshotMeta) int {
		return cmp.Or(cmp.Compare(b.Term, a.Term), cmp.Compare(b.Index, a.Index))
	})
	return all, nil
}

// isLate says whether a newer snapshot than s is there already. The caller holds mu.
func (d *Disk) isLate(b DiskBackend, s *snapshot) (bool, error) {
	own, err := s.memory.List()
	if err != nil || len(own) == 0 {
		return false, err
	}
	all, err := d.listSnapshots(b)
	if err != nil || len(all) == 0 {
		return false, err
	}
	return all[0].Term > own[0].Term || all[0].Term == own[0].Term && all[0].Index > own[0].Index, nil
}

// openSnapshot opens a snapshot, in memory or in the backend. The caller holds mu.
func (d *Disk) openSnapshot(b DiskBackend, id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	for _, s := range d.snapshots {
		if s.id == id {
			return s.memory.Open(id)
		}
	}
	if written, ok := d.writtenAs[id]; ok {
		id = written
	}
	return b.Snapshots.Open(id)
}

// verifySnapshots opens every snapshot, which makes FileSnapshotStore verify its checksum, and returns the index of the newest,
// zero if there is none. The caller holds mu.
func (d *Disk) verifySnapshots(b DiskBackend) (newest uint64, err error) {
	metas, err := d.listSnapshots(b)
	if err != nil {
		return 0, err
	}
	for _, meta := range metas {
		_, content, err := d.openSnapshot(b, meta.ID)
		if err != nil {
			return 0, fmt.Errorf("snapshot %s is %w (%w)", meta.ID, ErrDamaged, err)
		}
		if err := content.Close(); err != nil {
			return 0, fmt.Errorf("closing snapshot %s: %w", meta.ID, err)
		}
	}
	if len(metas) == 0 {
		return 0, nil
	}
	return metas[0].Index, nil
}

// diskSnapshots is the raft.SnapshotStore of a process.
type diskSnapshots struct{ o *DiskSession }

func (s diskSnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, trans raft.Transport,
) (raft.SnapshotSink, error) {
	if err := s.o.beginWrite(createSnapshot); err != nil {
		return nil, fmt.Errorf("creating a snapshot: %w", err)
	}
	s.o.disk.mu.Unlock()
	create := func(store raft.SnapshotStore) (raft.SnapshotSink, error) {
		return store.Create(version, index, term, configuration, configurationIndex, trans)
	}
	memory := raft.NewInmemSnapshotStore()
	sink, err := create(memory)
	if err != nil {
		return nil, err
	}
	return &diskSink{o: s.o, memory: sink, snapshot: &snapshot{id: sink.ID(), memory: memory, create: create}}, nil
}

func (s diskSnapshots) List() ([]*raft.SnapshotMeta, error) {
	if err := s.o.beginRead(); err != nil {
		return nil, err
	}
	s.o.disk.mu.Lock()
	defer s.o.disk.mu.Unlock()
	return s.o.disk.listSnapshots(s.o.backend)
}

func (s diskSnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if err := s.o.beginRead(); err != nil {
		return nil, nil, err
	}
	s.o.disk.mu.Lock()
	defer s.o.disk.mu.Unlock()
	meta, content, err := s.o.disk.openSnapshot(s.o.backend, id)
	if err != nil {
		return nil, nil, err
	}
	return meta, diskReader{s.o, content}, nil
}

// diskReader reads a snapshot on behalf of a process, and so stops and ends with it.
type diskReader struct {
	o *DiskSession
	io.ReadCloser
}

func (r diskReader) Read(p []byte) (int, error) {
	if err := r.o.beginRead(); err != nil {
		return 0, err
	}
	return r.ReadCloser.Read(p)
}

// diskSink is a snapshot in the making. As any sink it belongs to one goroutine.
type diskSink struct {
	o        *DiskSession
	memory   raft.SnapshotSink
	snapshot *snapshot
	done     bool
	err      error // what Close returned: raft closes a sink a second time after the FSM did, and must not take nil for an answer
}

// ID is the snapshot's ID in the store, which is certain only after Close.
func (s *diskSink) ID() string {
	s.o.disk.mu.Lock()
	defer s.o.disk.mu.Unlock()
	if written, ok := s.o.disk.writtenAs[s.snapshot.id]; ok {
		return written
	}
	return s.snapshot.id
}

func (s *diskSink) Write(p []byte) (int, error) {
	if err := s.o.beginRead(); err != nil { // it only goes to memory
		return 0, err
	}
	return s.memory.Write(p)
}

func (s *diskSink) Cancel() error {
	s.done = true
	return nil
}

func (s *diskSink) Close() error {
	if s.done {
		return s.err
	}
	s.done = true
	s.err = s.finish()
	return s.err
}

func (s *diskSink) finish() error {
	if err := s.o.beginWrite(createSnapshot); err != nil {
		return fmt.Errorf("storing a snapshot: %w", err)
	}
	d := s.o.disk
	defer d.mu.Unlock()
	if late, err := d.isLate(s.o.backend, s.snapshot); err != nil || late {
		// The backend might forget the newer one for it (InmemSnapshotStore does).
		d.snapshots = append([]*snapshot{s.snapshot}, d.snapshots...)
		return err
	}
	s.snapshot.durable = !d.behaviour().lies()
	d.snapshots = append(d.snapshots, s.snapshot)
	if !s.snapshot.durable {
		return nil
	}
	if err := d.writeBack(s.o.backend); err != nil {
		d.snapshots = d.snapshots[:len(d.snapshots)-1]
		return err
	}
	return nil
}
