package cluster

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// stopTimeout is how long a process gets to end, in virtual time. A process that
// does not is left behind, and its file stays open.
const stopTimeout = 10 * time.Second

// discardLogger is a logger that says nothing.
var discardLogger = hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})

// process is one run of a node, from a start to its end.
type process struct {
	c         *Cluster
	node      *node
	backend   faults.DiskBackend
	closeDisk func() error
	disk      *faults.DiskSession
	transport transport
	fsm       *fsm
	raft      atomic.Pointer[raft.Raft] // nil until it is built
	dead      chan struct{}             // closed when it is killed

	// mu makes the end sharp: no event of a process comes after its death.
	mu    sync.Mutex
	alive bool

	configAt atomic.Int64 // when the configuration last may have changed, see configMayChange
	seen     observed     // what the events say; guarded by mu
}

// emit makes an event of what the process did, unless it is dead.
func (p *process) emit(e trace.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emitLocked(e)
}

func (p *process) emitLocked(e trace.Event) {
	if p.alive {
		e.Node = p.node.name
		p.c.emit(e)
	}
}

func (p *process) isAlive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive
}

// pause and release are a pause of the process, but for its network.
func (p *process) pause()  { p.disk.Pause(); p.fsm.gate.close() }
func (p *process) resume() { p.fsm.gate.open(); p.disk.Resume() }

// boot starts a process on the node; with servers in first, as one of a new
// cluster. It returns why the node crashed, if it did.
func (n *node) boot(first raft.Configuration) error {
	n.lock()
	defer n.unlock()
	return n.bootLocked(first)
}

// bootLocked is boot, behind the node's door.
func (n *node) bootLocked(first raft.Configuration) error {
	if n.c.isClosing.Load() {
		return nil
	}
	p, err := n.open()
	if err != nil {
		n.setState(trace.Crashed, err.Error())
		return fmt.Errorf("%s failed to start: %w", n.name, err)
	}
	n.mu.Lock()
	n.proc.Store(p)
	n.mu.Unlock()
	n.setState(trace.Up, "")
	if err := p.build(first); err != nil {
		// A disk that crashed the process has said so itself already.
		if p.isAlive() {
			_ = n.stopLocked(trace.Crashed, err.Error())
		}
		return fmt.Errorf("%s failed to start: %w", n.name, err)
	}
	return nil
}

// open opens the node's disk for a new process and tells what is on it.
func (n *node) open() (*process, error) {
	backend, closeDisk, err := n.storage.open()
	if err != nil {
		return nil, err
	}
	disk, err := n.currentDisk().Open(backend)
	if err != nil {
		return nil, errors.Join(err, closeDisk())
	}
	p := n.newProcess(backend, disk)
	p.closeDisk = closeDisk
	if err := p.emitDisk(); err != nil {
		disk.Kill()
		return nil, errors.Join(err, closeDisk())
	}
	p.transport = transport{n.c.network.Transport(n.address), &leadershipConfirmations{}}
	return p, nil
}

// newProcess returns a process without a network over an open disk.
func (n *node) newProcess(backend faults.DiskBackend, disk *faults.DiskSession) *process {
	p := &process{c: n.c, node: n, backend: backend, disk: disk, dead: make(chan struct{}), alive: true}
	p.fsm = newFSM(p)
	return p
}

// build makes the raft node. It runs on a goroutine of its own, because a disk
// that crashes ends the goroutine it is called from.
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

// raftDeps are what raft stands on.
type raftDeps struct {
	fsm       raft.FSM
	logs      raft.LogStore
	stable    raft.StableStore
	transport raft.Transport
}

