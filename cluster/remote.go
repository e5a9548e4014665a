package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// bootTimeout is how long a process may take from its start until its raft runs.
const bootTimeout = 30 * time.Second

// remote is a node's process outside of this program.
type remote struct {
	c       *Inside
	node    *node
	process Machine

	ready      atomic.Bool
	started    chan error    // takes whether raft runs
	gone       chan struct{} // closed when the process has ended and all of its events are told
	received   atomic.Uint64 // messages
	stopping   atomic.Bool   // a command ends the process
	handedTerm atomic.Uint64 // see standing

	mu      sync.Mutex
	lastID  uint64
	replies map[uint64]chan control.Reply // by request
}

// startError is why a process cannot be started.
type startError struct {
	node  string
	cause error
}

func (e *startError) Error() string { return fmt.Sprintf("%s failed to start: %v", e.node, e.cause) }
func (e *startError) Unwrap() error { return e.cause }

// bootRemote starts the process of a node outside of this program. The caller holds the node's
// lifecycle lock.
func (n *node) bootRemote(first raft.Configuration) error {
	n.count++
	machine, err := n.c.machines.Start(n.bootOrder(first))
	if err != nil {
		if n.c.machines.Own() {
			n.setState(trace.Crashed, err.Error())
		}
		return &startError{n.name, err}
	}
	if err := n.adopt(machine); err != nil {
		return fmt.Errorf("%s failed to start: %w", n.name, err)
	}
	return nil
}

// adopt makes a process that of the node, and waits until its raft runs. The caller holds the node's
// lifecycle lock.
func (n *node) adopt(machine Machine) error {
	r := &remote{
		c: n.c, node: n, process: machine,
		started: make(chan error, 1), gone: make(chan struct{}), replies: map[uint64]chan control.Reply{},
	}
	hello := machine.Hello()
	n.c.order.begin(n.name, hello.Run, hello.Events)
	n.mu.Lock()
	n.remote.Store(r)
	n.mu.Unlock()
	n.c.bubble.Go(r.receive)
	select {
	case err := <-r.started:
		return err
	case <-r.gone:
		return errors.New("its process ended at once")
	case <-time.After(bootTimeout):
		return errors.Join(fmt.Errorf("its process did not come up within %s", bootTimeout), r.process.Kill())
	}
}

// bootOrder returns what a new process of the node has to know.
func (n *node) bootOrder(first raft.Configuration) control.Boot {
	boot := control.Boot{
		Protocol: control.Protocol, Name: n.name, Run: n.count, Settings: n.c.currentSettings(), First: serversOf(first),
	}
	if n.c.dir != nil {
		boot.Dir = n.c.dir.nodePath(n.name)
	}
	if fault := n.currentDisk().Fault(); fault != nil {
		boot.Disk = fault.String()
	}
	n.c.mu.Lock()
	boot.Seed = n.c.rng.Int64()
	n.c.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	boot.Apply, boot.Factor = n.applyDelay, n.clockFactor
	return boot
}

// receive passes the messages of the process on, until it ends.
func (r *remote) receive() {
	for {
		var m control.FromNode
		if err := r.process.Receive(&m); err != nil {
			break
		}
		r.received.Add(1)
		report := &report{source: r.node.name, after: m.After, tell: func() { r.take(&m) }}
		if m.Event != nil {
			report.events = 1
		}
		r.c.order.add(report)
	}
	state, why := r.process.Wait()
	r.c.order.end(r.node.name, func() { r.end(state, why) })
}

// take takes a message in its place in the order.
func (r *remote) take(m *control.FromNode) {
	switch {
	case m.Event != nil:
		r.takeEvent(m.Event)
	case m.State != nil:
		r.takeEvent(m.State)
	case m.Ready != nil:
		var err error
		if m.Ready.Error != "" {
			err = errors.New(m.Ready.Error)
		}
		r.ready.Store(err == nil)
		select {
		case r.started <- err:
		default:
		}
	case m.Reply != nil:
		r.mu.Lock()
		reply := r.replies[m.Reply.ID]
		delete(r.replies, m.Reply.ID)
		r.mu.Unlock()
		if reply != nil {
			reply <- *m.Reply
		}
	}
}

