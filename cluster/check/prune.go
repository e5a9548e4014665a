package check

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
)

const (
	// pruneAboveMin is how many log entries are kept before any is forgotten.
	pruneAboveMin = 1 << 14
	// commitsMaxDefault is how many commits are kept when some node's snapshot lags behind.
	commitsMaxDefault = 1 << 18
)

// prune forgets what the snapshots of all nodes cover, once enough has piled up.
func (s *state) prune(at time.Duration) {
	if len(s.entries) < s.pruneAbove {
		return
	}
	upTo := s.committedUpTo
	for _, n := range s.nodes {
		if len(n.terms) > 0 || n.snapshot > 0 {
			upTo = min(upTo, n.first-1)
		}
	}
	if s.committedUpTo > s.commitsMax && upTo < s.committedUpTo-s.commitsMax {
		upTo = s.committedUpTo - s.commitsMax
		s.validFrom = fmt.Sprintf("checked from entry %d on: earlier ones were dropped at %s to save memory, before every node had them in a snapshot", upTo+1, trace.Seconds(at))
	}
	if upTo > s.prunedUpTo {
		s.prunedAt = at
		s.forgetUpTo(upTo)
	}
	s.pruneAbove = max(pruneAboveMin, 2*len(s.entries))
}

func (s *state) forgetUpTo(upTo uint64) {
	// Terms never decrease along a log, so the next known term is not too low.
	s.prunedUpTo, s.prunedTerm = upTo, unknownTerm
	for i := upTo; i <= s.committedUpTo && s.prunedTerm == unknownTerm; i++ {
		if c, ok := s.committed[i]; ok {
			s.prunedTerm = c.term
		}
	}
	for id := range s.entries {
		if id.index <= upTo {
			delete(s.entries, id)
		}
	}
	for index, c := range s.committed {
		if index <= upTo {
			if c.ackSeq != 0 {
				s.prunedAcks++
			}
			delete(s.committed, index)
		}
	}
	for key, index := range s.committedAt {
		if index <= upTo {
			delete(s.committedAt, key)
		}
	}
}
