package cluster

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// The routes by which a client chooses whom to ask; any other route is the name
// of a node, which is asked once.
const (
	RouteLeader     = "leader"      // who it thinks leads; it follows redirects
	RouteRoundRobin = "round-robin" // one node after the other
	RouteRandom     = "random"
)

// The levels of a read, named as rqlite names them.
const (
	LevelNone         = "none"         // what the node has; may be stale
	LevelWeak         = "weak"         // what a node has that thinks it leads
	LevelLinearizable = "linearizable" // what a leader has that made sure it still leads
	LevelStrong       = "strong"       // what the log says, with an entry of its own
)

// Levels are the levels of a read, weakest first.
var Levels = []string{LevelNone, LevelWeak, LevelLinearizable, LevelStrong}

// attempts is into how many tries the clients' timeout is divided.
const attempts = 3

var (
	errDown      = errors.New("node is down")
	errNotLeader = errors.New("node is not the leader")
	errNoNode    = errors.New("no such node")
	errNoLevel   = errors.New("unknown read level")
)

// clientPool is where the clients sit.
type clientPool struct {
	mu       sync.Mutex // never held while waiting
	idle     []*client
	created  int    // how many there are
	seqBase  uint64 // where their sequence numbers start
	ops      uint64 // how many operations were invoked
	leader   string // who they think leads, "" if they do not know
	next     int    // whom round-robin asks next
	stopLoad chan struct{}
}

// client has one operation under way at most, as a process of Jepsen does.
type client struct {
	c    *Cluster
	name string
	seq  uint64
}

// acquire returns a client that has nothing under way.
func (c *Cluster) acquire() *client {
	d := &c.clients
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := len(d.idle) - 1; last >= 0 {
		cl := d.idle[last]
		d.idle = d.idle[:last]
		return cl
	}
	d.created++
	return &client{c: c, name: fmt.Sprintf("c%d", d.created), seq: d.seqBase}
}

func (c *Cluster) release(cl *client) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.clients.idle = append(c.clients.idle, cl)
}

// Add has a client add delta to the counter, and returns the operation with its
// outcome. It takes virtual time, at most the clients' timeout.
func (c *Cluster) Add(delta int64, route string) trace.Op {
	cl := c.acquire()
	defer c.release(cl)
	return cl.add(delta, route)
}

// Read has a client read the counter. It takes virtual time, at most the
// clients' timeout.
func (c *Cluster) Read(level, route string) trace.Op {
	cl := c.acquire()
	defer c.release(cl)
	return cl.read(level, route)
}

// Load has clients together send rate increments a second until StopLoad, in
// place of an earlier load. Each waits for its answer before it goes on, so that
// slow answers make the load smaller.
func (c *Cluster) Load(rate float64, clients int, route string) error {
	if !(rate >= 0.001 && rate <= 10_000) || clients < 1 || clients > 256 { // also not a number
		return fmt.Errorf("load of %g/s from %d clients: use a rate of 0.001 to 10000/s and 1 to 256 clients", rate, clients)
	}
	c.StopLoad()
	stop := make(chan struct{})
	c.clients.mu.Lock()
	c.clients.stopLoad = stop
	c.clients.mu.Unlock()
	every := time.Duration(float64(clients) / rate * float64(time.Second))
	for i := range clients {
		c.bubble.Go(func() { c.loadClient(route, every, every*time.Duration(i)/time.Duration(clients), stop) })
	}
	return nil
}

// loadClient is one client of a load, which starts after a while so that the
// clients take turns.
func (c *Cluster) loadClient(route string, every, after time.Duration, stop chan struct{}) {
	cl := c.acquire()
	defer c.release(cl)
	due := c.Now() + after
	for {
		// A timer that is due already would run on this goroutine, at the same time
		// as others of the bubble, which crashes the race detector of Go 1.26
		// (runtime time.go, unlockAndRun).
		if wait := due - c.Now(); wait > 0 {
			select {
			case <-time.After(wait):
			case <-stop:
			case <-c.closing:
			}
		}
		select {
		case <-stop:
			return
		case <-c.closing:
			return
		default:
		}
		cl.add(1, route)
		due = max(due+every, c.Now())
	}
}

// StopLoad ends the load, if there is one.
func (c *Cluster) StopLoad() {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	if c.clients.stopLoad != nil {
		close(c.clients.stopLoad)
		c.clients.stopLoad = nil
	}
}

func (cl *client) add(delta int64, route string) trace.Op {
	cl.seq++
	op := trace.Op{Client: cl.name, Kind: trace.EntryAdd, Delta: delta, Route: route, Seq: cl.seq}
	command := counter.Command{Op: counter.OpAdd, Client: cl.name, Seq: cl.seq, Session: cl.c.settings.Sessions, Delta: delta}
	return cl.run(op, func(p *process) (int64, error) { return p.propose(command) })
}

