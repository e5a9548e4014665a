package cluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// node is one machine of the cluster: its name, its disk and its place in the
// network. It outlives the processes that run on it.
type node struct {
	c       *Cluster
	name    string
	address raft.ServerAddress
	storage storage

	// lifecycle lets one change of the state cycle through at a time. It is a channel,
	// not a mutex, because a change may take virtual time.
	lifecycle chan struct{}

	proc atomic.Pointer[process] // nil while no process runs; changed under mu

	mu          sync.Mutex // guards what follows; never held while waiting
	disk        *faults.Disk
	state       trace.ProcessState
	clockFactor float64 // on its timeouts
}

// stopRetryEvery is how often whoever ends a process looks whether it is still starting.
const stopRetryEvery = 10 * time.Millisecond

// clockFactorMax is the largest factor on the timeouts of a node.
const clockFactorMax = 100

// newNode makes the node and adds it to the cluster. No process runs on it yet.
// The error says why there cannot be one of that name.
func (c *Cluster) newNode(name string) (*node, error) {
	n := &node{c: c, name: name, address: raft.ServerAddress(name), lifecycle: make(chan struct{}, 1), clockFactor: 1}
	if c.dir != nil {
		n.storage = boltStorage{path: filepath.Join(c.dir.path, name), noSync: c.dir.temporary}
	} else {
		n.storage = newMemoryStorage()
	}
	n.newDisk()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !validName.MatchString(name):
		return nil, fmt.Errorf("%q is not a valid node name: use 1 to 32 letters, digits, dots, underscores and hyphens", name)
	case slices.Contains(reservedNames, name):
		return nil, fmt.Errorf("%q is not a valid node name: it is a reserved word", name)
	case slices.ContainsFunc(c.allNodes(), func(m *node) bool { return m.name == name }):
		return nil, fmt.Errorf("node %s already exists", name)
	case len(c.allNodes()) >= NodesMax:
		return nil, fmt.Errorf("there are %d nodes already, the maximum", NodesMax)
	}
	nodes := append(slices.Clone(c.allNodes()), n)
	c.nodes.Store(&nodes)
	return n, nil
}

// reservedNames are the words that mean nodes in commands, or routes of clients.
var reservedNames = []string{
	RouteLeader, RouteRandom, RouteRoundRobin,
	"all", "up", "down", "followers", "minority", "majority", "others", "none",
}

// newDisk puts a sound disk into the machine.
func (n *node) newDisk() {
	n.c.mu.Lock()
	seed := n.c.rng.Int64()
	n.c.mu.Unlock()
	disk := faults.NewDisk(faults.DiskConfig{Seed: seed, FsyncLatency: n.c.settings.Fsync, OnCrash: n.crash})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disk = disk
}

// currentDisk returns the disk that is in the machine.
func (n *node) currentDisk() *faults.Disk {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.disk
}

// forget removes the node from the cluster, once its process has ended.
func (c *Cluster) forget(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := slices.DeleteFunc(slices.Clone(c.allNodes()), func(m *node) bool { return m == n })
	c.nodes.Store(&nodes)
}

// running returns the process that runs on the node, nil if none does.
func (n *node) running() *process { return n.proc.Load() }

// lock waits until no other change of the node's state is under way; leave ends it.
func (n *node) lock()   { n.lifecycle <- struct{}{} }
func (n *node) unlock() { <-n.lifecycle }

// lockToStop is enter for what ends the process. One that is still starting, on
// a disk that stalls perhaps for ever, ends at once and so opens the door.
func (n *node) lockToStop() {
	for {
		n.killStarting()
		select {
		case n.lifecycle <- struct{}{}:
			return
		case <-time.After(stopRetryEvery): // another process may have begun to start meanwhile
		}
	}
}

// setState notes what became of the node. The process that ran is gone from now on.
func (n *node) setState(state trace.ProcessState, why string) {
	n.mu.Lock()
	n.state = state
	if !state.Running() {
		n.proc.Store(nil)
	}
	n.mu.Unlock()
	n.c.emit(trace.Event{Kind: trace.KindProcess, Node: n.name, Process: state, Text: why})
}

// requireState returns an error unless the node's state is one of those allowed.
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
	case n.state == trace.Paused:
		hint = ": resume it first"
	case !n.state.Running():
		hint = ": restart it first"
	}
	return fmt.Errorf("cannot %s %s: it is %s%s", command, n.name, n.state, hint)
}

