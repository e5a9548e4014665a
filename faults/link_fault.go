package faults

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// LinkFault is what can go wrong with the packets of one directed link. A fault is a plain value without state.
//
// To add one: write a type in a file of its own that implements LinkFault, saying in a Verdict what happens to a packet
// (a new field of Verdict is only needed for what no combination of the others can say), and add it to LinkFaults.
type LinkFault interface {
	// Name is the command's word for it. A link has at most one fault of each name.
	Name() string
	// Meaning says in one line what it does, for a command reference.
	Meaning() string
	// String is the fault as a command spells it: "delay 200ms jitter 50ms". Faults with equal strings are equal.
	String() string
	// Apply decides what the fault does to a packet. It is called once for each packet and fault, when the packet is
	// sent or when the fault is set while the packet is under way. All chance must come from the generator given.
	Apply(p Packet, rng *rand.Rand) Effect
}

// LinkFaults returns one of each fault, in the order of a command reference. Their settings are zero.
func LinkFaults() []LinkFault {
	return []LinkFault{Cut{}, Refuse{}, Delay{}, Lose{}, Duplicate{}, Reorder{}, Jam{}, Bandwidth{}}
}

// Effect says what a fault does to a packet. The zero value lets it pass. The verdicts of a link's faults add up.
type Effect struct {
	Lost       string        // if not empty, the packet is lost for this reason
	Refused    bool          // with Lost: the caller is told at once, instead of waiting until its deadline
	Held       bool          // the packet waits until the fault is taken back
	Delay      time.Duration // it takes this much longer
	Occupies   time.Duration // it keeps the link busy for this long, and starts when those before it are through
	Duplicated bool          // a second one follows it; counts only when it is sent
	Reordered  bool          // later packets pass it; when one has, Delay ends

	limited bool // the fault is limited to kinds, so packets of other kinds do not wait behind this one
}

// Only limits a fault to some kinds of message; a reply has the kind of its request. Messages of the other kinds pass
// those that the fault slows down or holds. A limit that f has already is replaced; without kinds it is taken off.
func Only(f LinkFault, kinds ...Kind) LinkFault {
	if o, ok := f.(only); ok {
		f = o.LinkFault
	}
	if len(kinds) == 0 {
		return f
	}
	return only{LinkFault: f, kinds: setOf(kinds...)}
}

type only struct {
	LinkFault
	kinds kindSet
}

func (o only) String() string { return o.LinkFault.String() + " only " + o.kinds.String() }

func (o only) Apply(p Packet, rng *rand.Rand) Effect {
	if !o.kinds.has(p.Kind) {
		return Effect{}
	}
	v := o.LinkFault.Apply(p, rng)
	v.limited = true
	return v
}

// uniform draws a duration evenly from mean-jitter to mean+jitter, and never less than 0.
func uniform(rng *rand.Rand, mean, jitter time.Duration) time.Duration {
	if jitter > 0 {
		mean += time.Duration(rng.Int64N(2*int64(jitter)+1)) - jitter
	}
	return max(0, mean)
}

// chance is true in the given percentage of cases: never at 0, always at 100.
func chance(rng *rand.Rand, percent float64) bool { return rng.Float64()*100 < percent }

// formatPercent spells a percentage as commands do, without the sign.
func formatPercent(percent float64) string { return strconv.FormatFloat(percent, 'f', -1, 64) }

// rateUnits are decimal, as network rates are.
var rateUnits = []struct {
	suffix string
	bytes  float64
}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// ParseRate reads a rate in bytes per second: a number and a unit, B, KB (1,000 bytes), MB or GB, such as 500B, 64KB or
// 1.5MB. Case does not matter. The rate is at least one byte per second.
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

// FormatRate is the inverse of ParseRate: it uses the largest unit that leaves a whole number.
func FormatRate(bytesPerSecond int64) string {
	for _, u := range rateUnits {
		if unit := int64(u.bytes); bytesPerSecond >= unit && bytesPerSecond%unit == 0 {
			return strconv.FormatInt(bytesPerSecond/unit, 10) + u.suffix
		}
	}
	return strconv.FormatInt(bytesPerSecond, 10) + "B"
}
