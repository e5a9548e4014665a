package ui

import "time"

// rate is how many bytes may be written.
type rate struct {
	second float64 // in each second, in the long run
	burst  float64 // at once, for whole new pictures
}

var (
	// screenRate suits a slow line. Where more changes, fewer pictures show it.
	screenRate = rate{second: 28_000, burst: 14_000}
	// castRate keeps a minute below a million bytes.
	castRate = rate{second: 15_000, burst: 60_000}
)

// budget keeps what is written to a rate. The zero value has written nothing.
type budget struct {
	spent float64 // bytes, less those that time has made good
	at    time.Duration
}

// spend notes that bytes were written.
func (b *budget) spend(bytes int) { b.spent += float64(bytes) }

// overdrawn says whether by now, as time since the start, more was written than the
// rate allows.
func (b *budget) overdrawn(now time.Duration, r rate) bool {
	b.spent = max(b.spent-(now-b.at).Seconds()*r.second, 0)
	b.at = now
	return b.spent > r.burst
}
