package cluster

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// stopTimeout is how long, in virtual time, a process may take to shut down. A process that
// takes longer is left behind, with its files open.
const stopTimeout = 10 * time.Second

// discardLogger is a logger without output.
var discardLogger = hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})

// process is one run of a node, from boot to stop.
type process struct {
	c         *Inside
	node      *node
	backend   faults.DiskBackend
	closeDisk func() error
	disk      *faults.DiskSession
	transport transport
	fsm       *fsm
	raft      atomic.Pointer[raft.Raft] // nil until raft is built
	dead      chan struct{}             // closed when the process is dead

	// mu orders events and death: a dead process emits nothing.
	mu    sync.Mutex
	alive bool

	configAt atomic.Int64 // when the configuration last may have changed, see configMayChange
	seen     observed     // the state last emitted; guarded by mu
	why      reasons      // of raft's decisions; guarded by mu
	hold     hold         // guarded by mu
}

// hold collects the events of a process while it is paused.
type hold struct {
	on     bool
	events []trace.Event
}

// emit emits an event of the process, unless the process is dead.
func (p *process) emit(e trace.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emitLocked(e)
}

// emitLocked is emit for a caller that holds p.mu.
func (p *process) emitLocked(e trace.Event) {
	switch {
	case !p.alive:
	case !p.hold.on:
		e.Node = p.node.name
		p.c.emit(e)
	case len(p.hold.events) < heldMax || e.Kind != trace.KindReason && e.Kind != trace.KindLogLine:
		p.hold.events = append(p.hold.events, e)
	}
}

func (p *process) isAlive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive
}

// heldMax is how many events a paused process may hold before it drops further reasons and log
// lines: a paused candidate starts one election after another.
const heldMax = 1000

// pause stops the process's disk and state machine; its network is paused separately. Raft's
// timers keep running inside. A stopped process does nothing, so the events that they cause are
// held until it resumes.
func (p *process) pause() {
	p.disk.Pause()
	p.fsm.gate.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold.on = true
}

// resume continues the process and emits the events held meanwhile.
func (p *process) resume() {
	p.mu.Lock()
	held := p.hold.events
	p.hold = hold{}
	for _, e := range held {
		p.emitLocked(e)
	}
	p.mu.Unlock()
	p.fsm.gate.open()
	p.disk.Resume()
}

// boot starts a process on the node. If first has servers, it bootstraps a new cluster with
// them. The error says why the node crashed.
func (n *node) boot(first raft.Configuration) error {
	n.lock()
	defer n.unlock()
	return n.bootLocked(first)
}

// bootLocked is boot for a caller that holds the node's lifecycle lock.
func (n *node) bootLocked(first raft.Configuration) error {
	if n.c.isClosing.Load() {
		return nil
	}
	if n.c.machines != nil {
		return n.bootRemote(first)
	}
	p, err := n.open()
	if err != nil {
		n.setState(trace.Crashed, err.Error())
		if faults.DamageOf(err) != nil {
			return fmt.Errorf("%s failed to start: %w: wipe %s and restart it", n.name, err, n.name)
		}
		return fmt.Errorf("%s failed to start: %w", n.name, err)
	}
	n.mu.Lock()
	n.proc.Store(p)
	n.mu.Unlock()
	n.setState(trace.Up, "")
	if err := p.build(first); err != nil {
		// If the disk crashed the process, node.crash reports it.
		if p.isAlive() {
			_ = n.stopLocked(trace.Crashed, err.Error())
		}
		return fmt.Errorf("%s failed to start: %w", n.name, err)
	}
	return nil
}

// open opens the node's disk for a new process and emits the disk's content.
func (n *node) open() (*process, error) {
	backend, closeDisk, err := n.storage.open()
	if err != nil {
		return nil, err
	}
	armed := n.currentDisk().Fault() != nil
	disk, err := n.currentDisk().Open(backend)
	damage := faults.DamageOf(err)
	if spent := armed && n.currentDisk().Fault() == nil; spent || damage != nil {
		n.emitDamage(damage)
	}
	if err != nil {
		return nil, errors.Join(err, closeDisk())
	}
	p := n.newProcess(backend, disk)
	p.closeDisk = closeDisk
	if err := p.emitDisk(); err != nil {
		disk.Kill()
		return nil, errors.Join(err, closeDisk())
	}
	p.transport = transport{n.c.connect(p), &leadershipConfirmations{}}
	return p, nil
}

// emitDamage emits that stored data is damaged. nil means that the node can start all the same.
func (n *node) emitDamage(damage faults.DiskFault) {
	e := trace.Event{Kind: trace.KindDamage, Node: n.name}
	if damage != nil {
		e.Text = damage.String()
	}
	n.c.emit(e)
}

// newProcess returns a process over an open disk, without a transport.
func (n *node) newProcess(backend faults.DiskBackend, disk *faults.DiskSession) *process {
	p := &process{c: n.c, node: n, backend: backend, disk: disk, dead: make(chan struct{}), alive: true}
	p.why.started = time.Now()
	p.fsm = newFSM(p)
	return p
}

// build builds the process's raft, on a goroutine of its own: a disk that crashes the process
// ends the goroutine that called it.
func (p *process) build(first raft.Configuration) error {
	err := errors.New("its disk crashed it")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("raft: %v", v)
			}
		}()
		err = p.newRaft(first)
	}()
	<-done
	return err
}

// raftDeps is what a raft node is built from, which tests can break.
type raftDeps struct {
	fsm       raft.FSM
	logs      raft.LogStore
	stable    raft.StableStore
	transport raft.Transport
	logger    hclog.Logger
}

