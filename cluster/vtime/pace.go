package vtime

import "time"

const (
	// tick is how often the driver hands out virtual time, in real time: often
	// enough that each of 30 frames a second sees the clock move.
	tick = 8 * time.Millisecond
	// tickMax bounds the real time one tick makes up for, so that a machine that
	// cannot keep up falls behind instead of catching up in ever longer bursts.
	tickMax = 100 * time.Millisecond
	// maxSlice is the virtual time handed out at once at full speed. It is cut
	// short when the speed changes.
	maxSlice = time.Hour
)

// pace turns real time into virtual time. The zero value stands still.
type pace struct {
	speed float64
	// owed is what rounding kept back, in nanoseconds, so that no speed drifts.
	owed float64
}

// due returns the virtual time to let pass for passed, the real time since the last call.
func (p *pace) due(passed time.Duration) time.Duration {
	if p.speed >= Max {
		return maxSlice
	}
	exact := float64(min(passed, tickMax))*p.speed + p.owed
	whole := time.Duration(exact)
	p.owed = exact - float64(whole)
	return whole
}

// Run lets virtual time pass at speed times real time from now on: 0.01 is a
// hundredth, [Max] as fast as the machine can. A speed of 0 or less pauses.
func (c *Clock) Run(speed float64) {
	c.mu.Lock()
	c.pace = pace{speed: max(speed, 0)}
	c.mu.Unlock()
	c.hurry.Store(true)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Pause stops the clock. Time stands still when it returns.
func (c *Clock) Pause() {
	c.Run(0)
	_ = c.Do(func() {})
}

// Speed returns the speed asked for, 0 when paused.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pace.speed
}

// drive hands the pacer virtual time as real time passes, until the bubble ends.
func (c *Clock) drive(ticks <-chan time.Time) {
	var last time.Time // the tick before; zero after a change of speed
	for {
		// A nil channel never ticks: a paused clock costs nothing.
		running := ticks
		if c.Speed() == 0 {
			running = nil
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

// owe hands out the virtual time that is due for passed, the real time since the tick before.
func (c *Clock) owe(passed time.Duration) error {
	// The order matters: Run changes the pace first and calls for hurry then, so
	// a slice of the old pace is always given back.
	c.hurry.Store(false)
	c.mu.Lock()
	length := c.pace.due(passed)
	c.mu.Unlock()
	if length <= 0 {
		return nil
	}
	return c.give(slice{length: length, yields: true, done: make(chan struct{})})
}
