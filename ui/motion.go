package ui

import (
	"slices"
	"time"

	"capsize/cluster/trace"
)

const (
	// sparkFrames is for how many frames a packet is shown at least: most are
	// faster than a frame.
	sparkFrames = 6
	// fadeFrames is how long a lost packet takes to fade.
	fadeFrames = 10
	// sparksMax is how many packets are shown at once: more is noise.
	sparksMax = 40
	// flashFrames and cutFrames are how long a changed value flashes, and how
	// long entries that were cut off stay to be seen.
	flashFrames, cutFrames = 12, 60
	// calmFrames is how long a value must have stood still for its next change
	// to flash: under load everything would flash all the time.
	calmFrames = 15
	// freshFrames is how long a node may be behind before it is worth a word:
	// followers learn a little later than the leader what is committed.
	freshFrames = 10
	// historySeconds is how many seconds of acknowledged increments are kept.
	historySeconds = 20
)

// motion is what moves on the screen from frame to frame.
type motion struct {
	sparks   []moving
	lastID   uint64 // of the newest packet seen
	flash    map[string]int
	cut      map[string]int
	calm     map[string]int // node → frames for which its value has stood still
	behind   map[string]int // node → frames for which it has been behind
	valueAt  map[string]time.Duration
	cutAt    map[string]time.Duration
	okBefore []uint64 // acknowledged increments at the start of each of the last seconds
	second   int64    // the last second in okBefore
}

// moving is a packet on the screen.
type moving struct {
	flight trace.Flight
	quiet  bool
	frames int // for how long it has been shown
	fade   int // for how long it has been fading
}

// next moves everything by a frame, and reports whether anything moves. While
// the clock stands still, so does everything on the screen.
func (mo *motion) next(s *trace.State, paused bool) bool {
	if mo.flash == nil {
		mo.flash, mo.cut = map[string]int{}, map[string]int{}
		mo.calm, mo.behind = map[string]int{}, map[string]int{}
		mo.valueAt, mo.cutAt = map[string]time.Duration{}, map[string]time.Duration{}
	}
	mo.count(s)
	active := countDown(mo.flash) || countDown(mo.cut)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		mo.calm[n.ID]++
		if n.ValueAt != mo.valueAt[n.ID] {
			if mo.calm[n.ID] > calmFrames {
				mo.flash[n.ID] = flashFrames
			}
			mo.valueAt[n.ID], mo.calm[n.ID], mo.behind[n.ID] = n.ValueAt, 0, 0
		}
		mo.behind[n.ID]++
		if behind(s, n) == 0 {
			mo.behind[n.ID] = 0
		}
		if n.CutAt != mo.cutAt[n.ID] {
			mo.cutAt[n.ID], mo.cut[n.ID] = n.CutAt, cutFrames
		}
	}
	if !paused {
		mo.moveSparks(s)
	}
	return active || len(mo.sparks) > 0
}

// jump takes in another moment than the next: what is on its way there is shown
// in its place, and nothing has just changed.
func (mo *motion) jump(s *trace.State) {
	*mo = motion{
		flash: map[string]int{}, cut: map[string]int{}, calm: map[string]int{}, behind: map[string]int{},
		valueAt: map[string]time.Duration{}, cutAt: map[string]time.Duration{},
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		mo.valueAt[n.ID], mo.cutAt[n.ID], mo.behind[n.ID] = n.ValueAt, n.CutAt, freshFrames
		if n.CutAt == s.At && len(n.Cut) > 0 {
			mo.cut[n.ID] = cutFrames
		}
	}
	for _, f := range s.Flights {
		mo.lastID = max(mo.lastID, f.ID)
		// What has arrived at this very moment is the cause of what is seen.
		if f.ID != 0 && (f.Fate == trace.Sent || f.EndedAt == s.At) && len(mo.sparks) < sparksMax {
			mo.sparks = append(mo.sparks, moving{flight: f, quiet: isRoutine(s, f), frames: sparkFrames})
		}
	}
}

func countDown(left map[string]int) (active bool) {
	for id := range left {
		active = true
		if left[id]--; left[id] <= 0 {
			delete(left, id)
		}
	}
	return active
}

