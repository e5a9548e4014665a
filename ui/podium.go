package ui

import (
	"sync"
	"time"

	"capsize/cluster"
)

// podium is where a scenario meets whoever presents it. The scenario runs inside
// virtual time; what it wants is fetched with the next frame.
type podium struct {
	c *cluster.Cluster

	mu      sync.Mutex
	speed   float64 // asked for since the last frame, 0 = nothing was
	step    string  // what the step that waits says
	waiting bool    // a step waits
}

// stepPoll is how often a step looks whether it may go on, in virtual time.
const stepPoll = 10 * time.Millisecond

// Speed asks for a speed.
func (p *podium) Speed(speed float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed = speed
}

// Step waits for a key, or for the end.
func (p *podium) Step(text string) {
	p.mu.Lock()
	p.step, p.waiting = text, true
	p.mu.Unlock()
	for p.waits() && !p.c.Ended() {
		p.c.Sleep(stepPoll)
	}
}

func (p *podium) waits() bool {
	_, waiting := p.now()
	return waiting
}

// now returns what the step that waits says, and whether one waits.
func (p *podium) now() (step string, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.step, p.waiting
}

// next lets the step that waits go on, and reports whether one did.
func (p *podium) next() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.waiting
	p.waiting = false
	return waited
}

// takeSpeed returns the speed asked for since it was last called, 0 if none was.
func (p *podium) takeSpeed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	speed := p.speed
	p.speed = 0
	return speed
}
