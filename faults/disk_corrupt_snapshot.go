package faults

import "errors"

// CorruptSnapshot flips one to three adjacent bits in the newest stored snapshot at the next
// Open, as if they had flipped while the node was down. Then the fault is spent, but the
// damage stays. Raft finds it by the checksum of FileSnapshotStore and starts from the next
// older snapshot; without one, or if the log no longer holds the entries after it, the node
// cannot start.
type CorruptSnapshot struct{ noFault }

func (CorruptSnapshot) String() string { return "corrupt snapshot" }

func (CorruptSnapshot) damage() func(*Disk, DiskBackend) error { return (*Disk).damageSnapshot }

// errCRC is what FileSnapshotStore reports of a damaged snapshot. A store without checksums
// cannot, so the Disk does.
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
