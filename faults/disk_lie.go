package faults

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// Lie makes the disk say at once that a write is synced, although it reaches the platter only at the next flush
// (DiskConfig.FlushEvery). In between it is in the page cache: a killed process finds it again, a power loss takes it
// back. This is outside Raft's fault model, so a cluster may well lose what it acknowledged.
type Lie struct{ noFault }

func (Lie) String() string { return "lie" }

func (Lie) writeTime(time.Duration) time.Duration { return 0 }

func (Lie) lies() bool { return true }

// A journal is what a power loss gives back: every record changed since the last flush, as it was at that flush, nil if
// it did not exist. The backend itself always has the newest state, as a file system has for those who read it.
// Unflushed snapshots are not in the journal but held back from the backend: see snapshot.
type undoLog struct {
	logs map[uint64]*raft.Log
	keys map[string][]byte
}

// saveEntry notes the entry at index as it is stored now, unless it has changed since the last flush already.
func (j *undoLog) saveEntry(logs raft.LogStore, index uint64) error {
	if _, ok := j.logs[index]; ok {
		return nil
	}
	before := &raft.Log{}
	if err := logs.GetLog(index, before); errors.Is(err, raft.ErrLogNotFound) {
		before = nil
	} else if err != nil {
		return err
	}
	if j.logs == nil {
		j.logs = map[uint64]*raft.Log{}
	}
	j.logs[index] = before
	return nil
}

// saveKey notes the value of key as it is stored now, unless it has changed since the last flush already.
func (j *undoLog) saveKey(stable raft.StableStore, key []byte) error {
	if _, ok := j.keys[string(key)]; ok {
		return nil
	}
	before, err := stable.Get(key)
	if err != nil && err.Error() != notFound {
		return err
	}
	if j.keys == nil {
		j.keys = map[string][]byte{}
	}
	j.keys[string(key)] = slices.Clone(before)
	return nil
}

// rollBack gives the backend the records of the journal back.
func (j *undoLog) rollBack(b DiskBackend) error {
	for key, before := range j.keys {
		// A StableStore cannot delete: an empty value stands for a key that was not there (see readKey).
		if before == nil {
			before = []byte{}
		}
		if err := b.Stable.Set([]byte(key), before); err != nil {
			return fmt.Errorf("taking back key %s: %w", key, err)
		}
	}
	if len(j.logs) == 0 {
		return nil
	}
	return j.rollBackLogs(b.Logs)
}

// rollBackLogs writes the whole log anew, in order of the indexes, because not every store takes an entry before its
// first one (raft.InmemStore keeps its first index, a monotonic store refuses).
func (j *undoLog) rollBackLogs(logs raft.LogStore) error {
	first, last, err := logRange(logs)
	if err != nil {
		return err
	}
	var durable []*raft.Log
	for index := first; index <= last && last > 0; index++ {
		if _, changed := j.logs[index]; changed {
			continue
		}
		entry := &raft.Log{}
		if err := logs.GetLog(index, entry); errors.Is(err, raft.ErrLogNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("taking back log entries: reading entry %d: %w", index, err)
		}
		durable = append(durable, entry)
	}
	for _, before := range j.logs {
		if before != nil {
			durable = append(durable, before)
		}
	}
	slices.SortFunc(durable, func(a, b *raft.Log) int { return cmp.Compare(a.Index, b.Index) })
	if last > 0 {
		if err := logs.DeleteRange(first, last); err != nil {
			return fmt.Errorf("taking back log entries %d to %d: %w", first, last, err)
		}
	}
	if len(durable) == 0 {
		return nil
	}
	if err := logs.StoreLogs(durable); err != nil {
		return fmt.Errorf("putting log entries %d to %d back: %w", durable[0].Index, durable[len(durable)-1].Index, err)
	}
	return nil
}

// PowerLoss is the machine losing power: what a lying disk has not flushed is taken back, in the backend, as if it had
// never been written. An honest disk loses nothing but a snapshot in the making. No process may have the disk open:
// Detach it first, and give PowerLoss the backend the next process will open, or the last one before it is closed.
func (d *Disk) PowerLoss(b DiskBackend) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return errors.New("a process has the disk open")
	}
	d.tick()
	if err := d.undo.rollBack(b); err != nil {
		return err
	}
	d.undo = undoLog{}
	d.pending = slices.DeleteFunc(d.pending, func(s *pendingSnapshot) bool { return !s.durable })
	return d.writeBack(b)
}

// tick does the flush that has come due since the last operation, and gives the backend what is durable and not there
// yet. It makes no difference that a flush comes late, because nothing was written in between. The caller holds mu.
func (d *Disk) tick() {
	if d.behaviour().lies() {
		if late := time.Since(d.nextFlush); late >= 0 {
			d.flush()
			d.nextFlush = d.nextFlush.Add((late/d.cfg.FlushEvery + 1) * d.cfg.FlushEvery)
		}
	}
	if d.session != nil {
		_ = d.writeBack(d.session.backend) // tried again at the next write; the snapshot stays in memory until it succeeds
	}
}

// flush makes everything durable. The caller holds mu.
func (d *Disk) flush() {
	d.undo = undoLog{}
	for _, s := range d.pending {
		s.durable = true
	}
}