// Kill ends the process of a node, as kill -9 does: what it wrote survives in
// the page cache. Takes no virtual time to have its effect.
func (c *Cluster) Kill(name string) error {
	return c.changeToStop(name, "kill", func(n *node) error { return n.stopLocked(trace.Killed, "") }, trace.Up, trace.Paused)
}

// PowerOff takes the power from the machine of a node: what its disk had not
// really stored is lost, also when the process had been killed before.
func (c *Cluster) PowerOff(name string) error {
	return c.changeToStop(name, "power off", func(n *node) error { return n.stopLocked(trace.Off, "") },
		trace.Up, trace.Paused, trace.Killed, trace.Crashed)
}

// Restart starts a new process on a node that is down, over its old disk.
func (c *Cluster) Restart(name string) error {
	return c.change(name, "restart", func(n *node) error { return n.bootLocked(raft.Configuration{}) },
		trace.Killed, trace.Off, trace.Crashed, trace.Wiped)
}

// Wipe ends the process of a node and empties its disk: log, term and vote are
// forgotten, which is outside of what Raft survives.
func (c *Cluster) Wipe(name string) error {
	return c.changeToStop(name, "wipe", func(n *node) error {
		if n.running() != nil {
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

// Pause stops a node as SIGSTOP does: its network, its disk and its counter
// wait, in both directions. Raft's own timers go on inside, so that after
// Resume it behaves as a process does after SIGCONT: they have all run out.
func (c *Cluster) Pause(name string) error {
	return c.change(name, "pause", func(n *node) error {
		c.network.Pause(n.address)
		n.running().pause()
		n.setState(trace.Paused, "")
		return nil
	}, trace.Up)
}

// Resume lets a paused node go on. All that waited is released as a flood.
func (c *Cluster) Resume(name string) error {
	return c.change(name, "resume", func(n *node) error {
		n.setState(trace.Up, "")
		n.running().resume()
		c.network.Resume(n.address)
		return nil
	}, trace.Paused)
}

// change runs a change of a node's state, if its state is one of those allowed.
func (c *Cluster) change(name, command string, f func(*node) error, allowed ...trace.ProcessState) error {
	return c.changeWith((*node).lock, name, command, f, allowed)
}

// changeToStop is change for what ends a process, also one that is still starting.
func (c *Cluster) changeToStop(name, command string, f func(*node) error, allowed ...trace.ProcessState) error {
	return c.changeWith((*node).lockToStop, name, command, f, allowed)
}

func (c *Cluster) changeWith(enter func(*node), name, command string, f func(*node) error, allowed []trace.ProcessState) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	// Said before the door, so that it is said at once; what another change
	// makes of the node meanwhile is looked at behind it.
	if err := n.requireState(command, allowed...); err != nil {
		return err
	}
	enter(n)
	defer n.unlock()
	if err := n.requireState(command, allowed...); err != nil {
		return err
	}
	return f(n)
}

// Snapshot has a node take a snapshot of its counter now.
func (c *Cluster) Snapshot(name string) error {
	p, err := c.process(name, "snapshot")
	if err != nil {
		return err
	}
	if err := p.await(c.settings.ClientTimeout, func(r *raft.Raft) future { return r.Snapshot() }); err != nil {
		return fmt.Errorf("snapshot of %s: %w", name, err)
	}
	return nil
}

// SetClock makes the election and heartbeat timeouts of a node factor times as
// long as set up, now and after each restart (raft's ReloadConfig).
func (c *Cluster) SetClock(name string, factor float64) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	least := c.settings.Lease.Seconds() / c.settings.Heartbeat.Seconds()
	if !(factor >= least && factor <= clockFactorMax) { // also not a number
		return fmt.Errorf("clock factor %g for %s: must be between %.3g (heartbeat timeout = leader lease) and %d", factor, name, least, clockFactorMax)
	}
	n.mu.Lock()
	n.clockFactor = factor
	p := n.running()
	n.mu.Unlock()
	c.emit(trace.Event{Kind: trace.KindClockFault, Node: name, Factor: factor})
	if p == nil {
		return nil
	}
	return p.setClock()
}

// process returns the process that runs on a node and takes part, or an error
// that says why command cannot be done.
func (c *Cluster) process(name, command string) (*process, error) {
	n, err := c.node(name)
	if err != nil {
		return nil, err
	}
	if err := n.requireState(command, trace.Up, trace.Paused); err != nil {
		return nil, err
	}
	if p := n.running(); p != nil && p.raft.Load() != nil {
		return p, nil
	}
	return nil, fmt.Errorf("cannot %s %s: it is still starting", command, name)
}