// moveSparks ages the packets that are shown and takes in new ones.
func (mo *motion) moveSparks(s *trace.State) {
	kept := mo.sparks[:0]
	for _, k := range mo.sparks {
		if len(s.Flights) > 0 {
			if now := s.Flights[k.flight.ID%uint64(len(s.Flights))]; now.ID == k.flight.ID {
				k.flight = now
			} else if k.flight.Fate == trace.Sent {
				continue // so old that its end is forgotten
			}
		}
		k.frames++
		if k.flight.Fate == trace.Lost && k.frames >= sparkFrames/2 {
			k.fade++
		}
		arrived := k.flight.Fate == trace.Delivered && k.frames > sparkFrames
		if !arrived && k.fade <= fadeFrames {
			kept = append(kept, k)
		}
	}
	mo.sparks = kept
	newest := mo.lastID
	for _, f := range s.Flights {
		if f.ID > mo.lastID && len(mo.sparks) < sparksMax {
			if quiet := isRoutine(s, f); !quiet || !mo.shows(f) {
				mo.sparks = append(mo.sparks, moving{flight: f, quiet: quiet})
			}
		}
		newest = max(newest, f.ID)
	}
	mo.lastID = newest
}

// shows says whether a quiet packet of the link is on the screen already: one is
// enough to see that the link is alive.
func (mo *motion) shows(f trace.Flight) bool {
	return slices.ContainsFunc(mo.sparks, func(k moving) bool {
		return k.quiet && k.flight.From == f.From && k.flight.To == f.To
	})
}

// isRoutine says whether a packet carries nothing new: a heartbeat, an append
// without entries, or the answer to one.
func isRoutine(s *trace.State, f trace.Flight) bool {
	if f.Kind == "heartbeat" {
		return true
	}
	if f.Kind != "append" || f.Reply && !f.OK {
		return false
	}
	if !f.Reply {
		return f.Entries == 0
	}
	return slices.ContainsFunc(s.Flights, func(request trace.Flight) bool {
		return request.RPC == f.RPC && !request.Reply && request.Entries == 0
	})
}

// place returns how far on its way a packet is drawn: where virtual time has it,
// but no faster than the eye can follow.
func (k moving) place(now time.Duration) float64 {
	most := float64(k.frames) / sparkFrames
	if k.flight.Held {
		return min(most, 0.3)
	}
	if k.flight.Fate == trace.Lost {
		return min(most, 0.5)
	}
	if k.flight.Fate == trace.Sent && k.flight.Delay > 0 {
		most = min(most, float64(now-k.flight.SentAt)/float64(k.flight.Delay))
	}
	return min(most, 1)
}

// count keeps the acknowledged increments by second of virtual time.
func (mo *motion) count(s *trace.State) {
	second := int64(s.At / time.Second)
	if len(mo.okBefore) == 0 || second > mo.second {
		missed := max(second-mo.second, 1)
		for range min(missed, historySeconds) {
			mo.okBefore = append(mo.okBefore, s.Clients.OK)
		}
		mo.okBefore = mo.okBefore[max(0, len(mo.okBefore)-historySeconds):]
		mo.second = second
	}
}

// meter measures how fast virtual time really passes.
type meter struct {
	at      time.Time // when the last reading began
	virtual time.Duration
	speed   float64 // virtual seconds per second, 0 while it is not known
}

// meterEvery is for how long a reading lasts.
const meterEvery = time.Second

// read looks at both clocks, once a frame.
func (mt *meter) read(now time.Time, virtual time.Duration, paused bool) {
	passed := now.Sub(mt.at)
	switch {
	case paused, mt.at.IsZero():
		*mt = meter{at: now, virtual: virtual}
	case passed >= meterEvery:
		*mt = meter{at: now, virtual: virtual, speed: (virtual - mt.virtual).Seconds() / passed.Seconds()}
	}
}

// shortOf returns the speed that is reached, 0 if that is about the one asked for.
func (mt *meter) shortOf(asked float64) float64 {
	if mt.speed >= 1 && mt.speed < asked*0.9 {
		return mt.speed
	}
	return 0
}

// fill puts what moves into a frame.
func (mo *motion) fill(f *frame) {
	for _, k := range mo.sparks {
		f.sparks = append(f.sparks, spark{
			flight: k.flight, at: k.place(f.now),
			quiet: k.quiet, lost: k.flight.Fate == trace.Lost, fade: float64(k.fade) / fadeFrames,
		})
	}
	f.fresh = map[string]bool{}
	for id, frames := range mo.behind {
		f.fresh[id] = frames < freshFrames
	}
	f.flash, f.cut = map[string]float64{}, map[string]float64{}
	for id, left := range mo.flash {
		f.flash[id] = float64(left) / flashFrames
	}
	for id, left := range mo.cut {
		f.cut[id] = float64(left) / cutFrames
	}
	for i := 1; i < len(mo.okBefore); i++ {
		f.history = append(f.history, int(mo.okBefore[i]-mo.okBefore[i-1]))
	}
	if last := len(f.history); last > 0 {
		f.rate = float64(f.history[last-1])
	}
}