// takeEvent takes an event of the node.
func (r *remote) takeEvent(e *trace.Event) {
	switch e.Kind {
	case trace.KindProcess:
		if !e.Process.Running() {
			r.ready.Store(false)
		}
		r.node.setState(e.Process, e.Text)
		return
	case trace.KindDamage: // the fault has done what it does once
		r.node.currentDisk().ClearFault()
	case trace.KindReason:
		if e.Reason != nil && e.Reason.Decision == trace.StartElection && e.Reason.Cause == trace.Transferred {
			r.handedTerm.Store(e.Reason.Term)
		}
	case trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLeader, trace.KindConfig, trace.KindLoaded,
		trace.KindAppended, trace.KindTruncated, trace.KindCompacted, trace.KindCommitted, trace.KindApplied,
		trace.KindSnapshot, trace.KindInstalled, trace.KindRecovered, trace.KindLogLine:
	default:
		return // nothing else is for a node to say
	}
	told := *e
	told.Node = r.node.name
	r.c.emit(told)
}

// end takes the end of the process, after its last event.
func (r *remote) end(state trace.ProcessState, why string) {
	r.ready.Store(false)
	if r.node.remote.Load() == r && !r.stopping.Load() {
		r.node.setEnd(state, why)
	}
	close(r.gone)
	if !r.c.machines.Own() {
		r.c.bubble.Go(r.node.reconnect)
	}
}

// reconnectEvery is how often a program tries to reach a node that it has lost.
const reconnectEvery = time.Second

// reconnect drives a node again that runs elsewhere, once it answers.
func (n *node) reconnect() {
	for !n.c.isClosing.Load() {
		n.c.Sleep(reconnectEvery)
		if n.reconnectOnce() {
			return
		}
	}
}

// reconnectOnce reports whether the node is driven again.
func (n *node) reconnectOnce() bool {
	n.lock()
	defer n.unlock()
	if n.server() != nil || n.c.isClosing.Load() {
		return true
	}
	machine, err := n.c.machines.Start(n.bootOrder(raft.Configuration{}))
	if err != nil {
		return false
	}
	n.c.emitRefused(n.adopt(machine)) // if it ends again, its end reconnects
	return true
}

// isReady reports whether its raft runs.
func (r *remote) isReady() bool { return r.ready.Load() }

// standing returns what the node has reported about its place in the cluster.
func (r *remote) standing() (at standing) {
	r.c.stream.Read(func(s *trace.State) {
		if n := s.Node(r.node.name); n != nil {
			at = standing{leads: n.Role == trace.Leader, term: n.Term, commit: n.Commit, leader: n.Leader, servers: n.Servers}
		}
	})
	at.handedTerm = r.handedTerm.Load()
	return at
}

// operate asks the process. If it ends before it answers, the outcome is unknown.
func (r *remote) operate(o operation) answer {
	request := control.Request{Operation: control.Propose, Command: o.command, Level: o.level}
	if o.level != "" {
		request.Operation = control.Read
	}
	reply, err := r.ask(context.Background(), request)
	if err != nil {
		return answer{err: err}
	}
	return answer{value: reply.Value, err: errorOf(&reply), leads: reply.Leads, leader: reply.Leader}
}

// request makes a request and waits for its result.
func (r *remote) request(request control.Request, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	reply, err := r.ask(ctx, request)
	if err != nil {
		return err
	}
	return errorOf(&reply)
}

