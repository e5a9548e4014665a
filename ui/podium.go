package ui

import (
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/scenario"
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

// Step waits for a key, or for the end. Time stands still meanwhile, but for the
// few milliseconds of a step that the clock is in: what a scenario tells must not
// depend on how long people look at it.
func (p *podium) Step(text string) {
	p.mu.Lock()
	p.step, p.waiting = text, true
	p.mu.Unlock()
	p.c.Clock().Run(0)
	for p.waits() && !p.c.Closed() {
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

// perform puts a scenario on stage. Its end is a performedMsg; one whose cluster was
// left for another has no end.
func (m *model) perform(script *scenario.Script) tea.Cmd {
	c, podium := m.cluster, m.podium
	return func() tea.Msg {
		failures, whole := performOn(c, script, podium)
		if !whole {
			return nil
		}
		return performedMsg{failures: failures}
	}
}

// performOn runs a scenario on a cluster, and returns what did not hold, and whether
// it came to its end before the cluster did.
func performOn(c *cluster.Cluster, script *scenario.Script, stage scenario.Presenter) (failures []scenario.Failure, whole bool) {
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

// performedMsg says that a scenario has ended.
type performedMsg struct{ failures []scenario.Failure }

func (m *model) performed(msg performedMsg) {
	m.presenter.over = true
	if len(msg.failures) > 0 {
		m.say("", msg.failures[0].Error(), true)
		return
	}
	m.say("", "the scenario has ended: the cluster is yours", false)
}
