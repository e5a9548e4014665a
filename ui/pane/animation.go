package pane

import (
	"cmp"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// FPS is how many pictures a second are drawn, and FrameEvery the time from one
// to the next.
const (
	FPS        = 30
	FrameEvery = time.Second / FPS
)

// Motion is what a picture shows of what has just happened.
type Motion struct {
	Sprites    []PacketSprite     // packets to draw
	flash      map[string]float64 // node → 1..0: its value has just changed
	catchingUp map[string]bool    // nodes that fell behind too recently to mention
	Truncating map[string]float64 // node → 1..0: it has just truncated its log (Node.Truncated)
	AckHistory []int              // increments acknowledged in each of the last seconds
	AckRate    float64            // increments acknowledged per second now
}

// How long things are to be seen. The times are real: a picture shows virtual time
// at some speed, and at that speed they are so long. What moves is thus drawn from
// the state and its time alone, wherever the picture comes from.
const (
	// spriteTime is how long a packet is on its way at least: most are faster than
	// the eye.
	spriteTime = 200 * time.Millisecond
	// fadeTime is how long a lost packet takes to fade.
	fadeTime = 330 * time.Millisecond
	// flashTime is how long a changed value flashes, and truncationTime how long entries
	// that were cut off stay to be seen.
	flashTime, truncationTime = 400 * time.Millisecond, 2 * time.Second
	// catchUpTime is how long a node may be behind before it is worth a word:
	// followers learn a little later than the leader what is committed.
	catchUpTime = 330 * time.Millisecond
)

// spritesMax is how many packets are shown at once: more is noise.
const spritesMax = 40

// PictureSpeedMin and PictureSpeedMax are the speeds up to which times stretch with the speed.
const PictureSpeedMin, PictureSpeedMax = 0.001, 100

// virtualTime returns how much virtual time passes in a real time, at the speed at which
// the frame is seen.
func (f *Frame) virtualTime(seen time.Duration) time.Duration {
	return time.Duration(float64(seen) * min(max(f.Speed, PictureSpeedMin), PictureSpeedMax))
}

// Move fills in what depends on how long ago something happened; of what moves
// only if that is wanted.
func (f *Frame) Move(moves bool) {
	s := f.State
	f.flash, f.Truncating, f.catchingUp = map[string]float64{}, map[string]float64{}, map[string]bool{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if moves {
			f.flash[n.ID] = f.fadeOut(n.ValueChangedAt, flashTime)
		}
		if len(n.Truncated) > 0 {
			f.Truncating[n.ID] = f.fadeOut(n.TruncatedAt, truncationTime)
		}
		f.catchingUp[n.ID] = f.Now-max(n.ValueAt, n.BehindSince) < f.virtualTime(catchUpTime)
	}
	if moves {
		f.Sprites = f.sprites()
	}
	last := int64(f.Now / time.Second)
	first := max(last-trace.RateSeconds+1, 0)
	for second := first; second < last; second++ {
		f.AckHistory = append(f.AckHistory, s.Clients.OKIn(second))
	}
	if n := len(f.AckHistory); n > 0 {
		f.AckRate = float64(f.AckHistory[n-1])
	}
}

// fadeOut returns how much is left of what began at a moment and lasts so long:
// 1 at the moment, 0 when it is over. Nothing begins at 0.
func (f *Frame) fadeOut(at, lasts time.Duration) float64 {
	lasts = f.virtualTime(lasts)
	if at <= 0 || f.Now-at >= lasts {
		return 0
	}
	return 1 - float64(f.Now-at)/float64(lasts)
}

// sprites returns the packets to be seen, oldest first. Of those that carry
// nothing new one on each link is enough to see that it is alive.
func (f *Frame) sprites() []PacketSprite {
	var all, seen []PacketSprite
	for i := range f.State.InFlight {
		if s, ok := f.spriteOf(&f.State.InFlight[i]); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b PacketSprite) int { return cmp.Compare(a.InFlight.ID, b.InFlight.ID) })
	alive := map[trace.Link]bool{}
	for _, s := range all {
		link := trace.Link{From: s.InFlight.From, To: s.InFlight.To}
		if s.quiet = isRoutine(f.State, s.InFlight); s.quiet && alive[link] || len(seen) == spritesMax {
			continue
		}
		alive[link] = alive[link] || s.quiet
		seen = append(seen, s)
	}
	return seen
}

// spriteOf places a packet where virtual time has it, but no faster than the eye
// can follow, and says whether it is to be seen at all.
func (f *Frame) spriteOf(flight *trace.InFlight) (PacketSprite, bool) {
	s := PacketSprite{InFlight: *flight, Lost: flight.Status == trace.Lost}
	age, shortest := f.Now-flight.SentAt, f.virtualTime(spriteTime)
	if f.Past && !f.Playing {
		shortest = 0 // whoever looks at a moment wants to see it as it was
	}
	if flight.ID == 0 || age < 0 {
		return s, false
	}
	s.Progress = min(float64(age)/float64(max(shortest, flight.Delay, 1)), 1)
	switch flight.Status {
	case trace.Lost:
		// It is seen to go half of the way, and fades there.
		s.Progress = min(s.Progress, 0.5)
		half := max(flight.SentAt+shortest/2, flight.EndedAt)
		s.Fade = max(float64(f.Now-half)/float64(f.virtualTime(fadeTime)), 0)
		return s, s.Fade <= 1
	case trace.Delivered:
		return s, age <= shortest || f.Now <= flight.EndedAt
	case trace.Sent:
		if flight.Held {
			s.Progress = min(s.Progress, 0.3)
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
