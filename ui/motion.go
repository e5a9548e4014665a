package ui

import (
	"cmp"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// motion is what a picture shows of what has just happened.
type motion struct {
	sparks  []spark            // packets to draw
	flash   map[string]float64 // node → 1..0: its value has just changed
	fresh   map[string]bool    // nodes that fell behind too recently to mention
	cut     map[string]float64 // node → 1..0: it has just truncated its log (Node.Truncated)
	history []int              // increments acknowledged in each of the last seconds
	rate    float64            // increments acknowledged per second now
}

// How long things are to be seen. The times are real: a picture shows virtual time
// at some speed, and at that speed they are so long. What moves is thus drawn from
// the state and its time alone, wherever the picture comes from.
const (
	// sparkTime is how long a packet is on its way at least: most are faster than
	// the eye.
	sparkTime = 200 * time.Millisecond
	// fadeTime is how long a lost packet takes to fade.
	fadeTime = 330 * time.Millisecond
	// flashTime is how long a changed value flashes, and cutTime how long entries
	// that were cut off stay to be seen.
	flashTime, cutTime = 400 * time.Millisecond, 2 * time.Second
	// freshTime is how long a node may be behind before it is worth a word:
	// followers learn a little later than the leader what is committed.
	freshTime = 330 * time.Millisecond
)

// sparksMax is how many packets are shown at once: more is noise.
const sparksMax = 40

// slowest and pictureMax are the speeds up to which times stretch with the speed.
const slowest, pictureMax = 0.001, 100

// stretch returns how much virtual time passes in a real time, at the speed at which
// the frame is seen.
func (f *frame) stretch(seen time.Duration) time.Duration {
	return time.Duration(float64(seen) * min(max(f.speed, slowest), pictureMax))
}

// move fills in what depends on how long ago something happened; of what moves
// only if that is wanted.
func (f *frame) move(moves bool) {
	s := f.state
	f.flash, f.cut, f.fresh = map[string]float64{}, map[string]float64{}, map[string]bool{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if moves {
			f.flash[n.ID] = f.fadeOut(n.ValueChangedAt, flashTime)
		}
		if len(n.Truncated) > 0 {
			f.cut[n.ID] = f.fadeOut(n.TruncatedAt, cutTime)
		}
		f.fresh[n.ID] = f.now-max(n.ValueAt, n.BehindSince) < f.stretch(freshTime)
	}
	if moves {
		f.sparks = f.inFlight()
	}
	last := int64(f.now / time.Second)
	first := max(last-trace.RateSeconds+1, 0)
	for second := first; second < last; second++ {
		f.history = append(f.history, s.Clients.OKIn(second))
	}
	if n := len(f.history); n > 0 {
		f.rate = float64(f.history[n-1])
	}
}

// fadeOut returns how much is left of what began at a moment and lasts so long:
// 1 at the moment, 0 when it is over. Nothing begins at 0.
func (f *frame) fadeOut(at, lasts time.Duration) float64 {
	lasts = f.stretch(lasts)
	if at <= 0 || f.now-at >= lasts {
		return 0
	}
	return 1 - float64(f.now-at)/float64(lasts)
}

// inFlight returns the packets to be seen, oldest first. Of those that carry
// nothing new one on each link is enough to see that it is alive.
func (f *frame) inFlight() []spark {
	var all, seen []spark
	for i := range f.state.InFlight {
		if s, ok := f.sparkOf(&f.state.InFlight[i]); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b spark) int { return cmp.Compare(a.flight.ID, b.flight.ID) })
	alive := map[trace.Link]bool{}
	for _, s := range all {
		link := trace.Link{From: s.flight.From, To: s.flight.To}
		if s.quiet = isRoutine(f.state, s.flight); s.quiet && alive[link] || len(seen) == sparksMax {
			continue
		}
		alive[link] = alive[link] || s.quiet
		seen = append(seen, s)
	}
	return seen
}

// sparkOf places a packet where virtual time has it, but no faster than the eye
// can follow, and says whether it is to be seen at all.
func (f *frame) sparkOf(flight *trace.InFlight) (spark, bool) {
	s := spark{flight: *flight, lost: flight.Status == trace.Lost}
	age, shortest := f.now-flight.SentAt, f.stretch(sparkTime)
	if f.past && !f.playing {
		shortest = 0 // whoever looks at a moment wants to see it as it was
	}
	if flight.ID == 0 || age < 0 {
		return s, false
	}
	s.at = min(float64(age)/float64(max(shortest, flight.Delay, 1)), 1)
	switch flight.Status {
	case trace.Lost:
		// It is seen to go half of the way, and fades there.
		s.at = min(s.at, 0.5)
		half := max(flight.SentAt+shortest/2, flight.EndedAt)
		s.fade = max(float64(f.now-half)/float64(f.stretch(fadeTime)), 0)
		return s, s.fade <= 1
	case trace.Delivered:
		return s, age <= shortest || f.now <= flight.EndedAt
	case trace.Sent:
		if flight.Held {
			s.at = min(s.at, 0.3)
		}
	}
	return s, true
}

// isRoutine says whether a packet carries nothing new: a heartbeat, an append
// without entries, or the answer to one.
func isRoutine(s *trace.State, f trace.InFlight) bool {
	if f.Kind == "heartbeat" {
		return true
	}
	if f.Kind != "append" || f.Reply && !f.OK {
		return false
	}
	if !f.Reply {
		return f.Entries == 0
	}
	return slices.ContainsFunc(s.InFlight, func(request trace.InFlight) bool {
		return request.RPC == f.RPC && !request.Reply && request.Entries == 0
	})
}
