package faults

// Full makes every write that needs new space fail with ErrNoSpace: log entries and
// snapshots. Deletes free space, and the few bytes of a key overwrite existing ones (a
// B-tree file keeps free pages for that), so terms and votes are still stored: a node on a
// full disk can vote, but cannot accept an entry.
type Full struct{ noFault }

func (Full) String() string { return "full" }

func (Full) refuse(w writeKind) error {
	if w == appendLogs || w == createSnapshot {
		return ErrNoSpace
	}
	return nil
}
