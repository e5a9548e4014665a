package check

// Where log-matching is violated, several entries have one index and term. So that
// no check takes one for the other, each but the first is remembered under a term
// of its own: the real one, and above it which of them it is.

const (
	// termLimit is how many terms are believed, which leaves room for what stands above.
	termLimit = 1 << 48
	// duplicatesMax is how many entries of one index and term are told apart.
	duplicatesMax = 64
)

// realTerm returns the term that an entry of a log says it has.
func realTerm(term uint64) uint64 { return term % termLimit }

// disambiguate returns the place of an entry that is another than the one that was seen
// first at its index and term.
func (s *state) disambiguate(at entryID, now logEntry) entryID {
	for range duplicatesMax {
		at.term += termLimit
		was, known := s.entries[at]
		if !known {
			s.entries[at] = now
		}
		if !known || sameEntry(was.entry, now.entry) && was.prevTerm == now.prevTerm {
			break
		}
	}
	return at
}
