package check

// Where log-matching is violated, several entries have one index and term. So that
// no check takes one for the other, each but the first is remembered under a term
// of its own: the real one, and above it which of them it is.

const (
	// termLimit is how many terms are believed, which leaves room for what stands above.
	termLimit = 1 << 48
	// variantsMax is how many entries of one index and term are told apart.
	variantsMax = 64
)

// realTerm returns the term that an entry of a log says it has.
func realTerm(term uint64) uint64 { return term % termLimit }

// variant returns the place of an entry that is another than the one that was seen
// first at its index and term.
func (w *world) variant(at place, now link) place {
	for range variantsMax {
		at.term += termLimit
		was, known := w.links[at]
		if !known {
			w.links[at] = now
		}
		if !known || sameEntry(was.entry, now.entry) && was.before == now.before {
			break
		}
	}
	return at
}
