package engine

import "sync"

// Stage connects a running scenario with its presenter. The scenario asks inside virtual time,
// the screen looks with the next frame.
type Stage struct {
	resume func() // continues the waiting step
	remote Remote

	mu      sync.Mutex
	speed   float64 // requested since the last frame, 0 = none
	step    string  // the text of the waiting step
	waiting bool    // a step waits for the presenter
	seen    bool    // the presenter knows that
}

// Remote is a stage somewhere else that gets the same requests.
type Remote interface {
	RequestSpeed(speed float64)
	Begin(step string)
}

// Mirror passes every later request on to another stage. It comes before the first request.
func (p *Stage) Mirror(remote Remote) { p.remote = remote }

// NewStage returns a stage whose presenter continues a step with resume.
func NewStage(resume func()) *Stage { return &Stage{resume: resume} }

// RequestSpeed asks the screen for a speed.
func (p *Stage) RequestSpeed(speed float64) {
	p.mu.Lock()
	p.speed = speed
	p.mu.Unlock()
	if p.remote != nil {
		p.remote.RequestSpeed(speed)
	}
}

// TakeSpeed returns the speed requested since the last call, 0 if there was none.
func (p *Stage) TakeSpeed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	speed := p.speed
	p.speed = 0
	return speed
}

// Begin makes a step wait for the presenter.
func (p *Stage) Begin(step string) {
	p.mu.Lock()
	p.step, p.waiting, p.seen = step, true, false
	p.mu.Unlock()
	if p.remote != nil {
		p.remote.Begin(step)
	}
}

// Waits reports whether a step waits.
func (p *Stage) Waits() bool {
	_, waiting := p.Waiting()
	return waiting
}

// Waiting returns the text of the waiting step, and whether a step waits.
func (p *Stage) Waiting() (step string, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.step, p.waiting
}

// See says that the presenter knows of the waiting step, and has paused the clock.
func (p *Stage) See() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = p.waiting
}

// Holds reports whether a step waits that the presenter has not seen yet. The clock stands still
// until then, whatever the screen asks for: it may have asked before it knew.
func (p *Stage) Holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting && !p.seen
}

// Next continues the waiting step, and reports whether there was one.
func (p *Stage) Next() bool {
	if !p.End() {
		return false
	}
	p.resume()
	return true
}

// End ends the waiting step, and reports whether there was one.
func (p *Stage) End() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.waiting
	p.waiting = false
	return waited
}
