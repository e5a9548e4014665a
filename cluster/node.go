package cluster

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// node is one server of the cluster: its name, its disk and its place in the network. It
// outlives the processes that run on it.
type node struct {
	c       *Inside
	name    string
	address raft.ServerAddress
	storage storage

	// lifecycle serializes changes of the node's state. It is a channel, not a mutex,
	// because a change may take virtual time.
	lifecycle chan struct{}

	isKept atomic.Bool // it runs on after its removal, see [Inside.ExpelNode]

	proc atomic.Pointer[process] // nil if no process runs here; stored under mu
	runs

	mu          sync.Mutex // guards what follows; never held while waiting
	disk        *faults.Disk
	state       trace.ProcessState
	clockFactor float64 // multiplies its timeouts and its lease

	reloading sync.Mutex // held while raft gets new timeouts; never while waiting

	// Guarded by mu.
	applyDelay   time.Duration // how much longer its state machine takes to apply a command
	applyChanged chan struct{} // closed when applyDelay changes; nil without a delay
}

// runs are the processes of a node that run outside of this one.
type runs struct {
	remote atomic.Pointer[remote] // the present one, nil if none runs; stored under node.mu
	count  uint64                 // how many there were; guarded by node.lifecycle
}

// stopRetryEvery is how often a stop retries while the process is still starting.
const stopRetryEvery = 10 * time.Millisecond

// clockFactorMax is the largest factor by which a node's timeouts can be stretched.
const clockFactorMax = 100

// newDisk gives the node a healthy disk.
func (n *node) newDisk() {
	n.c.mu.Lock()
	seed := n.c.rng.Int64()
	n.c.mu.Unlock()
	disk := faults.NewDisk(faults.DiskConfig{Seed: seed, FsyncLatency: n.c.settings.Fsync, OnCrash: n.crash})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disk = disk
}

// currentDisk returns the node's disk, which a wipe replaces.
func (n *node) currentDisk() *faults.Disk {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.disk
}

// running returns the process that runs on the node, or nil.
func (n *node) running() *process { return n.proc.Load() }

// lock waits until no other change of the node's state is in progress.
func (n *node) lock()   { n.lifecycle <- struct{}{} }
func (n *node) unlock() { <-n.lifecycle }

// lockToStop is lock for a change that stops the process. It kills a process that is still
// starting, which may hold the lock forever if its disk stalls.
func (n *node) lockToStop() {
	for {
		n.killStarting()
		select {
		case n.lifecycle <- struct{}{}:
			return
		case <-time.After(stopRetryEvery): // another process may have begun to start by now
		}
	}
}

// setState changes the node's state and emits the change. In a state that is not running, the
// node has no process.
func (n *node) setState(state trace.ProcessState, why string) {
	n.setStateSilently(state)
	n.c.emit(trace.Event{Kind: trace.KindProcess, Node: n.name, Process: state, Text: why})
}

// setStateSilently is setState without an event.
func (n *node) setStateSilently(state trace.ProcessState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = state
	if !state.Running() {
		n.proc.Store(nil)
		n.remote.Store(nil)
	}
}

// requireState returns an error unless the node is in one of the allowed states. The error
// says which command to give first.
func (n *node) requireState(command string, allowed ...trace.ProcessState) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(allowed, n.state) {
		return nil
	}
	hint := ""
	switch {
	case n.state.Running() && command == "restart":
		hint = ": kill it first"
	case n.state == trace.Unreachable:
		hint = ": wait until it answers again"
	case n.state == trace.Paused:
		hint = ": resume it first"
	case !n.state.Running():
		hint = ": restart it first"
	}
	return fmt.Errorf("cannot %s %s: it is %s%s", command, n.name, n.state, hint)
}

// requireOwn returns an error if the node is in the hands of another program.
func (c *Inside) requireOwn(command, name string) error {
	if c.OwnsNodes() {
		return nil
	}
	return fmt.Errorf("cannot %s %s: it runs elsewhere, and its files are there", command, name)
}

// Kill ends a node's process, as kill -9 does: its writes survive in the page cache. It takes
// effect at once, without virtual time.
func (c *Inside) Kill(name string) error {
	return c.changeToStop(name, "kill", func(n *node) error { return n.stopLocked(trace.Killed, "") },
		trace.Up, trace.Paused)
}

// PowerOff cuts a node's power: writes that its disk had not synced are lost, even if the
// process was killed before.
func (c *Inside) PowerOff(name string) error {
	if err := c.requireOwn("power off", name); err != nil {
		return err
	}
	return c.changeToStop(name, "power off", func(n *node) error { return n.stopLocked(trace.Off, "") },
		trace.Up, trace.Paused, trace.Killed, trace.Crashed)
}