// newRaft builds raft over the disk and the network, and bootstraps it if first has servers.
func (p *process) newRaft(first raft.Configuration) error {
	logs := logStore{p.disk.Logs(), p}
	stable := stableStore{p.disk.Stable(), p}
	snapshots := snapshotStore{p.disk.Snapshots(), p}
	if p.c.settings.SnapshotCure {
		logs.LogStore = snapshotWorkaroundLogs{logs.LogStore, p.fsm}
	}
	conf := p.config()
	if len(first.Servers) > 0 {
		err := raft.BootstrapCluster(conf, logs, stable, snapshots, p.transport, first)
		if err != nil && !errors.Is(err, raft.ErrCantBootstrap) { // a program started again knows no better
			return err
		}
	}
	deps := raftDeps{p.fsm, logs, stable, p.transport, conf.Logger}
	if p.c.tamper != nil {
		p.c.tamper(&deps)
	}
	conf.Logger = deps.logger
	r, err := raft.NewRaft(conf, deps.fsm, deps.logs, deps.stable, snapshots, deps.transport)
	if err != nil {
		return err
	}
	p.attach(r)
	p.configMayChange()
	p.observe()
	return p.reloadTimeouts() // they may have changed while raft was starting
}

// config returns raft's configuration for the node.
func (p *process) config() *raft.Config {
	s := p.c.settings
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(p.node.name)
	t := p.timeouts()
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = t.heartbeat, t.election, t.lease
	conf.CommitTimeout = min(conf.CommitTimeout, max(t.heartbeat/10, time.Millisecond))
	conf.PreVoteDisabled = !s.PreVote
	conf.ShutdownOnRemove = false
	conf.SnapshotInterval = snapshotInterval
	conf.SnapshotThreshold = s.SnapshotThreshold
	conf.TrailingLogs = s.TrailingLogs
	conf.NoLegacyTelemetry = true
	conf.Logger = newRaftLogger(p)
	return conf
}

// snapshotInterval is how often a node checks whether to take a snapshot. Raft's default of two
// minutes is too long to watch.
const snapshotInterval = 10 * time.Second

// stop stops the node's process, if one runs.
func (n *node) stop(state trace.ProcessState, why string) error {
	n.lockToStop()
	defer n.unlock()
	if n.server() == nil {
		return nil
	}
	return n.stopLocked(state, why)
}

// stopLocked is stop for a caller that holds the node's lifecycle lock. The order matters:
// raft's Shutdown waits for all of raft's goroutines, which may wait for the network, the disk
// or the state machine, so kill releases these first.
func (n *node) stopLocked(state trace.ProcessState, why string) error {
	if r := n.remote.Load(); r != nil {
		return n.stopRemote(r, state, why)
	}
	p := n.running()
	if p == nil { // only the power is lost
		n.setState(state, why)
		return n.losePower()
	}
	err := p.kill()
	n.setState(state, why)
	if r := p.raft.Load(); r != nil && withTimeout(stopTimeout, func() error { return r.Shutdown().Error() }) != nil {
		return fmt.Errorf("%s did not stop within %s: its goroutines are left behind", n.name, stopTimeout)
	}
	if state == trace.Off {
		err = errors.Join(err, n.losePowerOver(p.backend))
	}
	return errors.Join(err, p.closeDisk())
}

// crash stops the process after a fatal disk error. The disk calls it on a goroutine of raft's,
// which is blocked until crash returns, so another goroutine shuts raft down. No other process
// can have replaced this one yet.
func (n *node) crash(reason error) {
	p := n.running()
	if p == nil {
		return // the process is being opened, and open returns the error
	}
	_ = p.kill()
	n.c.bubble.Go(func() { n.c.emitRefused(n.finishCrash(p, reason)) })
}

// finishCrash stops the rest of a crashed process, unless it has been stopped already.
func (n *node) finishCrash(p *process, reason error) error {
	n.lock()
	defer n.unlock()
	if n.running() != p {
		return nil
	}
	return n.stopLocked(trace.Crashed, reason.Error())
}

// kill marks the process dead: from now on its goroutines have no effect, and nothing blocks
// them. It may be called more than once.
func (p *process) kill() error {
	p.mu.Lock()
	if p.alive {
		p.alive = false
		close(p.dead)
	}
	p.mu.Unlock()
	err := p.transport.Close()
	if p.c.packets != nil {
		p.c.packets.Resume(p.node.address) // the next process is not paused
	}
	p.disk.Kill()
	p.fsm.gate.open()
	return err
}

// killStarting kills the process if it is still starting, which takes forever on a stalled
// disk. Its boot then fails and releases the lifecycle lock.
func (n *node) killStarting() {
	if s := n.server(); s != nil && !s.isReady() {
		_ = s.kill()
	}
}

// losePower discards the unsynced writes on the disk of a node without a process.
func (n *node) losePower() error {
	backend, closeDisk, err := n.storage.open()
	if err != nil {
		return err
	}
	return errors.Join(n.losePowerOver(backend), closeDisk())
}

// losePowerOver is losePower with the storage open. If the disk lied, it emits what is left on
// it; any other disk loses nothing.
func (n *node) losePowerOver(backend faults.DiskBackend) error {
	disk := n.currentDisk()
	if err := disk.PowerLoss(backend); err != nil || disk.Fault() != (faults.Lie{}) {
		return err
	}
	opened, err := disk.Open(backend)
	if err != nil {
		return nil // the next boot fails for the same reason and reports it
	}
	defer opened.Kill()
	return n.newProcess(backend, opened).emitDisk()
}
