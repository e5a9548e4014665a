package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/hashicorp/raft"
)

// crcSize is how many bytes a checksum adds to Log.Data and to a key's value.
const crcSize = 4

// notFound is the text by which raft recognises a key that was never set (api.go, NewRaft). It compares the text.
const notFound = "not found"

var errNotFound = errors.New(notFound)

// raftKeys are the keys raft stores (raft.go and api.go: keyCurrentTerm, keyLastVoteTerm, keyLastVoteCand). A StableStore
// cannot list its keys, so these are the ones Open verifies; any key is verified when it is read.
var raftKeys = []string{"CurrentTerm", "LastVoteTerm", "LastVoteCand"}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logHeadSize is the size of the fixed part of what logSum covers.
const logHeadSize = 45

// logHeads are buffers, since what crc32 is given does not stay on the stack.
var logHeads = sync.Pool{New: func() any { return new([logHeadSize]byte) }}

// logSum is the checksum of a log entry, over all of its fields. Of AppendedAt it covers the instant and not the time zone,
// because not every store keeps the zone. Lengths are part of it, so that bytes cannot move from one field to the next.
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

// sealLog is a copy of l as it is stored, with its checksum behind the data.
func sealLog(l *raft.Log) *raft.Log {
	sealed := *l
	sealed.Data = make([]byte, 0, len(l.Data)+crcSize)
	sealed.Data = append(sealed.Data, l.Data...)
	sealed.Data = binary.BigEndian.AppendUint32(sealed.Data, logSum(l.Index, l, l.Data))
	return &sealed
}

// readLog reads the entry at index, verifies it and takes the checksum off. It leaves l alone if it returns an error:
// raft.ErrLogNotFound as it is, because raft compares it, or one that wraps ErrDamaged. An entry that the store cannot
// decode is damaged too.
func readLog(logs raft.LogStore, index uint64, l *raft.Log) error {
	before := *l
	*l = raft.Log{} // a store may decode an entry into the memory of the one that was there
	err := readSealed(logs, index, l)
	if err != nil {
		*l = before
	}
	return err
}

// readSealed is readLog, but it leaves anything in l if it returns an error.
func readSealed(logs raft.LogStore, index uint64, l *raft.Log) error {
	if err := logs.GetLog(index, l); err != nil {
		if errors.Is(err, raft.ErrLogNotFound) {
			return err
		}
		return fmt.Errorf("log entry %d is %w (cannot be read: %w)", index, ErrDamaged, err)
	}
	if len(l.Data) < crcSize {
		return fmt.Errorf("log entry %d is %w (too short for a CRC32C: %d bytes)", index, ErrDamaged, len(l.Data))
	}
	// The index is the one that was asked for: a damaged one in a store's own tree must not pass for another entry.
	data, stamp := splitSum(l.Data)
	if sum := logSum(index, l, data); sum != stamp {
		return fmt.Errorf("log entry %d is %w (CRC32C 0x%08x instead of 0x%08x)", index, ErrDamaged, sum, stamp)
	}
	if l.Index != index {
		return fmt.Errorf("log entry %d is %w (it says that it is entry %d)", index, ErrDamaged, l.Index)
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

// sealValue is a copy of value as it is stored under key, with the checksum of both behind it.
func sealValue(key, value []byte) []byte {
	sealed := make([]byte, 0, len(value)+crcSize)
	sealed = append(sealed, value...)
	return binary.BigEndian.AppendUint32(sealed, keySum(key, value))
}

// readKey reads the value of key, verifies it and takes the checksum off. The store's own error for a key that it does not have
// passes through, because raft compares its text.
func readKey(stable raft.StableStore, key []byte) ([]byte, error) {
	stored, err := stable.Get(key)
	if err != nil {
		return nil, err
	}
	// No value at all: a power loss took the key back. A StableStore cannot delete one.
	if len(stored) == 0 {
		return nil, errNotFound
	}
	if len(stored) < crcSize {
		return nil, fmt.Errorf("key %s is %w (too short for a CRC32C: %d bytes)", key, ErrDamaged, len(stored))
	}
	value, stamp := splitSum(stored)
	if sum := keySum(key, value); sum != stamp {
		return nil, fmt.Errorf("key %s is %w (CRC32C 0x%08x instead of 0x%08x)", key, ErrDamaged, sum, stamp)
	}
	return value, nil
}

// splitSum takes the checksum off. An empty rest is nil, as it is in an entry without data that was never stored; the
// capacity ends where the rest does, so that nobody who appends to it writes over the checksum in the store.
func splitSum(sealed []byte) (rest []byte, sum uint32) {
	n := len(sealed) - crcSize
	sum = binary.BigEndian.Uint32(sealed[n:])
	if n == 0 {
		return nil, sum
	}
	return sealed[:n:n], sum
}
