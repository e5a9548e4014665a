package faults

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/raft"
)

// pendingSnapshot is a finished snapshot that is not in the backend. It is written there
// only once it is durable, because raft's stores cannot take a snapshot back:
// FileSnapshotStore deletes old ones when it gets a new one, and InmemSnapshotStore holds
// only one.
type pendingSnapshot struct {
	id      string
	durable bool                     // survives a power loss
	memory  *raft.InmemSnapshotStore // holds only this snapshot
	create  func(raft.SnapshotStore) (raft.SnapshotSink, error)
}

// copyTo writes the snapshot to the backend and returns its ID there, which may differ
// because it contains the time.
func (s *pendingSnapshot) copyTo(backend raft.SnapshotStore) (id string, err error) {
	_, content, err := s.memory.Open(s.id)
	if err != nil {
		return "", err
	}
	sink, err := s.create(backend)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(sink, content); err != nil {
		_ = sink.Cancel() // only the first error matters
		return "", err
	}
	return sink.ID(), sink.Close()
}

// writeBack writes the newest durable snapshot to the backend, which makes older ones
// obsolete. A failed write can be retried later; until then the snapshot stays pending and
// visible. The caller holds mu.
func (d *Disk) writeBack(b DiskBackend) error {
	newest := len(d.pending) - 1
	for newest >= 0 && !d.pending[newest].durable {
		newest--
	}
	if newest < 0 {
		return nil
	}
	id, err := d.pending[newest].copyTo(b.Snapshots)
	if err != nil {
		return fmt.Errorf("writing snapshot %s: %w", d.pending[newest].id, err)
	}
	if id != d.pending[newest].id {
		d.backendIDs[d.pending[newest].id] = id
	}
	d.pending = append([]*pendingSnapshot(nil), d.pending[newest+1:]...)
	return nil
}

// listSnapshots lists all snapshots, newest first. The caller holds mu.
func (d *Disk) listSnapshots(b DiskBackend) ([]*raft.SnapshotMeta, error) {
	var all []*raft.SnapshotMeta
	for i := len(d.pending) - 1; i >= 0; i-- {
		metas, err := d.pending[i].memory.List()
		if err != nil {
			return nil, err
		}
		all = append(all, metas...)
	}
	metas, err := sortedSnapshots(b)
	if err != nil {
		return nil, err
	}
	all = append(all, metas...)
	sortSnapshots(all)
	return all, nil
}

// sortedSnapshots lists the snapshots of a backend, newest first.
func sortedSnapshots(b DiskBackend) ([]*raft.SnapshotMeta, error) {
	metas, err := b.Snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("listing the snapshots: %w", err)
	}
	metas = slices.Clone(metas)
	sortSnapshots(metas)
	return metas, nil
}

// sortSnapshots sorts newest first; raft starts from the first. The order of writing does not
// matter: a node may finish its own snapshot after it has installed a newer one from its leader.
func sortSnapshots(all []*raft.SnapshotMeta) {
	slices.SortStableFunc(all, func(a, b *raft.SnapshotMeta) int {
		return cmp.Or(cmp.Compare(b.Term, a.Term), cmp.Compare(b.Index, a.Index))
	})
}

// isSuperseded reports whether the disk already holds a newer snapshot than s. The caller
// holds mu.
func (d *Disk) isSuperseded(b DiskBackend, s *pendingSnapshot) (bool, error) {
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
	for _, s := range d.pending {
		if s.id == id {
			return s.memory.Open(id)
		}
	}
	if written, ok := d.backendIDs[id]; ok {
		id = written
	}
	if d.damaged[id] {
		return nil, nil, errCRC
	}
	return b.Snapshots.Open(id)
}

