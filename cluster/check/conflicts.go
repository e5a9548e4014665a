package check

// When log matching is violated, several entries share an index and a term. Each but
// the first is stored under a term of its own, so no check mistakes one for
// another: the real term, plus a multiple of termLimit that tells them apart.

const (
	// termLimit bounds the terms accepted, leaving the bits above it free.
	termLimit = 1 << 48
	// duplicatesMax is how many entries of one index and term are told apart.
	duplicatesMax = 64
)

// realTerm returns the term that the log entry itself carries.
func realTerm(term uint64) uint64 { return term % termLimit }

// disambiguate stores an entry that differs from the first one seen under id, and
// returns the ID it is stored under.
func (s *state) disambiguate(id entryID, now logEntry) entryID {
	for range duplicatesMax {
		id.term += termLimit
		was, known := s.entries[id]
		if !known {
			s.entries[id] = now
		}
		if !known || was.entry.Same(now.entry) && was.prevTerm == now.prevTerm {
			break
		}
	}
	return id
}

// mismatch is two entries that should be the same.
type mismatch struct {
	id       entryID
	was, now logEntry
}

// conflict is a commit of a node that differs from what a lineage has at that index.
type conflict struct {
	index    uint64
	lineage  *lineage
	was, now commit
}

// valueConflict is two nodes with different counters after the same entry.
type valueConflict struct {
	index    uint64
	was, now commit
}
