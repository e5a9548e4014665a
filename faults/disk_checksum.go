package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/hashicorp/raft"
)

// crcSize is how many bytes a checksum adds to Log.Data or to a key's value.
const crcSize = 4

// notFound is the error text by which raft recognizes a key that was never set (api.go,
// NewRaft, compares the text).
const notFound = "not found"

var errNotFound = errors.New(notFound)

// raftKeys are the keys raft stores (raft.go and api.go: keyCurrentTerm, keyLastVoteTerm,
// keyLastVoteCand). A StableStore cannot list its keys, so Open verifies only these. Any
// key is verified when it is read.
var raftKeys = []string{"CurrentTerm", "LastVoteTerm", "LastVoteCand"}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logHeadSize is the size, in bytes, of the fixed part that logSum covers.
const logHeadSize = 45

// logHeads pools buffers, because the argument of crc32.Update escapes to the heap.
var logHeads = sync.Pool{New: func() any { return new([logHeadSize]byte) }}

// logSum returns the checksum of a log entry, over all fields. It covers the instant of
// AppendedAt but not the time zone, which not every store keeps. It covers the lengths, so
// that moving bytes from one field to the next changes the checksum.
func logSum(index uint64, l *raft.Log, data []byte) uint32 {
	head := logHeads.Get().(*[logHeadSize]byte)
	defer logHeads.Put(head)
	binary.BigEndian.PutUint64(head[0:], index)
	binary.BigEndian.PutUint64(head[8:], l.Term)
	head[16] = byte(l.Type)
	binary.BigEndian.PutUint64(head[17:], uint64(l.AppendedAt.Unix()))
	binary.BigEndian.PutUint32(head[25:], uint32(l.AppendedAt.Nanosecond()))
	binary.BigEndian.PutUint64(head[29:], uint64(len(data)))
	binary.BigEndian.PutUint64(head[37:], uint64(len(l.Extensions)))
	sum := crc32.Update(0, castagnoli, head[:])
	sum = crc32.Update(sum, castagnoli, data)
	return crc32.Update(sum, castagnoli, l.Extensions)
}

// sealLog returns a copy of l as it is stored: with its checksum after the data.
func sealLog(l *raft.Log) *raft.Log {
	sealed := *l
	sealed.Data = make([]byte, 0, len(l.Data)+crcSize)
	sealed.Data = append(sealed.Data, l.Data...)
	sealed.Data = binary.BigEndian.AppendUint32(sealed.Data, logSum(l.Index, l, l.Data))
	return &sealed
}

// readLog reads the entry at index, verifies it and removes the checksum. The error is
// raft.ErrLogNotFound itself, which raft compares with ==, or one that wraps ErrDamaged;
// an entry that the store cannot decode is damaged too. On an error, l is unchanged.
func readLog(logs raft.LogStore, index uint64, l *raft.Log) error {
	before := *l
	*l = raft.Log{} // a store may decode into the memory of the previous entry
	err := readSealed(logs, index, l)
	if err != nil {
		*l = before
	}
	return err
}

// readSealed is readLog, except that an error may leave anything in l.
func readSealed(logs raft.LogStore, index uint64, l *raft.Log) error {
	if err := logs.GetLog(index, l); err != nil {
		if errors.Is(err, raft.ErrLogNotFound) {
			return err
		}
		return fmt.Errorf("log entry %d is %w (unreadable: %w)", index, ErrDamaged, err)
	}
	if len(l.Data) < crcSize {
		return fmt.Errorf("log entry %d is %w (too short for a CRC32C: %d bytes)", index, ErrDamaged, len(l.Data))
	}
	// The checksum covers the requested index, so an entry whose key is damaged in the
	// store's own tree does not pass for another entry.
	data, stored := splitSum(l.Data)
	if sum := logSum(index, l, data); sum != stored {
		return fmt.Errorf("log entry %d is %w (CRC32C 0x%08x instead of 0x%08x)", index, ErrDamaged, sum, stored)
	}
	if l.Index != index {
		return fmt.Errorf("log entry %d is %w (stored as entry %d)", index, ErrDamaged, l.Index)
	}
	l.Data = data
	return nil
}

func keySum(key, value []byte) uint32 {
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], uint64(len(key)))
	sum := crc32.Update(0, castagnoli, head[:])
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// sealValue returns a copy of value as it is stored under key: followed by the checksum of
// both.
func sealValue(key, value []byte) []byte {
	sealed := make([]byte, 0, len(value)+crcSize)
	sealed = append(sealed, value...)
	return binary.BigEndian.AppendUint32(sealed, keySum(key, value))
}

// readKey reads the value of key, verifies it and removes the checksum. The store's own
// error for a missing key passes through, because raft compares its text.
func readKey(stable raft.StableStore, key []byte) ([]byte, error) {
	stored, err := stable.Get(key)
	if err != nil {
		return nil, err
	}
	// An empty value stands for a key that a power loss took back: a StableStore cannot
	// delete one.
	if len(stored) == 0 {
		return nil, errNotFound
	}
	if len(stored) < crcSize {
		return nil, fmt.Errorf("key %s is %w (too short for a CRC32C: %d bytes)", key, ErrDamaged, len(stored))
	}
	value, want := splitSum(stored)
	if sum := keySum(key, value); sum != want {
		return nil, fmt.Errorf("key %s is %w (CRC32C 0x%08x instead of 0x%08x)", key, ErrDamaged, sum, want)
	}
	return value, nil
}

// splitSum separates a record from its checksum. An empty record is nil, like the data of
// an entry that was never stored. The record's capacity ends with it, so appending to it
// cannot overwrite the checksum in the store.
func splitSum(sealed []byte) (record []byte, sum uint32) {
	n := len(sealed) - crcSize
	sum = binary.BigEndian.Uint32(sealed[n:])
	if n == 0 {
		return nil, sum
	}
	return sealed[:n:n], sum
}
