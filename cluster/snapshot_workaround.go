package cluster

import (
	"errors"

	"github.com/hashicorp/raft"
)

// snapshotWorkaroundLogs is a log that answers as raft expects it to behind a snapshot of its
// leader. Raft installs such a snapshot but leaves the log as it is, whose entries
// may be others than those the snapshot covers. The leader's next entries then ask
// for the term of the snapshot's last entry, the log answers with its own old one,
// and raft refuses them, for ever (hashicorp/raft #697, raft.go, appendEntries).
//
// A log that has another entry at that place than the snapshot agrees with it
// nowhere for certain (Raft paper, section 5.3), so up to there it counts as
// compacted: its entries are not found, and the last one has the snapshot's term.
// A log that agrees with its snapshot is left as it is.
type snapshotWorkaroundLogs struct {
	raft.LogStore
	fsm *fsm // knows the newest snapshot
}

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
