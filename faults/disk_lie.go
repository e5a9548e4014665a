package faults

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// Lie makes the disk acknowledge a write as synced at once, although it becomes durable
// only at the next flush (DiskConfig.FlushEvery). Until then it is in the page cache: it
// survives the death of the process, but not a power loss. This is outside Raft's fault
// model, so a cluster may lose what it acknowledged.
type Lie struct{ noFault }

func (Lie) String() string { return "lie" }

func (Lie) writeTime(time.Duration) time.Duration { return 0 }

func (Lie) lies() bool { return true }

// undoLog holds what a power loss restores: every record changed since the last flush, as
// it was at that flush, or nil if it did not exist. The backend itself always has the
// newest state, which is what readers see. Unflushed snapshots are not in the undo log but
// held back from the backend: see pendingSnapshot.
type undoLog struct {
	logs map[uint64]*raft.Log
	keys map[string][]byte
}

// saveEntry saves the entry at index as it is stored now, unless it has already changed
// since the last flush.
func (u *undoLog) saveEntry(logs raft.LogStore, index uint64) error {
	if _, ok := u.logs[index]; ok {
		return nil
	}
	before := &raft.Log{}
	if err := logs.GetLog(index, before); errors.Is(err, raft.ErrLogNotFound) {
		before = nil
	} else if err != nil {
		return err
	}
	if u.logs == nil {
		u.logs = map[uint64]*raft.Log{}
	}
	u.logs[index] = before
	return nil
}

// saveKey saves the value of key as it is stored now, unless it has already changed since
// the last flush.
func (u *undoLog) saveKey(stable raft.StableStore, key []byte) error {
	if _, ok := u.keys[string(key)]; ok {
		return nil
	}
	before, err := stable.Get(key)
	if err != nil && err.Error() != notFound {
		return err
	}
	if u.keys == nil {
		u.keys = map[string][]byte{}
	}
	u.keys[string(key)] = slices.Clone(before)
	return nil
}

// rollBack restores the saved records in the backend.
func (u *undoLog) rollBack(b DiskBackend) error {
	for key, before := range u.keys {
		// A StableStore cannot delete: an empty value stands for a missing key (see readKey).
		if before == nil {
			before = []byte{}
		}
		if err := b.Stable.Set([]byte(key), before); err != nil {
			return fmt.Errorf("rolling back key %s: %w", key, err)
		}
	}
	if len(u.logs) == 0 {
		return nil
	}
	return u.rollBackLogs(b.Logs)
}

// rollBackLogs rewrites the whole log in index order, because not every store accepts an
// entry before its first one (raft.InmemStore keeps its first index, a monotonic store
// refuses).
func (u *undoLog) rollBackLogs(logs raft.LogStore) error {
	first, last, err := logRange(logs)
	if err != nil {
		return err
	}
	var durable []*raft.Log
	for index := first; index <= last && last > 0; index++ {
		if _, changed := u.logs[index]; changed {
			continue
		}
		entry := &raft.Log{}
		if err := logs.GetLog(index, entry); errors.Is(err, raft.ErrLogNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("rolling back the log: reading entry %d: %w", index, err)
		}
		durable = append(durable, entry)
	}
	for _, before := range u.logs {
		if before != nil {
			durable = append(durable, before)
		}
	}
	slices.SortFunc(durable, func(a, b *raft.Log) int { return cmp.Compare(a.Index, b.Index) })
	if last > 0 {
		if err := logs.DeleteRange(first, last); err != nil {
			return fmt.Errorf("rolling back log entries %d to %d: %w", first, last, err)
		}
	}
	if len(durable) == 0 {
		return nil
	}
	if err := logs.StoreLogs(durable); err != nil {
		return fmt.Errorf("restoring log entries %d to %d: %w", durable[0].Index, durable[len(durable)-1].Index, err)
	}
	return nil
}

// PowerLoss takes back, in the backend, everything that a lying disk has not flushed, as if
// it had never been written. An honest disk loses only unfinished snapshots. Kill the
// session first; b is the backend that the next process will open, or the last one before
// it is closed.
func (d *Disk) PowerLoss(b DiskBackend) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return errors.New("the disk is open: kill its session first")
	}
	d.tick()
	if err := d.undo.rollBack(b); err != nil {
		return err
	}
	d.undo = undoLog{}
	d.pending = slices.DeleteFunc(d.pending, func(s *pendingSnapshot) bool { return !s.durable })
	return d.writeBack(b)
}

// tick performs the flush that has come due since the last operation, and writes durable
// snapshots to the backend. A late flush makes no difference, because nothing was written
// in between. The caller holds mu.
func (d *Disk) tick() {
	if d.behaviour().lies() {
		if late := time.Since(d.nextFlush); late >= 0 {
			d.flush()
			d.nextFlush = d.nextFlush.Add((late/d.cfg.FlushEvery + 1) * d.cfg.FlushEvery)
		}
	}
	if d.session != nil {
		_ = d.writeBack(d.session.backend) // the next write retries; until then the snapshot stays in memory
	}
}

// flush makes everything durable. The caller holds mu.
func (d *Disk) flush() {
	d.undo = undoLog{}
	for _, s := range d.pending {
		s.durable = true
	}
}
