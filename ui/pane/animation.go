package pane

import (
	"cmp"
	"slices"
	"time"

	"capsize/cluster/trace"
)

const (
	// FPS is the number of pictures a second.
	FPS = 30
	// FrameEvery is the real time from one picture to the next.
	FrameEvery = time.Second / FPS
)

// Motion is what a picture shows of what has just happened. Its maps are by node. Their values
// go from 1, just now, to 0, over.
type Motion struct {
	Sprites    []PacketSprite
	Truncating map[string]float64 // the node has truncated its log (Node.Truncated)
	AckHistory []int              // increments acknowledged in each of the last seconds
	AckRate    float64            // increments acknowledged per second
	flash      map[string]float64 // the node's value has changed
	catchingUp map[string]bool    // the node fell behind too recently to mention it
}

// How long things stay visible, in real time at the speed shown. Motion is thus computed from
// the state and its virtual time alone, in live and in recorded pictures alike.
const (
	// spriteTime is how long a packet is in flight at least. Most are faster than the eye.
	spriteTime = 200 * time.Millisecond
	// fadeTime is how long a lost packet takes to fade.
	fadeTime = 330 * time.Millisecond
	// flashTime is how long a changed value flashes, and truncationTime how long truncated
	// entries stay visible.
	flashTime, truncationTime = 400 * time.Millisecond, 2 * time.Second
	// catchUpTime is how long a node may be behind before that is shown. Followers always
	// learn what is committed a little later than the leader.
	catchUpTime = 330 * time.Millisecond
)

// heldAt is how far a held packet gets.
const heldAt = 0.3

// spritesMax is the number of packets shown at once. More is noise.
const spritesMax = 40

// The limits of the speed that motion is computed for.
const (
	PictureSpeedMin = 0.001
	PictureSpeedMax = 100
)

// virtualTime returns the virtual time that passes in a real time at the speed of the frame.
func (f *Frame) virtualTime(realTime time.Duration) time.Duration {
	return time.Duration(float64(realTime) * min(max(f.Speed, PictureSpeedMin), PictureSpeedMax))
}

// Move fills in Motion from the state and the moment of the frame. Without animate it leaves out
// packets and flashes.
func (f *Frame) Move(animate bool) {
	s := f.State
	f.flash, f.Truncating, f.catchingUp = map[string]float64{}, map[string]float64{}, map[string]bool{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if animate {
			f.flash[n.ID] = f.fadeOut(n.ValueChangedAt, flashTime)
		}
		if len(n.Truncated) > 0 {
			f.Truncating[n.ID] = f.fadeOut(n.TruncatedAt, truncationTime)
		}
		f.catchingUp[n.ID] = f.Now-max(n.ValueAt, n.BehindSince) < f.virtualTime(catchUpTime)
	}
	if animate {
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

// fadeOut returns how much is left of something that began at a moment and lasts a real time: 1
// at its start, 0 when it is over. A start of 0 means that it never began.
func (f *Frame) fadeOut(start, lasts time.Duration) float64 {
	lasts = f.virtualTime(lasts)
	if start <= 0 || f.Now-start >= lasts {
		return 0
	}
	return 1 - float64(f.Now-start)/float64(lasts)
}

// sprites returns the packets to draw, oldest first. Routine packets only show that a link is
// alive, so each link has at most one.
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
		if s.routine = isRoutine(f.State, s.InFlight); s.routine && alive[link] || len(seen) == spritesMax {
			continue
		}
		alive[link] = alive[link] || s.routine
		seen = append(seen, s)
	}
	return seen
}

// spriteOf returns a packet where it is in virtual time, though no faster than the eye can
// follow, and reports whether to draw it.
func (f *Frame) spriteOf(flight *trace.InFlight) (PacketSprite, bool) {
	s := PacketSprite{InFlight: *flight, Lost: flight.Status == trace.Lost}
	age, shortest := f.Now-flight.SentAt, f.virtualTime(spriteTime)
	if f.Past && !f.Playing {
		shortest = 0 // a moment of the past is shown exactly as it was
	}
	if flight.ID == 0 || age < 0 {
		return s, false
	}
	s.Progress = min(float64(age)/float64(max(shortest, flight.Delay, 1)), 1)
	switch flight.Status {
	case trace.Lost:
		// It goes half of the way and fades there.
		s.Progress = min(s.Progress, 0.5)
		half := max(flight.SentAt+shortest/2, flight.EndedAt)
		s.Fade = max(float64(f.Now-half)/float64(f.virtualTime(fadeTime)), 0)
		return s, s.Fade <= 1
	case trace.Delivered:
		return s, age <= shortest || f.Now <= flight.EndedAt
	case trace.Sent, trace.Waiting, trace.Expired:
		if flight.Held {
			s.Progress = min(s.Progress, heldAt)
			if f.Paused {
				s.Progress = heldAt // time stands still, so it would never get there
			}
		}
	}
	return s, true
}

// Messages returns the IDs of the packets that the picture shows on their way, oldest first. If some
// carry something, those that do not are left out. A picture without motion shows those in flight.
func (f *Frame) Messages() []uint64 {
	var all, routine []uint64
	for _, s := range f.Sprites {
		if s.routine {
			routine = append(routine, s.InFlight.ID)
		} else {
			all = append(all, s.InFlight.ID)
		}
	}
	if len(all)+len(routine) == 0 {
		for _, p := range f.State.PacketsInFlight() {
			all = append(all, p.ID)
		}
	}
	if len(all) == 0 {
		return routine
	}
	return all
}

// isRoutine reports whether a packet carries nothing new: a heartbeat, an append without
// entries, or the reply to one of them.
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
