package faults

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// Corrupt flips one to three adjacent bits in one stored log entry or key at the next
// Open of a disk that holds one, as if they had flipped while the node was down. That ends
// the fault, but the damage stays: every Open finds it until the data is wiped, because a CRC32C
// detects any such burst.
type Corrupt struct{ noFault }

func (Corrupt) String() string { return "corrupt" }

func (Corrupt) damage() func(*Disk, DiskBackend) (bool, error) { return (*Disk).flipRecord }

// flipRecord damages one record and reports whether there is one. The seed decides which record
// and which bits. The caller holds mu.
func (d *Disk) flipRecord(b DiskBackend) (bool, error) {
	var records []func() error
	first, last, err := logRange(b.Logs)
	if err != nil {
		return false, err
	}
	for index := first; index <= last && last > 0; index++ {
		entry := &raft.Log{}
		if err := b.Logs.GetLog(index, entry); errors.Is(err, raft.ErrLogNotFound) {
			continue
		} else if err != nil {
			return false, fmt.Errorf("reading log entry %d: %w", index, err)
		}
		records = append(records, func() error {
			entry.Data = d.flipBits(entry.Data)
			return b.Logs.StoreLog(entry)
		})
	}
	for _, key := range raftKeys {
		value, err := b.Stable.Get([]byte(key))
		if err != nil && err.Error() != notFound {
			return false, fmt.Errorf("reading key %s: %w", key, err)
		}
		if len(value) > 0 {
			records = append(records, func() error { return b.Stable.Set([]byte(key), d.flipBits(value)) })
		}
	}
	if len(records) == 0 {
		return false, nil
	}
	return true, records[d.rng.IntN(len(records))]()
}

// flipBits returns a copy of stored with one to three adjacent bits flipped.
func (d *Disk) flipBits(stored []byte) []byte {
	flipped := slices.Clone(stored)
	bits := len(flipped) * 8
	start := d.rng.IntN(bits)
	for i := range 1 + d.rng.IntN(3) {
		bit := (start + i) % bits
		flipped[bit/8] ^= 1 << (bit % 8)
	}
	return flipped
}
