package present

import (
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// Stage is where a scenario meets whoever presents it. The scenario runs inside
// virtual time; what it wants is fetched with the next frame.
type Stage struct {
	cluster *cluster.Cluster

	mu      sync.Mutex
	speed   float64 // asked for since the last frame, 0 = nothing was
	step    string  // what the step that waits says
	waiting bool    // a step waits
}

// NewStage returns the stage of a cluster, nil for a recording.
func NewStage(c *cluster.Cluster) *Stage { return &Stage{cluster: c} }

// stepPoll is how often a step looks whether it may go on, in virtual time.
const stepPoll = 10 * time.Millisecond

// Speed asks for a speed.
func (p *Stage) Speed(speed float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed = speed
}

// Step waits for a key, or for the end. Time stands still meanwhile, but for the
// few milliseconds of a step that the clock is in: what a scenario tells must not
// depend on how long people look at it.
func (p *Stage) Step(text string) {
	p.mu.Lock()
	p.step, p.waiting = text, true
	p.mu.Unlock()
	p.cluster.Clock().Run(0)
	for p.Waits() && !p.cluster.Closed() {
		p.cluster.Sleep(stepPoll)
	}
}

func (p *Stage) Waits() bool {
	_, waiting := p.Waiting()
	return waiting
}

// Waiting returns what the step that waits says, and whether one waits.
func (p *Stage) Waiting() (step string, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.step, p.waiting
}

// Next lets the step that waits go on, and reports whether one did.
func (p *Stage) Next() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.waiting
	p.waiting = false
	return waited
}

// TakeSpeed returns the speed asked for since it was last called, 0 if none was.
func (p *Stage) TakeSpeed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	speed := p.speed
	p.speed = 0
	return speed
}

// Perform runs a scenario on a cluster, and returns what did not hold, and whether
// it came to its end before the cluster did.
func Perform(c *cluster.Cluster, script *scenario.Script, stage scenario.Presenter) (failures []scenario.Failure, whole bool) {
	ended := make(chan struct{})
	err := c.Clock().Do(func() {
		c.Go(func() {
			defer close(ended)
			failures = script.Perform(c, stage)
		})
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
