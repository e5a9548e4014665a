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

// The routes by which a client picks the node to ask. Any other route is the name of a node,
// which the client asks only once.
const (
	RouteLeader     = "leader"      // the leader as far as the clients know; they follow redirects
	RouteRoundRobin = "round-robin" // the nodes in turn
	RouteRandom     = "random"      // a random node for each attempt
)

// The consistency levels of a read, with rqlite's names.
const (
	LevelNone         = "none"         // any node's local value, which may be stale
	LevelWeak         = "weak"         // the local value of a node that believes it is the leader
	LevelLease        = "lease"        // the value of a leader whose lease is still valid by its own clock
	LevelLinearizable = "linearizable" // the leader's value, after a quorum confirms the leadership
	LevelStrong       = "strong"       // the value at an entry that the read appends to the log
)

// Levels lists the consistency levels of a read, weakest first.
var Levels = []string{LevelNone, LevelWeak, LevelLease, LevelLinearizable, LevelStrong}

// attempts is the number of attempts into which the clients' timeout is divided.
const attempts = 3

var (
	errDown      = errors.New("node is down")
	errNotLeader = errors.New("node is not the leader")
	errNoNode    = errors.New("no such node")
	errNoLevel   = errors.New("unknown read level")
)

// clientPool holds the idle clients and the state that all clients share.
type clientPool struct {
	mu       sync.Mutex // never held while waiting
	idle     []*client
	created  int           // number of clients so far
	seqBase  uint64        // sequence number from which each client counts
	ops      uint64        // number of operations so far
	leader   string        // leader hint, "" if unknown
	next     int           // position of round-robin
	stopLoad chan struct{} // closed to stop the load, nil without one
}

// client runs one operation at a time, like a process in Jepsen.
type client struct {
	c    *Inside
	name string
	seq  uint64
}

// acquire returns an idle client, a new one if there is none. The caller releases it.
func (c *Inside) acquire() *client {
	pool := &c.clients
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if last := len(pool.idle) - 1; last >= 0 {
		cl := pool.idle[last]
		pool.idle = pool.idle[:last]
		return cl
	}
	pool.created++
	return &client{c: c, name: fmt.Sprintf("c%d", pool.created), seq: pool.seqBase}
}

// release returns a client to the idle ones.
func (c *Inside) release(cl *client) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.clients.idle = append(c.clients.idle, cl)
}

// Add makes a client add delta to the counter and returns the operation with its outcome. It
// takes virtual time, at most the clients' timeout.
func (c *Inside) Add(delta int64, route string) trace.Op {
	cl := c.acquire()
	defer c.release(cl)
	return cl.add(delta, route)
}

// Read makes a client read the counter at a consistency level and returns the operation with
// its outcome. It takes virtual time, at most the clients' timeout.
func (c *Inside) Read(level, route string) trace.Op {
	cl := c.acquire()
	defer c.release(cl)
	return cl.read(level, route)
}

