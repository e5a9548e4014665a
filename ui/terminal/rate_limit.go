package terminal

import "time"

// Rate limits the bytes written.
type Rate struct {
	PerSecond float64 // bytes, in the long run
	Burst     float64 // bytes at once: entirely new pictures
}

var (
	// RemoteRate suits a slow line: when more changes, fewer pictures are drawn.
	RemoteRate = Rate{PerSecond: 28_000, Burst: 14_000}
	// CastRate keeps a minute of an asciicast below a megabyte.
	CastRate = Rate{PerSecond: 15_000, Burst: 60_000}
)

// RateLimit is a leaky bucket: it tells when more was written than a rate allows. Its
// zero value is ready to use.
type RateLimit struct {
	level float64       // bytes written and not yet leaked
	at    time.Duration // of level, since the start
}

// Add counts bytes that were written.
func (l *RateLimit) Add(bytes int) { l.level += float64(bytes) }

// Exceeded reports whether more was written than the rate allows until now, a time since
// the start.
func (l *RateLimit) Exceeded(now time.Duration, r Rate) bool {
	l.level = max(l.level-(now-l.at).Seconds()*r.PerSecond, 0)
	l.at = now
	return l.level > r.Burst
}