// ask sends a request and waits for the reply. The error is errNoReply after the context's end, and
// raft.ErrRaftShutdown if the process ends.
func (r *remote) ask(ctx context.Context, request control.Request) (control.Reply, error) {
	reply := make(chan control.Reply, 1)
	r.mu.Lock()
	r.lastID++
	request.ID = r.lastID
	r.replies[request.ID] = reply
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.replies, request.ID)
		r.mu.Unlock()
	}()
	if err := r.process.Send(control.ToNode{Request: &request}); err != nil {
		return control.Reply{}, raft.ErrRaftShutdown
	}
	select {
	case got := <-reply:
		return got, nil
	case <-r.gone:
		return control.Reply{}, raft.ErrRaftShutdown
	case <-ctx.Done():
		return control.Reply{}, errNoReply
	}
}

// tellTimeout is how long a process may take to take a fault or a setting.
const tellTimeout = 2 * time.Second

// tell makes a request that takes no time. A paused process carries it out when it resumes.
func (r *remote) tell(request control.Request) error {
	if r.node.requireState("tell", trace.Paused) == nil {
		return r.process.Send(control.ToNode{Request: &request})
	}
	return r.request(request, tellTimeout)
}

// reloadTimeouts gives the process its present timeouts.
func (r *remote) reloadTimeouts() error {
	s := r.c.currentSettings()
	if err := r.tell(control.Request{Operation: control.Timeouts, Settings: &s, Factor: r.node.factor()}); err != nil {
		return fmt.Errorf("%s: %w", r.node.name, err)
	}
	return nil
}

// setDisk sets the fault of the process's disk, nil for none.
func (r *remote) setDisk(fault faults.DiskFault) error {
	text := ""
	if fault != nil {
		text = fault.String()
	}
	return r.tell(control.Request{Operation: control.SetDisk, Fault: text})
}

// quietPoll is how often a pause looks whether the last messages of a process have come.
const quietPoll = 5 * time.Millisecond

// pause stops the process. What it reported before is told first.
func (r *remote) pause() error {
	if err := r.process.Pause(); err != nil {
		return fmt.Errorf("cannot pause %s: %w", r.node.name, err)
	}
	for before := r.received.Load() + 1; before != r.received.Load(); {
		before = r.received.Load()
		r.c.Sleep(quietPoll)
	}
	r.node.setState(trace.Paused, "")
	return nil
}

// kill ends the process at once. When the cluster is closed, one that runs elsewhere runs on.
func (r *remote) kill() error {
	if r.c.isClosing.Load() && !r.c.machines.Own() {
		return r.process.Leave()
	}
	return r.process.Kill()
}

// stopRemote ends the node's process and sets its state. The caller holds the lifecycle lock.
func (n *node) stopRemote(r *remote, state trace.ProcessState, why string) error {
	r.stopping.Store(true)
	if (n.currentDisk().Fault() == faults.Lie{}) {
		if err := r.leaveLyingDisk(state); err != nil {
			return err
		}
	}
	if err := r.kill(); err != nil {
		return fmt.Errorf("cannot kill %s: %w", n.name, err)
	}
	select {
	case <-r.gone:
	case <-time.After(stopTimeout):
		return fmt.Errorf("the process of %s did not end within %s", n.name, stopTimeout)
	}
	if n.requireState("stop", state) != nil {
		n.setEnd(state, why)
	}
	return nil
}

// setEnd sets the state after the process has ended. The end of the cluster is no event: what runs
// elsewhere runs on.
func (n *node) setEnd(state trace.ProcessState, why string) {
	if n.c.isClosing.Load() {
		n.setStateSilently(state)
		return
	}
	n.setState(state, why)
}

// leaveLyingDisk ends the work of a process whose disk lies. Only the process itself knows what the
// disk has not written: with the power that is lost, with the process alone it is not.
func (r *remote) leaveLyingDisk(state trace.ProcessState) error {
	_ = r.process.Resume() // a stopped process cannot answer
	operation := control.SetDisk
	if state == trace.Off {
		operation = control.LosePower
	}
	err := r.request(control.Request{Operation: operation}, tellTimeout)
	if err != nil && !errors.Is(err, raft.ErrRaftShutdown) {
		return fmt.Errorf("cannot stop %s, whose disk lies: %w", r.node.name, err)
	}
	return nil
}