// Load starts clients that together send rate increments per second, until StopLoad or the
// next Load. Each client waits for its reply before the next increment, so slow replies reduce
// the rate.
func (c *Inside) Load(rate float64, clients int, route string) error {
	if !(rate >= 0.001 && rate <= 10_000) || clients < 1 || clients > 256 { // also rejects NaN
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

// loadClient runs one client of a load, with one increment per every. The clients start at
// different times, so their increments are spread evenly.
func (c *Inside) loadClient(route string, every, after time.Duration, stop chan struct{}) {
	cl := c.acquire()
	defer c.release(cl)
	due := c.Now() + after
	for {
		// Never start a timer that is already due: it would fire on this goroutine while
		// others of the bubble run, which crashes the race detector of Go 1.26 (runtime
		// time.go, unlockAndRun).
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

// StopLoad stops the load, if there is one.
func (c *Inside) StopLoad() {
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
	command := counter.Command{
		Op: counter.OpAdd, Client: cl.name, Seq: cl.seq, Session: cl.c.settings.Sessions, Delta: delta,
	}
	return cl.run(op, operation{command: command})
}

func (cl *client) read(level, route string) trace.Op {
	op := trace.Op{Client: cl.name, Kind: trace.EntryRead, Level: level, Route: route}
	if level == LevelStrong {
		cl.seq++
		op.Seq = cl.seq
	}
	command := counter.Command{Op: counter.OpRead, Client: cl.name, Seq: op.Seq}
	return cl.run(op, operation{command: command, level: level})
}

// run runs an operation: it asks nodes until one succeeds or fails for good, or the clients'
// timeout has passed. It emits the invocation and the return.
func (cl *client) run(op trace.Op, what operation) trace.Op {
	c := cl.c
	c.clients.mu.Lock()
	c.clients.ops++
	op.ID = c.clients.ops
	c.clients.mu.Unlock()
	op.Invoked = c.Now()
	invoked := op
	c.emit(trace.Event{Kind: trace.KindInvoked, Op: &invoked})

	deadline := op.Invoked + c.settings.ClientTimeout
	maybe := "" // why the outcome of an earlier attempt is unknown
	for {
		op.Attempts++
		op.Node = c.pickNode(op.Route)
		limit := deadline - c.Now()
		if !namesNode(op.Route) {
			limit = min(limit, c.settings.ClientTimeout/attempts)
		}
		value, err := c.call(op.Node, limit, what)
		op.Outcome, op.Value, op.Why = outcome(op, err), value, ""
		if op.Outcome == trace.OK {
			break
		}
		op.Why = fmt.Sprintf("%s: %v", op.Node, err)
		if op.Outcome == trace.Unknown {
			maybe = op.Why
		}
		final := errors.Is(err, counter.ErrOverflow) || errors.Is(err, errNoLevel) || namesNode(op.Route)
		if final || c.isClosing.Load() || c.Now()+c.lastAttempt() >= deadline {
			break
		}
		if op.Attempts > 1 || !c.isRedirected(op) {
			c.Sleep(retryEvery)
		}
	}
	if op.Outcome == trace.Failed && maybe != "" {
		op.Outcome, op.Why = trace.Unknown, maybe
	}
	op.Returned = c.Now()
	returned := op
	c.emit(trace.Event{Kind: trace.KindReturned, Op: &returned})
	return op
}

// lastAttempt is how much time a client must have left to ask again. In real time an answer takes a
// while on a busy machine, and without one the outcome would be unknown.
func (c *Inside) lastAttempt() time.Duration {
	if c.machines == nil {
		return retryEvery
	}
	return retryEvery + c.settings.ClientTimeout/attempts/2
}

// isRedirected reports whether the node that was asked has named another leader. A client follows
// its first redirect at once.
func (c *Inside) isRedirected(op trace.Op) bool {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	return op.Route == RouteLeader && c.clients.leader != "" && c.clients.leader != op.Node
}

// outcome returns the outcome of an operation whose attempt returned err. Failed means that it
// certainly had no effect. A read has no side effect, so a read without an answer has failed,
// not unknown.
func outcome(op trace.Op, err error) trace.Outcome {
	switch {
	case err == nil:
		return trace.OK
	case op.Kind == trace.EntryRead, isRejected(err), errors.Is(err, counter.ErrOverflow),
		errors.Is(err, errDown), errors.Is(err, errNoNode), errors.Is(err, errNotLeader):
		return trace.Failed
	}
	return trace.Unknown
}

// namesNode reports whether a route is the name of a node.
func namesNode(route string) bool {
	return route != RouteLeader && route != RouteRoundRobin && route != RouteRandom
}

// pickNode returns the name of the node that a route leads to. Without a leader hint, the
// route to the leader tries the nodes in turn.
func (c *Inside) pickNode(route string) string {
	nodes := c.allNodes()
	if namesNode(route) || len(nodes) == 0 {
		return route
	}
	pool := &c.clients
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if route == RouteLeader && pool.leader != "" {
		return pool.leader
	}
	if route == RouteRandom {
		c.mu.Lock()
		defer c.mu.Unlock()
		return nodes[c.rng.IntN(len(nodes))].name
	}
	pool.next++
	return nodes[pool.next%len(nodes)].name
}

// call asks a node's process for a client, which waits for at most limit of virtual time. The
// result updates the leader hint. After errNoReply, the operation may still take effect.
func (c *Inside) call(name string, limit time.Duration, what operation) (int64, error) {
	n := c.find(name)
	if n == nil {
		c.setLeaderHint("")
		return 0, errNoNode
	}
	p := n.server()
	if p == nil || !p.isReady() {
		c.setLeaderHint("")
		return 0, errDown
	}
	answers := make(chan answer, 1)
	go func() {
		defer c.bubble.Catch()
		answers <- p.operate(what)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-answers:
		switch {
		case a.err == nil, errors.Is(a.err, counter.ErrOverflow):
			if a.leads {
				c.setLeaderHint(name)
			}
		case errors.Is(a.err, errNotLeader), errors.Is(a.err, raft.ErrNotLeader):
			c.setLeaderHint(a.leader)
		default:
			c.setLeaderHint("")
		}
		return a.value, a.err
	case <-timer.C:
		c.setLeaderHint("")
		return 0, errNoReply
	}
}

// setLeaderHint records the node that clients take for the leader, "" if unknown.
func (c *Inside) setLeaderHint(leader string) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.clients.leader = leader
}

// propose appends a command to the log and waits until it is applied.
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