func (p *process) newRaft(first raft.Configuration) error {
	logs, stable, snapshots := logStore{p.disk.Logs(), p}, stableStore{p.disk.Stable(), p}, snapshotStore{p.disk.Snapshots(), p}
	if p.c.settings.SnapshotCure {
		logs.LogStore = snapshotWorkaroundLogs{logs.LogStore, p.fsm}
	}
	conf := p.config()
	if len(first.Servers) > 0 {
		if err := raft.BootstrapCluster(conf, logs, stable, snapshots, p.transport, first); err != nil {
			return err
		}
	}
	made := raftDeps{p.fsm, logs, stable, p.transport}
	if p.c.tamper != nil {
		p.c.tamper(&made)
	}
	r, err := raft.NewRaft(conf, made.fsm, made.logs, made.stable, snapshots, made.transport)
	if err != nil {
		return err
	}
	p.raft.Store(r)
	// The filter is called on raft's own goroutine for every change, in order,
	// which no channel of observations could promise.
	r.RegisterObserver(raft.NewObserver(nil, false, func(*raft.Observation) bool { p.observe(); return false }))
	p.configMayChange()
	p.observe()
	if p.heartbeat() != conf.HeartbeatTimeout {
		return p.setClock() // the clock was changed while it was starting
	}
	return nil
}

// heartbeat and election return the timeouts of the node as its clock runs now.
func (p *process) heartbeat() time.Duration { return p.scaleTimeout(p.c.settings.Heartbeat) }
func (p *process) election() time.Duration  { return p.scaleTimeout(p.c.settings.Election) }

// scaleTimeout returns d by the node's clock; never less than the lease, which raft
// would refuse and rounding could come to.
func (p *process) scaleTimeout(d time.Duration) time.Duration {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	return max(time.Duration(float64(d)*p.node.clockFactor), p.c.settings.Lease)
}

// setClock tells raft of the timeouts of the node as its clock runs now. One that
// is still being built will look itself.
func (p *process) setClock() error {
	r := p.raft.Load()
	if r == nil {
		return nil
	}
	reload := r.ReloadableConfig()
	reload.HeartbeatTimeout, reload.ElectionTimeout = p.heartbeat(), p.election()
	return r.ReloadConfig(reload)
}

// config returns raft's configuration for the node.
func (p *process) config() *raft.Config {
	s := p.c.settings
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(p.node.name)
	conf.HeartbeatTimeout, conf.ElectionTimeout = p.heartbeat(), p.election()
	conf.LeaderLeaseTimeout = s.Lease
	conf.CommitTimeout = min(conf.CommitTimeout, s.Heartbeat/10+1)
	conf.PreVoteDisabled = !s.PreVote
	conf.ShutdownOnRemove = false
	conf.SnapshotInterval = snapshotInterval
	conf.SnapshotThreshold = s.SnapshotThreshold
	conf.TrailingLogs = s.TrailingLogs
	conf.NoLegacyTelemetry = true
	conf.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: logWriter{p}, DisableTime: true})
	return conf
}

// snapshotInterval is how often a node looks whether it should take a snapshot.
// Raft's two minutes are too long to watch.
const snapshotInterval = 10 * time.Second

// stop ends the process of the node, if one runs.
func (n *node) stop(state trace.ProcessState, why string) error {
	n.lockToStop()
	defer n.unlock()
	if n.running() == nil {
		return nil
	}
	return n.stopLocked(state, why)
}

