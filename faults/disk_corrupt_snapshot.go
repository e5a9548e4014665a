package faults

import "errors"

// CorruptSnapshot flips one to three adjacent bits in the newest stored snapshot at the next
// Open, as if they had flipped while the node was down. That ends the fault, but the
// damage stays. FileSnapshotStore's checksum reveals it, and raft starts from the next older
// snapshot. If there is none, or the log no longer has the entries after it, the node cannot
// start.
type CorruptSnapshot struct{ noFault }

func (CorruptSnapshot) String() string { return "corrupt snapshot" }

func (CorruptSnapshot) damage() func(*Disk, DiskBackend) error { return (*Disk).damageSnapshot }

// errCRC is the error of FileSnapshotStore for a damaged snapshot. The Disk returns it for a
// store without checksums.
var errCRC = errors.New("CRC mismatch")

// damageSnapshot damages the newest snapshot in the backend, if there is one. The caller
// holds mu.
func (d *Disk) damageSnapshot(b DiskBackend) error {
	metas, err := sortedSnapshots(b)
	if err != nil || len(metas) == 0 {
		return err
	}
	id := metas[0].ID
	if b.RewriteSnapshot != nil {
		return b.RewriteSnapshot(id, d.flipBits)
	}
	d.damaged[id] = true
	return nil
}
