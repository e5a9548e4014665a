//go:build !wasip1

package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// AgentConfig describes the node that an [Agent] runs.
type AgentConfig struct {
	Boot control.Boot
	// Driver is who has started the process, nil if it runs by itself.
	Driver *control.Conn
	// Stream makes the stream layer of raft's transport. It calls mark before each write and writes
	// the result with it; it calls seen with the mark of another node before raft gets what came
	// with it.
	Stream func(mark func() uint64, seen func(node string, mark uint64)) (raft.StreamLayer, error)
}

// Agent runs one node of a cluster in this process, in real time, with raft's own transport. It
// reports its events to whoever drives it, and does what that one asks.
type Agent struct {
	in      *Inside
	clock   *vtime.Clock
	node    *node
	outbox  *outbox
	booted  chan struct{} // closed once the driver knows whether raft runs
	bootErr error         // why it does not
	ended   chan struct{} // closed when the node's process ends by itself
	endErr  error         // then
	once    sync.Once
}

// StartAgent starts the node. Its raft starts soon after, which the driver is told.
func StartAgent(cfg AgentConfig) (*Agent, error) {
	boot := cfg.Boot
	if err := ValidateSettings(boot.Settings); err != nil {
		return nil, err
	}
	a := &Agent{booted: make(chan struct{}), ended: make(chan struct{})}
	in := &Inside{stream: &trace.Stream{}, settings: boot.Settings}
	in.storeTimeouts(boot.Settings)
	in.nodes.Store(new([]*node))
	a.in, a.outbox = in, newOutbox(boot, cfg.Driver, a.finish)
	layer, err := cfg.Stream(a.outbox.mark, a.outbox.see)
	if err != nil {
		return nil, err
	}
	in.connect = func(p *process) endpoint { return newNetEndpoint(p, layer) }
	in.stream.AddSink(a.outbox)
	a.clock = vtime.StartReal(func(b *vtime.Bubble) {
		in.bubble, in.closing = b, make(chan struct{})
		in.rng = rand.New(rand.NewPCG(uint64(boot.Seed), 0))
		b.OnClose(in.close)
		if a.node, err = in.newNode(boot.Name); err != nil {
			return
		}
		if err = a.setUp(boot); err == nil {
			b.Go(in.poll)
			b.Go(func() { a.boot(configurationOf(boot.First)) })
		}
	})
	if err := errors.Join(err, a.clock.Err()); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// setUp prepares the node's disk and faults.
func (a *Agent) setUp(boot control.Boot) error {
	// What is called memory is a file too: the memory of a process dies with it.
	a.node.storage = boltStorage{path: boot.Dir, noSync: boot.Settings.Storage == Memory}
	if err := a.node.storage.create(); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	fault, err := faults.ParseDiskFault(boot.Disk)
	if err != nil {
		return err
	}
	if fault != nil {
		a.node.currentDisk().SetFault(fault)
	}
	if boot.Factor != 0 {
		a.node.clockFactor = boot.Factor
	}
	a.node.slowApply(boot.Apply)
	return nil
}

// boot starts the node's process, and tells the driver.
func (a *Agent) boot(first raft.Configuration) {
	ready := &control.Ready{}
	if err := a.node.boot(first); err != nil {
		ready.Error = err.Error()
	}
	a.outbox.send(&control.FromNode{Ready: ready})
	if ready.Error != "" {
		a.bootErr = errors.New(ready.Error)
		a.finish(a.bootErr)
	}
	close(a.booted)
}

// finish ends the agent, because the node's process has ended.
func (a *Agent) finish(err error) {
	a.once.Do(func() {
		a.endErr = err
		go func() { <-a.booted; close(a.ended) }()
	})
}

// AwaitBoot waits until raft runs, and returns why it does not.
func (a *Agent) AwaitBoot() error {
	<-a.booted
	return a.bootErr
}

// Done returns a channel that is closed when the node's process has ended by itself, and Err says
// why.
func (a *Agent) Done() <-chan struct{} { return a.ended }

// Err returns why Done is closed.
func (a *Agent) Err() error { return a.endErr }

// Serve carries out what a driver asks, until the connection ends. The driver gets the node's state
// first, unless it has started the process.
func (a *Agent) Serve(driver *control.Conn, hello control.Hello) error {
	if driver != a.outbox.first {
		if err := a.begin(driver, hello); err != nil {
			return err
		}
		defer a.outbox.leave(driver)
	}
	for {
		var m control.ToNode
		if err := driver.Receive(&m); err != nil {
			return err
		}
		if m.Request != nil {
			go func() {
				reply := a.answer(m.Request)
				reply.ID = m.Request.ID
				a.outbox.sendTo(driver, &control.FromNode{Reply: &reply})
			}()
		}
	}
}

// begin gives a driver the state of the node. It refuses the driver if another one is there, and does
// not leave soon: one that has just quit may still have to be noticed.
func (a *Agent) begin(driver *control.Conn, hello control.Hello) error {
	err := a.in.streamTo(a.outbox, driver, hello, a.node.name)
	for range leaveTimeout / readPollEvery {
		if !errors.Is(err, errDriven) {
			return err
		}
		a.in.Sleep(readPollEvery)
		err = a.in.streamTo(a.outbox, driver, hello, a.node.name)
	}
	if errors.Is(err, errDriven) {
		err = errors.Join(err, driver.Send(&control.FromNode{Ready: &control.Ready{Error: err.Error()}}), driver.Flush())
	}
	return err
}

// leaveTimeout is how long a driver that has quit may take to be noticed.
const leaveTimeout = time.Second

// answer carries out a request.
func (a *Agent) answer(r *control.Request) (reply control.Reply) {
	switch r.Operation {
	case control.Timeouts:
		setError(&reply, a.setTimeouts(r))
	case control.SetDisk:
		setError(&reply, a.setDisk(r.Fault))
	case control.SetApply:
		a.node.slowApply(r.Timeout)
	case control.LosePower:
		setError(&reply, a.node.stop(trace.Off, ""))
	case control.Die:
		setError(&reply, killSelf())
	case control.Propose, control.Read, control.AddVoter, control.AddNonvoter, control.Demote, control.Remove,
		control.Transfer, control.Snapshot:
		a.ask(r, &reply)
	default:
		setError(&reply, fmt.Errorf("unknown request %q", r.Operation))
	}
	return reply
}

// ask carries out a request that raft has to answer.
func (a *Agent) ask(r *control.Request, reply *control.Reply) {
	p := a.node.running()
	switch {
	case p == nil || !p.isReady():
		setError(reply, errDown)
	case r.Operation == control.Propose:
		p.operate(operation{command: r.Command}).writeTo(reply)
	case r.Operation == control.Read:
		p.operate(operation{command: r.Command, level: r.Level}).writeTo(reply)
	default:
		setError(reply, p.request(*r, a.in.settings.ClientTimeout))
	}
}

// killSelf ends this process as SIGKILL does.
func killSelf() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Kill()
}

// writeTo puts the answer to a client into a reply.
func (a answer) writeTo(reply *control.Reply) {
	reply.Value, reply.Leads, reply.Leader = a.value, a.leads, a.leader
	setError(reply, a.err)
}

// setDisk sets the fault of the node's disk.
func (a *Agent) setDisk(text string) error {
	fault, err := faults.ParseDiskFault(text)
	if err == nil {
		a.node.currentDisk().SetFault(fault)
	}
	return err
}

// setTimeouts gives the node other timeouts and another clock factor.
func (a *Agent) setTimeouts(r *control.Request) error {
	if r.Settings == nil || r.Factor <= 0 {
		return errors.New("timeouts without settings")
	}
	a.in.storeTimeouts(*r.Settings)
	a.node.mu.Lock()
	a.node.clockFactor = r.Factor
	a.node.mu.Unlock()
	if p := a.node.running(); p != nil {
		return p.reloadTimeouts()
	}
	return nil
}

// Close stops the node.
func (a *Agent) Close() error { return a.clock.Close() }
