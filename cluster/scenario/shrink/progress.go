package shrink

import (
	"fmt"
	"sync/atomic"
	"time"
)

// status is how far a search is, for the screen.
type status struct {
	phase    atomic.Pointer[string]
	tried    atomic.Int64
	commands atomic.Int64 // of the best draft
	before   int          // commands at the start
	started  time.Time
}

// line describes in one line how far the search is.
func (s *status) line() string {
	tried := s.tried.Load()
	rate := float64(tried) / time.Since(s.started).Seconds()
	return fmt.Sprintf("shrink: %d of %d commands left, now %s; %d runs, %.1f a second", s.commands.Load(), s.before, *s.phase.Load(), tried, rate)
}
