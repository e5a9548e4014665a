package faults

import (
	"errors"
	"fmt"
)

// CorruptSnapshot flips one to three adjacent bits in the newest stored snapshot at the next
// Open that finds one, as if they had flipped while the node was down. That ends the fault, but
// the damage stays. FileSnapshotStore's checksum reveals it, and raft starts from the next older
// snapshot. If there is none, or the log no longer has the entries after it, the node cannot
// start.
type CorruptSnapshot struct{ noFault }

func (CorruptSnapshot) String() string { return "corrupt snapshot" }

func (CorruptSnapshot) damage() func(*Disk, DiskBackend) (bool, error) { return (*Disk).damageSnapshot }

// errCRC is the error of FileSnapshotStore for a damaged snapshot. The Disk returns it for a
// store without checksums.
var errCRC = errors.New("CRC mismatch")

// damageSnapshot damages the newest snapshot in the backend and reports whether there is one. The
// caller holds mu.
func (d *Disk) damageSnapshot(b DiskBackend) (bool, error) {
	metas, err := sortedSnapshots(b)
	if err != nil || len(metas) == 0 {
		return false, err
	}
	id := metas[0].ID
	if b.RewriteSnapshot != nil {
		return true, b.RewriteSnapshot(id, d.flipBits)
	}
	d.damaged[id] = true
	return true, nil
}

// damagedSnapshot is the error of a snapshot that cannot be read.
type damagedSnapshot struct {
	id  string
	err error
}

func (s *damagedSnapshot) Error() string {
	return fmt.Sprintf("snapshot %s is %v (%v)", s.id, ErrDamaged, s.err)
}

func (s *damagedSnapshot) Unwrap() []error { return []error{ErrDamaged, s.err} }

// DamageOf returns the fault that causes the damage in err, an error of [Disk.Open]: Corrupt or
// CorruptSnapshot. It returns nil if err is not about damage.
func DamageOf(err error) DiskFault {
	var snapshot *damagedSnapshot
	switch {
	case errors.As(err, &snapshot):
		return CorruptSnapshot{}
	case errors.Is(err, ErrDamaged):
		return Corrupt{}
	}
	return nil
}