// Restart starts a new process on the disk of a node that is down.
func (c *Inside) Restart(name string) error {
	return c.change(name, "restart", func(n *node) error { return n.bootLocked(raft.Configuration{}) },
		trace.Killed, trace.Off, trace.Crashed, trace.Wiped)
}

// Wipe ends a node's process and erases its disk: log, term, vote and snapshots. Raft does not
// tolerate such a loss: its safety rests on state that survives restarts (paper, figure 2).
func (c *Inside) Wipe(name string) error {
	if err := c.requireOwn("wipe", name); err != nil {
		return err
	}
	return c.changeToStop(name, "wipe", func(n *node) error {
		if n.server() != nil {
			if err := n.stopLocked(trace.Killed, ""); err != nil {
				return err
			}
		}
		if err := errors.Join(n.storage.wipe(), n.storage.create()); err != nil {
			return fmt.Errorf("wiping %s: %w", n.name, err)
		}
		n.newDisk()
		n.setState(trace.Wiped, "")
		n.c.emit(trace.Event{Kind: trace.KindDiskFault, Node: n.name})
		return nil
	}, trace.Up, trace.Paused, trace.Killed, trace.Off, trace.Crashed, trace.Wiped)
}

// Pause stops a node as SIGSTOP does: its network, in both directions, its disk and its state
// machine wait. Raft's timers keep running, so after Resume they have all expired, as in a
// process after SIGCONT. Until then the process emits no events.
func (c *Inside) Pause(name string) error {
	return c.change(name, "pause", func(n *node) error {
		if r := n.remote.Load(); r != nil {
			return r.pause()
		}
		c.packets.Pause(n.address)
		n.running().pause()
		n.setState(trace.Paused, "")
		return nil
	}, trace.Up)
}

// Resume continues a paused node. Everything held for it arrives at once.
func (c *Inside) Resume(name string) error {
	return c.change(name, "resume", func(n *node) error {
		n.setState(trace.Up, "")
		if r := n.remote.Load(); r != nil {
			return r.process.Resume()
		}
		n.running().resume()
		c.packets.Resume(n.address)
		return nil
	}, trace.Paused)
}

// change runs f under the node's lifecycle lock if the node is in one of the allowed states.
func (c *Inside) change(name, command string, f func(*node) error, allowed ...trace.ProcessState) error {
	return c.changeWith((*node).lock, name, command, f, allowed)
}

// changeToStop is change for an f that stops the process, even one that is still starting.
func (c *Inside) changeToStop(name, command string, f func(*node) error, allowed ...trace.ProcessState) error {
	return c.changeWith((*node).lockToStop, name, command, f, allowed)
}

// changeWith is change with the function that takes the lifecycle lock.
func (c *Inside) changeWith(lock func(*node), name, command string, f func(*node) error,
	allowed []trace.ProcessState,
) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	// This check fails at once, without waiting for the lock. The check below sees what
	// another change has done to the node in the meantime.
	if err := n.requireState(command, allowed...); err != nil {
		return err
	}
	lock(n)
	defer n.unlock()
	if err := n.requireState(command, allowed...); err != nil {
		return err
	}
	return f(n)
}

// Snapshot makes a node take a snapshot now. It takes virtual time, at most the clients'
// timeout.
func (c *Inside) Snapshot(name string) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	if err := n.requireState("snapshot", trace.Up, trace.Paused); err != nil {
		return err
	}
	s := n.server()
	if s == nil || !s.isReady() {
		return fmt.Errorf("cannot snapshot %s: it is still starting", name)
	}
	if err := s.request(control.Request{Operation: control.Snapshot}, c.settings.ClientTimeout); err != nil {
		return fmt.Errorf("snapshot of %s: %w", name, err)
	}
	return nil
}

// SetClock stretches a node's election timeout, heartbeat timeout (and with it the interval of its
// heartbeats) and leader lease by factor, now and after each restart. A factor above 1 is a slow
// clock.
func (c *Inside) SetClock(name string, factor float64) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	// The lease is the shortest of the three.
	least := shortestTimeout.Seconds() / c.currentSettings().Lease.Seconds()
	if !(factor >= least && factor <= clockFactorMax) { // also rejects NaN
		return fmt.Errorf("clock factor %g for %s: must be between %.3g (a leader lease of %s) and %d",
			factor, name, least, shortestTimeout, clockFactorMax)
	}
	n.mu.Lock()
	n.clockFactor = factor
	n.mu.Unlock()
	c.emit(trace.Event{Kind: trace.KindClockFault, Node: name, Factor: factor})
	if s := n.server(); s != nil {
		return s.reloadTimeouts()
	}
	return nil
}