func (cl *client) read(level, route string) trace.Op {
	op := trace.Op{Client: cl.name, Kind: trace.EntryRead, Level: level, Route: route}
	if level == LevelStrong {
		cl.seq++
		op.Seq = cl.seq
	}
	command := counter.Command{Op: counter.OpRead, Client: cl.name, Seq: op.Seq}
	return cl.run(op, func(p *process) (int64, error) { return p.read(level, command) })
}

// run carries an operation out: it asks nodes until one answers, the answer is
// final, or time is up.
func (cl *client) run(op trace.Op, f func(*process) (int64, error)) trace.Op {
	c := cl.c
	c.clients.mu.Lock()
	c.clients.ops++
	op.ID = c.clients.ops
	c.clients.mu.Unlock()
	op.Invoked = c.Now()
	invoked := op
	c.emit(trace.Event{Kind: trace.KindInvoked, Op: &invoked})

	deadline := op.Invoked + c.settings.ClientTimeout
	maybe := "" // why an earlier try may have counted
	for {
		op.Attempts++
		op.Node = c.pickNode(op.Route)
		limit := deadline - c.Now()
		if !namesNode(op.Route) {
			limit = min(limit, c.settings.ClientTimeout/attempts)
		}
		value, err := c.call(op.Node, limit, f)
		op.Outcome, op.Value, op.Why = outcome(op, err), value, ""
		if op.Outcome == trace.OK {
			break
		}
		op.Why = fmt.Sprintf("%s: %v", op.Node, err)
		if op.Outcome == trace.Unknown {
			maybe = op.Why
		}
		final := errors.Is(err, counter.ErrOverflow) || errors.Is(err, errNoLevel) || namesNode(op.Route) || c.isClosing.Load()
		if final || c.Now()+retryEvery >= deadline {
			break
		}
		c.sleep(retryEvery)
	}
	if op.Outcome == trace.Failed && maybe != "" {
		op.Outcome, op.Why = trace.Unknown, maybe
	}
	op.Returned = c.Now()
	returned := op
	c.emit(trace.Event{Kind: trace.KindReturned, Op: &returned})
	return op
}

// outcome says what an error means for an operation. A read has no effect that
// could still come, so without an answer it has failed.
func outcome(op trace.Op, err error) trace.Outcome {
	switch {
	case err == nil:
		return trace.OK
	case op.Kind == trace.EntryRead,
		errors.Is(err, errDown), errors.Is(err, errNoNode), errors.Is(err, errNotLeader), errors.Is(err, counter.ErrOverflow),
		errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return trace.Failed
	}
	return trace.Unknown
}

// namesNode says whether a route is the name of a node.
func namesNode(route string) bool {
	return route != RouteLeader && route != RouteRoundRobin && route != RouteRandom
}

// pickNode chooses whom to ask.
func (c *Cluster) pickNode(route string) string {
	nodes := c.allNodes()
	if namesNode(route) || len(nodes) == 0 {
		return route
	}
	d := &c.clients
	d.mu.Lock()
	defer d.mu.Unlock()
	if route == RouteLeader && d.leader != "" {
		return d.leader
	}
	if route == RouteRandom {
		c.mu.Lock()
		defer c.mu.Unlock()
		return nodes[c.rng.IntN(len(nodes))].name
	}
	d.next++
	return nodes[d.next%len(nodes)].name
}

// call has a node do something for a client, which waits for at most limit. From
// the answer the clients learn who leads.
func (c *Cluster) call(name string, limit time.Duration, f func(*process) (int64, error)) (int64, error) {
	n := c.find(name)
	if n == nil {
		c.setLeaderHint("")
		return 0, errNoNode
	}
	p := n.running()
	if p == nil || p.raft.Load() == nil {
		c.setLeaderHint("")
		return 0, errDown
	}
	type answer struct {
		value int64
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer c.bubble.Catch()
		p.fsm.gate.wait() // a paused process finds the request when it goes on
		value, err := f(p)
		answers <- answer{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-answers:
		switch {
		case a.err == nil, errors.Is(a.err, counter.ErrOverflow):
			if p.raft.Load().State() == raft.Leader {
				c.setLeaderHint(name)
			}
		case errors.Is(a.err, errNotLeader), errors.Is(a.err, raft.ErrNotLeader):
			_, leader := p.raft.Load().LeaderWithID()
			c.setLeaderHint(string(leader))
		default:
			c.setLeaderHint("")
		}
		return a.value, a.err
	case <-timer.C:
		c.setLeaderHint("")
		return 0, errNoReply
	}
}

func (c *Cluster) setLeaderHint(leader string) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.clients.leader = leader
}

// propose puts a command into the log and waits until it is applied.
func (p *process) propose(command counter.Command) (int64, error) {
	data, err := command.Encode()
	if err != nil {
		return 0, err
	}
	future := p.raft.Load().Apply(data, p.c.settings.ClientTimeout)
	if err := p.awaitFuture(future); err != nil {
		return 0, err
	}
	result, ok := future.Response().(counter.Result)
	if !ok {
		return 0, fmt.Errorf("the counter returned a %T", future.Response())
	}
	return result.Value, result.Err
}
