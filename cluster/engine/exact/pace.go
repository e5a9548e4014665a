package exact

import (
	"math"
	"time"

	"capsize/cluster/vtime"
)

// pace turns real time into the virtual time that may have passed. The guest runs ahead of it:
// what it does later is held back.
type pace struct {
	speed float64       // virtual seconds per second, 0 while the clock stands still
	since time.Time     // when the speed was set
	from  time.Duration // the virtual time then
	limit time.Duration // the guest has not done anything later yet
	done  time.Duration // and has done everything up to here
	order time.Duration // Advance lets time pass up to here at once
}

// earlyMax is the real time by which an event may be early: waiting costs more.
const earlyMax = time.Millisecond

// behindMax is the real time that a slow machine makes up for.
const behindMax = 100 * time.Millisecond

// due returns the virtual time that is due.
func (p *pace) due(now time.Time) time.Duration {
	due := p.from
	if p.speed >= vtime.Max {
		return math.MaxInt64
	}
	if p.speed > 0 {
		due += time.Duration(float64(now.Sub(p.since)) * p.speed)
	}
	return max(due, p.order)
}

// now returns the virtual time that has passed.
func (p *pace) now(now time.Time) time.Duration { return min(p.due(now), p.limit) }

// until returns the real time until at is due, 0 if it is, and whether it ever is.
func (p *pace) until(at time.Duration, now time.Time) (wait time.Duration, ever bool) {
	due := p.due(now)
	switch {
	case due >= at:
		return 0, true
	case p.speed <= 0:
		return 0, false
	}
	wait = time.Duration(float64(at-due) / p.speed)
	if wait < earlyMax {
		return 0, true
	}
	return wait, true
}

// set changes the speed.
func (p *pace) set(speed float64, now time.Time) {
	p.from, p.since, p.speed = p.now(now), now, max(speed, 0)
}

// reach moves the limit: everything before it has happened and, if complete, everything at it. If
// the guest is far behind, time goes on from where the guest is.
func (p *pace) reach(limit time.Duration, complete bool, now time.Time) {
	p.limit = max(p.limit, limit)
	if !complete {
		limit--
	}
	p.done = max(p.done, limit)
	if p.speed > 0 && p.speed < vtime.Max && float64(p.due(now)-p.limit) > float64(behindMax)*p.speed {
		p.from, p.since = p.limit, now
	}
}

// freeze makes the clock stand still at a moment.
func (p *pace) freeze(at time.Duration) { p.from, p.speed, p.order = at, 0, 0 }
