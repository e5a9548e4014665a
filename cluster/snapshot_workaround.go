package cluster

import (
	"errors"

	"github.com/hashicorp/raft"
)

// snapshotWorkaroundLogs is a log that works around a livelock of the library after a follower
// installs a snapshot from its leader (hashicorp/raft #697). Raft installs the snapshot but
// keeps the log, whose entries may conflict with those that the snapshot covers. The leader's
// next AppendEntries carries the term of the snapshot's last entry as PrevLogTerm, the log
// returns its own entry with another term, and raft rejects the entries, forever (raft.go,
// appendEntries).
//
// A log whose entry at the snapshot's last index has another term may conflict with the
// snapshot at every earlier index (Raft paper, section 5.3). Up to that index it therefore
// looks compacted: its entries are not found, and the last one has the snapshot's term. A log
// that matches its snapshot is unchanged.
type snapshotWorkaroundLogs struct {
	raft.LogStore
	fsm *fsm // holds the newest snapshot's metadata
}

// GetLog reads an entry, or hides it if it may conflict with the newest snapshot.
func (s snapshotWorkaroundLogs) GetLog(index uint64, log *raft.Log) error {
	snapshot := s.fsm.newest.Load()
	if snapshot == nil || index > snapshot.Index {
		return s.LogStore.GetLog(index, log)
	}
	var last raft.Log
	err := s.LogStore.GetLog(snapshot.Index, &last)
	switch {
	case err != nil && !errors.Is(err, raft.ErrLogNotFound):
		return err
	case err == nil && last.Term == snapshot.Term:
		return s.LogStore.GetLog(index, log)
	case index < snapshot.Index:
		return raft.ErrLogNotFound
	}
	*log = raft.Log{Index: snapshot.Index, Term: snapshot.Term, Type: raft.LogNoop}
	return nil
}

// LastIndex returns the index of the last entry, 0 if every entry is hidden: raft reads the last
// one when it starts (hashicorp/raft api.go, NewRaft).
func (s snapshotWorkaroundLogs) LastIndex() (uint64, error) {
	last, err := s.LogStore.LastIndex()
	if snapshot := s.fsm.newest.Load(); err == nil && snapshot != nil && last < snapshot.Index {
		return 0, nil
	}
	return last, err
}
