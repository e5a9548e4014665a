package faults

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// diskLogs is the raft.LogStore of a session.
type diskLogs struct{ session *DiskSession }

var _ raft.MonotonicLogStore = diskLogs{}

func (s diskLogs) FirstIndex() (uint64, error) {
	if err := s.session.beginRead(); err != nil {
		return 0, err
	}
	return s.session.backend.Logs.FirstIndex()
}

func (s diskLogs) LastIndex() (uint64, error) {
	if err := s.session.beginRead(); err != nil {
		return 0, err
	}
	return s.session.backend.Logs.LastIndex()
}

func (s diskLogs) GetLog(index uint64, log *raft.Log) error {
	err := s.session.beginRead()
	if err == nil {
		err = readLog(s.session.backend.Logs, index, log)
	}
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, raft.ErrLogNotFound):
		return s.session.crash(err)
	case raftWouldPanic():
		return s.session.crash(fmt.Errorf("the log is %w: entry %d is missing", ErrDamaged, index))
	}
	return err
}

func (s diskLogs) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

func (s diskLogs) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	if err := s.store(logs); err != nil {
		return fmt.Errorf("storing log entries %d to %d: %w", logs[0].Index, logs[len(logs)-1].Index, err)
	}
	return nil
}

func (s diskLogs) store(logs []*raft.Log) error {
	if err := s.session.beginWrite(appendLogs); err != nil {
		return err
	}
	d := s.session.disk
	defer d.mu.Unlock()
	sealed := make([]*raft.Log, len(logs))
	for i, l := range logs {
		sealed[i] = sealLog(l)
		if d.behaviour().lies() {
			if err := d.undo.saveEntry(s.session.backend.Logs, l.Index); err != nil {
				return err
			}
		}
	}
	return s.session.backend.Logs.StoreLogs(sealed)
}

// DeleteRange deletes entries. It ignores indexes outside the log.
func (s diskLogs) DeleteRange(from, to uint64) error {
	if err := s.delete(from, to); err != nil {
		return fmt.Errorf("deleting log entries %d to %d: %w", from, to, err)
	}
	return nil
}

func (s diskLogs) delete(from, to uint64) error {
	if err := s.session.beginWrite(deleteLogs); err != nil {
		return err
	}
	d := s.session.disk
	defer d.mu.Unlock()
	// Raft deletes the range 0 to 0 when it recovers a node without a log (api.go,
	// RecoverCluster). After that, raft.InmemStore would report 2^64-1 as its last index.
	first, last, err := logRange(s.session.backend.Logs)
	if err != nil {
		return err
	}
	if from, to = max(from, first), min(to, last); last == 0 || from > to {
		return nil
	}
	if d.behaviour().lies() {
		for index := from; index <= to; index++ {
			if err := d.undo.saveEntry(s.session.backend.Logs, index); err != nil {
				return err
			}
		}
	}
	if to == last {
		// After a snapshot from the leader, a log can have a gap. If its end is cut off at the
		// gap, raft.InmemStore would report an entry in the gap as its last.
		for from > first && lacksEntry(s.session.backend.Logs, from-1) {
			from--
		}
	}
	return s.session.backend.Logs.DeleteRange(from, to)
}

func lacksEntry(logs raft.LogStore, index uint64) bool {
	return errors.Is(logs.GetLog(index, new(raft.Log)), raft.ErrLogNotFound)
}

// IsMonotonic reports whether the backend is monotonic. A store without this method is
// not, as in raft's LogCache.
func (s diskLogs) IsMonotonic() bool {
	m, ok := s.session.backend.Logs.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// diskKeys is the raft.StableStore of a session.
type diskKeys struct{ session *DiskSession }

func (s diskKeys) Get(key []byte) ([]byte, error) {
	if err := s.session.beginRead(); err != nil {
		return nil, err
	}
	value, err := readKey(s.session.backend.Stable, key)
	if errors.Is(err, ErrDamaged) {
		return nil, s.session.crash(err)
	}
	return value, err
}

func (s diskKeys) Set(key, value []byte) error {
	if err := s.set(key, value); err != nil {
		return s.session.crash(fmt.Errorf("storing key %s: %w", key, err))
	}
	return nil
}

func (s diskKeys) set(key, value []byte) error {
	if err := s.session.beginWrite(setKey); err != nil {
		return err
	}
	d := s.session.disk
	defer d.mu.Unlock()
	if d.behaviour().lies() {
		if err := d.undo.saveKey(s.session.backend.Stable, key); err != nil {
			return err
		}
	}
	return s.session.backend.Stable.Set(key, sealValue(key, value))
}

// GetUint64 goes through Get, so numbers have a checksum too.
func (s diskKeys) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, fmt.Errorf("key %s holds %d bytes, not an 8-byte number", key, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

func (s diskKeys) SetUint64(key []byte, value uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, value))
}
