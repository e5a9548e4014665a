package cluster

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"
)

// pollEvery is how often, in virtual time, raft's own state is compared with the events, to
// catch the few changes that no hook reports.
const pollEvery = 100 * time.Millisecond

// Inside is a running cluster, seen from inside virtual time: its nodes, network and clients.
// [Cluster.Do] and [Cluster.Go] hand it to a function on a goroutine of the bubble. Only
// goroutines of the bubble may call its methods, some of which take virtual time.
type Inside struct {
	bubble *vtime.Bubble
	stream *trace.Stream
	checks *check.Checker // nil if unchecked
	dir    *dataDir       // nil with memory storage

	settings trace.Settings // with which the cluster was opened; see currentSettings
	timeouts atomic.Pointer[timeouts]
	tamper   func(*raftDeps) // nil except in tests

	wiring
	outside

	closing   chan struct{} // closed when the cluster shuts down; a channel of the bubble
	isClosing atomic.Bool

	mu      sync.Mutex              // never held while waiting
	nodes   atomic.Pointer[[]*node] // replaced under mu, never changed in place
	rng     *rand.Rand              // for seeds of disks and random routes; guarded by mu
	clients clientPool
}

// wiring joins the nodes.
type wiring struct {
	network Network                 // nil in an agent
	packets *faults.Network         // the same in virtual time, otherwise nil
	connect func(*process) endpoint // joins a process to the network
}

// outside is what a cluster has whose nodes run outside of this process.
type outside struct {
	machines Machines       // nil if the nodes run in this process
	order    *order         // of their events
	booting  sync.WaitGroup // the nodes with which the cluster starts
	// unstarted is why the process of one of them cannot be started at all, nil if all can.
	unstarted atomic.Pointer[startError]
}

// Trace returns the stream of the cluster's events.
func (c *Inside) Trace() *trace.Stream { return c.stream }

// Now returns the virtual time since the cluster started. A fork continues the time of the
// cluster it was forked from.
func (c *Inside) Now() time.Duration { return c.bubble.Now() }

// Go runs f on a goroutine of the bubble.
func (c *Inside) Go(f func()) { c.bubble.Go(f) }

// Sleep waits for d of virtual time, or until the cluster shuts down.
func (c *Inside) Sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.closing:
	}
}

// OverProcesses reports whether the nodes are processes of the operating system, in real time.
func (c *Inside) OverProcesses() bool { return c.machines != nil }

// OwnsNodes reports whether the nodes' processes and files are in the hands of this program.
func (c *Inside) OwnsNodes() bool { return c.machines == nil || c.machines.Own() }

// BreaksLinks reports whether the links between the nodes can fail.
func (c *Inside) BreaksLinks() bool { return c.refuse(faults.Cut{}) == nil }

// Closed reports whether the cluster is shutting down.
func (c *Inside) Closed() bool { return c.isClosing.Load() }

// Closing returns a channel that is closed when the cluster shuts down.
func (c *Inside) Closing() <-chan struct{} { return c.closing }

// AwaitVerdicts blocks, in real time, until the checks have judged all events so far. Virtual
// time stands still until it returns.
func (c *Inside) AwaitVerdicts() {
	if c.checks != nil {
		c.checks.Await()
	}
}

// Note emits a text as an event: a command, a caption or a chapter. language is the language
// of the text, "" for the scenario's own.
func (c *Inside) Note(kind trace.Kind, language, text string) {
	c.emit(trace.Event{Kind: kind, Peer: language, Text: text})
}

// Ask emits a question as it is now: asked, answered or judged. It must not change afterwards.
func (c *Inside) Ask(q *trace.Question) { c.emit(trace.Event{Kind: trace.KindQuestion, Question: q}) }

// emit sends an event to the stream, with the current virtual time.
func (c *Inside) emit(e trace.Event) {
	defer c.bubble.Catch()
	e.At = c.bubble.Now()
	c.stream.Emit(e)
}

// emitRefused emits an error that has no caller to return it to. It ignores nil.
func (c *Inside) emitRefused(err error) {
	if err != nil {
		c.emit(trace.Event{Kind: trace.KindRefused, Text: err.Error()})
	}
}

// poll compares raft's own state with the events every pollEvery.
func (c *Inside) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, n := range c.allNodes() {
				if p := n.running(); p != nil {
					p.reconcileRole()
					p.observe()
				}
			}
			if c.order != nil {
				c.order.expire()
			}
		case <-c.closing:
			return
		}
	}
}

// killAll kills all processes at once: none of them stores, sends or emits anything after it. It
// takes no virtual time. Only [Inside.close] may follow.
func (c *Inside) killAll() {
	c.isClosing.Store(true)
	for _, n := range c.allNodes() {
		if s := n.server(); s != nil {
			c.emitRefused(s.kill())
		}
	}
}

// close stops everything that would otherwise run forever. It runs inside.
func (c *Inside) close() {
	c.isClosing.Store(true)
	close(c.closing)
	var stopping sync.WaitGroup
	for _, n := range c.allNodes() {
		n.currentDisk().ClearFault() // otherwise a lying disk would lose the writes it holds back
		stopping.Go(func() { c.emitRefused(n.stop(trace.Killed, "")) })
	}
	stopping.Wait()
	if c.network != nil {
		c.network.Close()
	}
	if c.machines != nil {
		c.emitRefused(c.machines.Close())
	}
}
