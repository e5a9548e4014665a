package terminal

import "time"

// Rate is how many bytes may be written.
type Rate struct {
	PerSecond float64 // in each second, in the long run
	Burst     float64 // at once, for whole new pictures
}

var (
	// ScreenRate suits a slow line. Where more changes, fewer pictures show it.
	ScreenRate = Rate{PerSecond: 28_000, Burst: 14_000}
	// CastRate keeps a minute below a million bytes.
	CastRate = Rate{PerSecond: 15_000, Burst: 60_000}
)

// RateLimit keeps what is written to a rate. The zero value has written nothing.
type RateLimit struct {
	spent float64 // bytes, less those that time has made good
	at    time.Duration
}

// Add notes that bytes were written.
func (b *RateLimit) Add(bytes int) { b.spent += float64(bytes) }

// Exceeded says whether by now, as time since the start, more was written than the
// rate allows.
func (b *RateLimit) Exceeded(now time.Duration, r Rate) bool {
	b.spent = max(b.spent-(now-b.at).Seconds()*r.PerSecond, 0)
	b.at = now
	return b.spent > r.Burst
}
