package faults

// Full makes every write that needs new room fail with ErrNoSpace: log entries and snapshots. Deleting frees room, and the
// few bytes of a key overwrite the ones that are there (a B-tree file keeps free pages for that), so terms and votes are
// stored as ever: a node on a full disk still votes, but it cannot accept an entry.
type Full struct{ noFault }

func (Full) String() string { return "full" }

func (Full) refuse(w writeKind) error {
	if w == appendLogs || w == createSnapshot {
		return ErrNoSpace
	}
	return nil
}