// stopLocked is stop, behind the node's door. The order matters: raft's Shutdown
// waits for all of its goroutines, and they for the network, the disk and the
// counter, so those let go first.
func (n *node) stopLocked(state trace.ProcessState, why string) error {
	p := n.running()
	if p == nil { // only the power goes
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

// crash ends the process that its disk has ended. It is called on a goroutine of
// raft's that does not go on until crash returns, so the rest of the process ends
// on another one. No other process can have taken its place yet.
func (n *node) crash(reason error) {
	p := n.running()
	if p == nil {
		return // it is being opened, and whoever does that gets the error
	}
	_ = p.kill()
	n.c.bubble.Go(func() { n.c.emitRefused(n.finishCrash(p, reason)) })
}

// finishCrash ends what is left of a process that has crashed, unless that has been
// done and another one runs by now.
func (n *node) finishCrash(p *process, reason error) error {
	n.lock()
	defer n.unlock()
	if n.running() != p {
		return nil
	}
	return n.stopLocked(trace.Crashed, reason.Error())
}

// kill makes the death of a process sharp: from now on nothing that its
// goroutines still do has an effect, and nothing keeps them waiting. It may be
// called more than once.
func (p *process) kill() error {
	p.mu.Lock()
	if p.alive {
		p.alive = false
		close(p.dead)
	}
	p.mu.Unlock()
	err := p.transport.Close()
	p.c.network.Resume(p.node.address) // a later process is not paused
	p.disk.Kill()
	p.fsm.gate.open()
	return err
}

// killStarting ends a process that is still starting, which on a stalled disk may
// take for ever, so that whoever ends its state need not wait at the door.
func (n *node) killStarting() {
	if p := n.running(); p != nil && p.raft.Load() == nil {
		_ = p.kill()
	}
}

// losePower takes back what the disk of a node without a process had not stored.
func (n *node) losePower() error {
	backend, closeDisk, err := n.storage.open()
	if err != nil {
		return err
	}
	return errors.Join(n.losePowerOver(backend), closeDisk())
}

// losePowerOver is losePower with the storage open. What is left on a disk that
// lied is told at once: all others keep what they have.
func (n *node) losePowerOver(backend faults.DiskBackend) error {
	disk := n.currentDisk()
	if err := disk.PowerLoss(backend); err != nil || disk.Fault() != (faults.Lie{}) {
		return err
	}
	opened, err := disk.Open(backend)
	if err != nil {
		return nil // so it will not start either, and says then why
	}
	defer opened.Kill()
	return n.newProcess(backend, opened).emitDisk()
}

// future is any of raft's futures.
type future interface{ Error() error }

// errNoReply says that raft has not answered in time.
var errNoReply = errors.New("no reply in time")

// await has raft do something and waits for its answer, for at most limit.
func (p *process) await(limit time.Duration, f func(*raft.Raft) future) error {
	return withTimeout(limit, func() error { return p.awaitFuture(f(p.raft.Load())) })
}

// awaitFuture waits for the answer of a future, which is [raft.ErrRaftShutdown] at the
// latest when the process dies. Raft itself leaves futures unanswered that wait in
// its channels when it shuts down or a disk ends its main goroutine, unless they
// have a channel that tells them: a field of every future that is exported, but
// which it does not fill in for most (hashicorp/raft future.go, deferError).
func (p *process) awaitFuture(f future) error {
	if index := shutdownField(reflect.TypeOf(f)); index != nil {
		reflect.ValueOf(f).Elem().FieldByIndex(index).Set(reflect.ValueOf(p.dead))
	}
	return f.Error()
}

// shutdownFields remembers what shutdownField found, by type.
var shutdownFields sync.Map

// shutdownField returns where a type of future has the channel that settle fills
// in, nil if it has none.
func shutdownField(future reflect.Type) []int {
	if known, ok := shutdownFields.Load(future); ok {
		return known.([]int)
	}
	var index []int
	if future.Kind() == reflect.Pointer && future.Elem().Kind() == reflect.Struct {
		if field, ok := future.Elem().FieldByName("ShutdownCh"); ok && field.Type == reflect.TypeFor[chan struct{}]() {
			index = field.Index
		}
	}
	shutdownFields.Store(future, index)
	return index
}

// withTimeout runs f and waits for its answer, for at most limit.
func withTimeout(limit time.Duration, f func() error) error {
	answer := make(chan error, 1)
	go func() { answer <- f() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-answer:
		return err
	case <-timer.C:
		return fmt.Errorf("%w (%s)", errNoReply, limit)
	}
}

// logWriter makes events of the library's own log.
type logWriter struct{ p *process }

func (w logWriter) Write(line []byte) (int, error) {
	w.p.emit(trace.Event{Kind: trace.KindLogLine, Text: strings.TrimRight(string(line), "\n")})
	return len(line), nil
}
