package present

import (
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// Stage connects a running scenario with its presenter; it implements
// [scenario.Presenter]. The scenario calls it inside virtual time, the screen reads
// it with the next frame.
type Stage struct {
	cluster *cluster.Cluster

	mu      sync.Mutex
	speed   float64 // requested since the last frame, 0 = none
	step    string  // the text of the waiting step
	waiting bool    // a step waits for the presenter
}

// NewStage returns the stage of a cluster; c is nil for a recording.
func NewStage(c *cluster.Cluster) *Stage { return &Stage{cluster: c} }

// stepPoll is how often, in virtual time, a step checks whether it may continue.
const stepPoll = 10 * time.Millisecond

// Speed requests a speed from the screen.
func (p *Stage) Speed(speed float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed = speed
}

// Step pauses the clock and waits for the presenter or for the end of the cluster.
// The clock stops within one slice, a few milliseconds, because what a scenario does
// next must not depend on how long people look at it.
func (p *Stage) Step(c *cluster.Inside, text string) {
	p.mu.Lock()
	p.step, p.waiting = text, true
	p.mu.Unlock()
	p.cluster.Clock().Run(0)
	for p.Waits() && !c.Closed() {
		c.Sleep(stepPoll)
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

// Next continues the waiting step, and reports whether there was one.
func (p *Stage) Next() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.waiting
	p.waiting = false
	return waited
}

// TakeSpeed returns the speed requested since the last call, 0 if there was none.
func (p *Stage) TakeSpeed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	speed := p.speed
	p.speed = 0
	return speed
}

// Perform runs a scenario in a session of a cluster to its end. It returns the failed
// expectations, and whether the scenario ended before the cluster did. It blocks, so
// the screen calls it from a goroutine of its own.
func Perform(c *cluster.Cluster, session *scenario.Session, script *scenario.Script) (failures []scenario.Failure, completed bool) {
	ended := make(chan struct{})
	err := c.Go(func(c *cluster.Inside) {
		defer close(ended)
		failures = session.Perform(c, script, false)
	})
	if err != nil {
		return nil, false
	}
	select {
	case <-ended:
		return failures, !c.Closed()
	case <-c.Clock().Done():
		return nil, false
	}
}
