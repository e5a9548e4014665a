package engine

import (
	"errors"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/vtime"
)

// Native runs a cluster in a bubble of this process. Two runs with one seed are alike, not the
// same: chance inside of raft and of Go's scheduler is not part of the seed. With machines in its
// configuration, the nodes are processes of their own: its mode is ProcessesMode, and its clock is
// that of the real world.
type Native struct {
	*trace.Stream
	*vtime.Clock
	cluster  *cluster.Cluster
	session  *scenario.Session
	stage    *Stage
	nodes    int // at the start
	mode     Mode
	options  Options
	resumed  chan struct{} // of the bubble: what waited for the presenter continues
	resuming sync.Mutex    // held until that has been told
}

// OpenNative is an [Opener]. The errors are those of [cluster.Open].
func OpenNative(cfg cluster.Config, o Options) (Engine, error) {
	n, err := Open(cfg, o)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Open starts a cluster. Its clock stands still. The errors are those of [cluster.Open].
func Open(cfg cluster.Config, o Options) (*Native, error) {
	c, err := cluster.Open(cfg)
	if err != nil {
		return nil, err
	}
	n := &Native{Stream: c.Trace(), Clock: c.Clock(), cluster: c, mode: NativeMode, options: o}
	if cfg.Machines != nil {
		n.mode = ProcessesMode
	}
	n.stage = NewStage(n.resumeSoon, func(Votes) { n.resumeSoon() })
	n.session = scenario.NewSession(c, c.Settings().Seed, presenter{n})
	n.nodes = c.NodeCount()
	// The nodes start at time 0, on goroutines of their own.
	if err := c.Clock().Do(func() { n.resumed = make(chan struct{}, 1) }); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return n, nil
}

// Mode is NativeMode or ProcessesMode.
func (n *Native) Mode() Mode { return n.mode }

// Prompt parses and completes lines.
func (n *Native) Prompt() *scenario.Prompt { return n.session.Prompt }

// Stage is where scenarios meet their presenter.
func (n *Native) Stage() *Stage { return n.stage }

// Run makes time pass at a speed, except while a step waits for the presenter to see it.
func (n *Native) Run(speed float64) {
	if speed <= 0 || !n.stage.Holds() {
		n.Clock.Run(speed)
	}
}

// History returns the kept history, or nil if none is kept.
func (n *Native) History() *history.History { return n.cluster.History() }

// Close stops all nodes: see [cluster.Cluster.Close].
func (n *Native) Close() error { return n.cluster.Close() }

// Remark says whether raft left goroutines hanging.
func (n *Native) Remark() string { return n.cluster.Hang() }

// Branch starts a new cluster whose nodes restart from what their disks held at a moment: roles,
// timers, and messages in flight cannot be restored.
func (n *Native) Branch(at trace.Position) (Engine, error) {
	return branchFromDisks(n.History(), at, n.options)
}

// branchFromDisks is a native branch from a moment of a history.
func branchFromDisks(past *history.History, at trace.Position, o Options) (Engine, error) {
	var state trace.State
	if past == nil || !past.StateAt(at.Seq, &state) {
		return nil, errors.New("that moment is no longer in the history")
	}
	state.At = at.At
	return Open(cluster.Config{From: &state, HistoryBudget: past.Budget()}, o)
}

// presenter hands what a scenario asks of its presenter to the stage.
type presenter struct{ n *Native }

func (p presenter) Speed(speed float64) { p.n.stage.RequestSpeed(speed) }

// Step pauses the clock and waits for the presenter or for the end of the cluster. The clock
// stops within one slice, a few milliseconds, because what a scenario does next must not depend
// on how long people look at it.
func (p presenter) Step(c *cluster.Inside, text string) {
	if !p.n.options.Attended {
		return
	}
	p.n.stage.Begin(text)
	p.wait(c)
}

// Ask pauses the clock like Step, and waits for the audience.
func (p presenter) Ask(c *cluster.Inside, choices int) []int {
	if !p.n.options.Attended {
		return nil
	}
	p.n.stage.Ask(choices)
	p.wait(c)
	return p.n.stage.takeVotes()
}

// wait pauses the clock until nothing waits for the presenter. No virtual time passes then: leases
// and timeouts do not depend on how many steps a scenario has.
func (p presenter) wait(c *cluster.Inside) {
	p.n.Clock.Run(0)
	select {
	case <-p.n.resumed:
	case <-c.Closing():
	}
}

// resumeSoon is resume for the screen, which does not wait for the cluster.
func (n *Native) resumeSoon() {
	n.resuming.Lock()
	go func() {
		defer n.resuming.Unlock()
		n.resume()
	}()
}

// Advance lets time pass as fast as possible, after what has been continued before.
func (n *Native) Advance(d time.Duration) error {
	n.resuming.Lock()
	n.resuming.Unlock() //nolint:staticcheck // it only waits for resumeSoon
	return n.Clock.Advance(d)
}

// resume continues what waited for the presenter.
func (n *Native) resume() {
	_ = n.Do(func() { n.resumed <- struct{}{} }) // fails only once the cluster has ended
}