// verifySnapshots opens every snapshot, which makes FileSnapshotStore verify its checksum.
// It returns the index of the newest intact one, zero if there are no snapshots, and what is
// wrong with the newest damaged one. If all are damaged, that is the error. The caller holds
// mu.
func (d *Disk) verifySnapshots(b DiskBackend) (newest uint64, damaged, err error) {
	metas, err := d.listSnapshots(b)
	if err != nil {
		return 0, nil, err
	}
	found := false
	for _, meta := range metas {
		_, content, err := d.openSnapshot(b, meta.ID)
		if err != nil {
			if damaged == nil {
				damaged = &damagedSnapshot{meta.ID, err}
			}
			continue
		}
		if err := content.Close(); err != nil {
			return 0, nil, fmt.Errorf("closing snapshot %s: %w", meta.ID, err)
		}
		if !found {
			newest, found = meta.Index, true
		}
	}
	if damaged != nil && !found {
		return 0, damaged, fmt.Errorf("%w, and there is no older one to start from", damaged)
	}
	return newest, damaged, nil
}

// diskSnapshots is the raft.SnapshotStore of a session.
type diskSnapshots struct{ session *DiskSession }

func (s diskSnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, trans raft.Transport,
) (raft.SnapshotSink, error) {
	if err := s.session.beginWrite(createSnapshot); err != nil {
		return nil, fmt.Errorf("creating a snapshot: %w", err)
	}
	s.session.disk.mu.Unlock()
	create := func(store raft.SnapshotStore) (raft.SnapshotSink, error) {
		return store.Create(version, index, term, configuration, configurationIndex, trans)
	}
	memory := raft.NewInmemSnapshotStore()
	sink, err := create(memory)
	if err != nil {
		return nil, err
	}
	return &diskSink{session: s.session, memory: sink, snapshot: &pendingSnapshot{id: sink.ID(), memory: memory, create: create}}, nil
}

func (s diskSnapshots) List() ([]*raft.SnapshotMeta, error) {
	if err := s.session.beginRead(); err != nil {
		return nil, err
	}
	s.session.disk.mu.Lock()
	defer s.session.disk.mu.Unlock()
	return s.session.disk.listSnapshots(s.session.backend)
}

func (s diskSnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if err := s.session.beginRead(); err != nil {
		return nil, nil, err
	}
	s.session.disk.mu.Lock()
	defer s.session.disk.mu.Unlock()
	meta, content, err := s.session.disk.openSnapshot(s.session.backend, id)
	if err != nil {
		return nil, nil, err
	}
	return meta, diskReader{s.session, content}, nil
}

// diskReader reads a snapshot for a process, and pauses and dies with it.
type diskReader struct {
	session *DiskSession
	io.ReadCloser
}

func (r diskReader) Read(p []byte) (int, error) {
	if err := r.session.beginRead(); err != nil {
		return 0, err
	}
	return r.ReadCloser.Read(p)
}

// diskSink receives a new snapshot. Like any sink, it belongs to one goroutine.
type diskSink struct {
	session  *DiskSession
	memory   raft.SnapshotSink
	snapshot *pendingSnapshot
	done     bool

	// err is what Close returned. Raft closes a sink again after the FSM has, and must get
	// the same error.
	err error
}

// ID returns the snapshot's ID in the store, which may change until Close.
func (s *diskSink) ID() string {
	s.session.disk.mu.Lock()
	defer s.session.disk.mu.Unlock()
	if written, ok := s.session.disk.backendIDs[s.snapshot.id]; ok {
		return written
	}
	return s.snapshot.id
}

func (s *diskSink) Write(p []byte) (int, error) {
	if err := s.session.beginRead(); err != nil { // not a write: it only goes to memory
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
	if err := s.session.beginWrite(createSnapshot); err != nil {
		return fmt.Errorf("storing a snapshot: %w", err)
	}
	d := s.session.disk
	defer d.mu.Unlock()
	if old, err := d.isSuperseded(s.session.backend, s.snapshot); err != nil || old {
		// Keep it out of the backend, which might drop the newer one (InmemSnapshotStore does).
		d.pending = append([]*pendingSnapshot{s.snapshot}, d.pending...)
		return err
	}
	s.snapshot.durable = !d.behaviour().lies()
	d.pending = append(d.pending, s.snapshot)
	if !s.snapshot.durable {
		return nil
	}
	if err := d.writeBack(s.session.backend); err != nil {
		d.pending = d.pending[:len(d.pending)-1]
		return err
	}
	return nil
}
