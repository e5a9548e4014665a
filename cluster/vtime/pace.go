package vtime

import "time"

const (
	// tick is how often, in real time, the driver hands out virtual time. At 30
	// frames per second, the clock moves between any two frames.
	tick = 8 * time.Millisecond
	// tickMax bounds the real time that one tick makes up for, so a machine that is
	// too slow falls behind instead of catching up in ever longer bursts.
	tickMax = 100 * time.Millisecond
	// maxSlice is the virtual time handed out at once at full speed. A change of
	// speed cuts it short.
	maxSlice = time.Hour
)

// pace turns real time into virtual time. The zero value stands still.
type pace struct {
	speed float64
	// owed is the remainder of rounding, in nanoseconds. Carrying it over keeps
	// every speed from drifting.
	owed float64
}

// due returns the virtual time that is due for passed, the real time since the last
// call.
func (p *pace) due(passed time.Duration) time.Duration {
	if p.speed >= Max {
		return maxSlice
	}
	exact := float64(min(passed, tickMax))*p.speed + p.owed
	whole := time.Duration(exact)
	p.owed = exact - float64(whole)
	return whole
}

// Run sets the speed of virtual time, as a factor of real time: 0.01 is a hundredth,
// [Max] is as fast as the machine can. A speed of 0 or less pauses the clock.
func (c *Clock) Run(speed float64) {
	if c.real != nil {
		return
	}
	c.mu.Lock()
	c.pace = pace{speed: max(speed, 0)}
	c.mu.Unlock()
	c.hurry.Store(true)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Pause stops the clock. When it returns, time stands still.
func (c *Clock) Pause() {
	c.Run(0)
	_ = c.Do(func() {})
}

// Speed returns the speed last set, or 0 if the clock is paused.
func (c *Clock) Speed() float64 {
	if c.real != nil {
		return 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pace.speed
}

// drive hands the pacer virtual time as real time passes, until the bubble ends.
func (c *Clock) drive(ticks func() <-chan time.Time) {
	var last time.Time // the previous tick; zero after a change of speed
	for {
		// A nil channel never ticks: a paused clock costs nothing.
		var running <-chan time.Time
		if c.Speed() != 0 {
			running = ticks()
		}
		select {
		case <-c.ended:
			return
		case <-c.wake:
			last = time.Time{}
		case now := <-running:
			passed := time.Duration(0)
			if !last.IsZero() {
				passed = now.Sub(last)
			}
			last = now
			if c.owe(passed) != nil {
				return
			}
		}
	}
}

// owe hands out the virtual time that is due for passed, the real time since the
// previous tick.
func (c *Clock) owe(passed time.Duration) error {
	// The order matters: Run changes the pace before it sets hurry, so a slice of the
	// old pace is always cut short.
	c.hurry.Store(false)
	c.mu.Lock()
	length := c.pace.due(passed)
	c.mu.Unlock()
	if length <= 0 {
		return nil
	}
	return c.give(slice{length: length, yields: true, done: make(chan struct{})})
}
