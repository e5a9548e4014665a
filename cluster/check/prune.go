package check

import (
	"fmt"
	"slices"
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
	if most := s.commitsMax / uint64(max(len(s.lineages), 1)); s.committedUpTo > most && upTo < s.committedUpTo-most {
		upTo = s.committedUpTo - most
		s.validFrom = fmt.Sprintf("checked from entry %d on: earlier ones were dropped at %s to save memory, before every node had them in a snapshot", upTo+1, trace.Seconds(at))
	}
	if upTo > s.prunedUpTo {
		s.prunedAt = at
		s.forgetUpTo(upTo)
	}
	s.pruneAbove = max(pruneAboveMin, 2*len(s.entries))
}

func (s *state) forgetUpTo(upTo uint64) {
	s.prunedUpTo = upTo
	for id := range s.entries {
		if id.index <= upTo {
			delete(s.entries, id)
		}
	}
	for _, h := range s.lineages {
		h.forgetUpTo(upTo)
	}
	taken := map[*lineage]bool{}
	for _, n := range s.nodes {
		taken[n.lineage] = true
	}
	s.lineages = slices.DeleteFunc(s.lineages, func(h *lineage) bool {
		return h.upTo <= upTo && h.upTo < s.committedUpTo && !taken[h]
	})
}
