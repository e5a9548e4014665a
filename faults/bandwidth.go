package faults

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Bandwidth limits a link: a packet occupies it for its size over BytesPerSecond, and
// those behind it wait. 0 or less means no limit.
type Bandwidth struct{ BytesPerSecond int64 }

// Name returns "bandwidth".
func (Bandwidth) Name() string { return "bandwidth" }

// Meaning implements LinkFault.
func (Bandwidth) Meaning() string { return "carry only this many bytes per second; the rest queues" }

// String returns the fault with its rate as FormatRate writes it: "bandwidth 64KB".
func (f Bandwidth) String() string { return "bandwidth " + FormatRate(f.BytesPerSecond) }

// Apply implements LinkFault.
func (f Bandwidth) Apply(p Packet, _ *rand.Rand) Effect {
	if f.BytesPerSecond <= 0 {
		return Effect{}
	}
	seconds := float64(p.SizeBytes) / float64(f.BytesPerSecond)
	return Effect{Occupies: time.Duration(seconds * float64(time.Second))}
}

// rateUnits are decimal, as network rates are.
var rateUnits = []struct {
	suffix string
	bytes  float64
}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// ParseRate parses the text form of a Bandwidth's rate: a number and a unit, B, KB (1,000
// bytes), MB or GB, such as 500B, 64KB or 1.5MB, in either case. A rate below one byte per
// second is an error. Like FormatRate, it serves command languages; a test can set
// Bandwidth.BytesPerSecond directly.
func ParseRate(s string) (bytesPerSecond int64, err error) {
	upper := strings.ToUpper(s)
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(upper, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if rate := n * u.bytes; err == nil && rate >= 1 && rate <= 1e15 {
			return int64(rate), nil
		}
		break
	}
	return 0, fmt.Errorf("bad rate %q: use bytes per second such as 500B, 64KB or 1.5MB", s)
}

// FormatRate is the inverse of ParseRate. It uses the largest unit that leaves a whole
// number.
func FormatRate(bytesPerSecond int64) string {
	for _, u := range rateUnits {
		if unit := int64(u.bytes); bytesPerSecond >= unit && bytesPerSecond%unit == 0 {
			return strconv.FormatInt(bytesPerSecond/unit, 10) + u.suffix
		}
	}
	return strconv.FormatInt(bytesPerSecond, 10) + "B"
}
