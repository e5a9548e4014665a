package faults

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// call is one RPC, seen from its caller.
type call struct {
	packet    inflight // the request; once that is served, the reply takes its place
	rpc       uint64
	request   requestSummary
	back      *link                 // the link that replies take
	stream    *stream               // the connection of a pipeline, nil for a single RPC
	alone     bool                  // the pipeline's decoder serves it; see stream
	duplicate bool                  // a second copy of a request or reply
	caller    *Transport            // that made the RPC, nil for a copy
	heldOn    atomic.Pointer[link]  // the link on which a Hold stopped a packet of the call last
	deadline  time.Time             // zero for none yet; guarded by the caller's mutex
	responses chan raft.RPCResponse // the node's response, before it travels back
	done      chan raft.RPCResponse // what the caller gets

	outcome
}

// outcome is what has become of a call.
type outcome struct {
	mu        sync.Mutex
	peer      *Transport // the endpoint that the request reached in time, nil before
	completed bool       // the outcome is decided
	aborted   bool       // if completed: without a reply
	why       string     // if completed: why a later reply is lost
}

// requestSummary is what the reply to a request repeats of it.
type requestSummary struct {
	kind Kind
	term uint64
}

// What becomes of replies that come too late.
const (
	callerGone   = "no caller is waiting"
	pastDeadline = "after the deadline"
)

// inlineMax is the longest latency that a caller sleeps through itself. While it sleeps,
// it does not notice that the RPC has ended early, only when its packet arrives. It never
// sleeps past its deadline.
const inlineMax = 50 * time.Millisecond

// call sends a request and waits for its reply, the deadline, or the death of either end.
// Where the packets take only the link's latency, and that is short, this goroutine
// sleeps through it and delivers them itself, which saves a timer.
func (t *Transport) call(target raft.ServerAddress, command any, data []byte) raft.RPCResponse {
	out := t.net.link(t.slot.addr, target)
	c := t.net.newCall()
	c.rpc, c.back = t.net.rpcIDs.Add(1), out.back
	c.deadline = time.Now().Add(time.Duration(t.net.rpcTimeout.Load()))
	if !t.begin(c) {
		return raft.RPCResponse{Error: ErrClosed}
	}
	c.setRequest(command, data)
	c.deliverInline(out, out.send(&c.packet, c.deadline))
	select {
	case answer := <-c.done: // decided before any response of the node
		return t.end(c, answer, false)
	default:
	}
	select {
	case answer := <-c.responses:
		c.deliverInline(c.back, c.reply(c.peer, answer, c.deadline))
		return t.end(c, <-c.done, true)
	case answer := <-c.done:
		return t.end(c, answer, false)
	}
}

// setRequest puts a copy of the command into the call's packet.
func (c *call) setRequest(command any, data []byte) {
	c.packet.call, c.packet.command, c.packet.data = c, cloneRequest(command), data
	c.packet.DescribeRequest(command, data)
	c.request = requestSummary{c.packet.Kind, c.packet.Term}
}

// deliverInline waits for an inline packet and delivers it. A wait of 0 means that the
// packet is not inline.
func (c *call) deliverInline(l *link, wait time.Duration) {
	if wait > 0 {
		time.Sleep(wait)
		l.finishInline(&c.packet)
	}
}

// newCall returns a call from the network's pool, or a new one. The response channel is
// always new, so a node that answers twice cannot answer another call.
func (n *Network) newCall() *call {
	c, ok := n.calls.Get().(*call)
	if !ok {
		c = &call{done: make(chan raft.RPCResponse, 1)}
	}
	c.responses = make(chan raft.RPCResponse, 1)
	return c
}

// begin registers a call, so its deadline or the endpoint's death can end it. It
// returns false if the endpoint is closed.
func (t *Transport) begin(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed.Load() {
		return false
	}
	c.caller = t
	t.calling = append(t.calling, c)
	if !c.deadline.IsZero() {
		t.watchDeadline(c)
	}
	return true
}

// setDeadline starts the RPC timeout of a call that began without one.
func (t *Transport) setDeadline(c *call) {
	t.mu.Lock()
	if !t.closed.Load() {
		c.deadline = time.Now().Add(time.Duration(t.net.rpcTimeout.Load()))
		t.watchDeadline(c)
	}
	t.mu.Unlock()
	if l := c.heldOn.Load(); l != nil {
		l.reportDeadline(c)
	}
}

// watchDeadline makes sure that expire runs at the call's deadline. The caller holds the
// endpoint's mutex.
func (t *Transport) watchDeadline(c *call) {
	if t.nextDeadline.IsZero() || c.deadline.Before(t.nextDeadline) {
		t.setDeadlineTimer(c.deadline)
	}
}

// setDeadlineTimer schedules expire. The caller holds the endpoint's mutex.
func (t *Transport) setDeadlineTimer(at time.Time) {
	t.nextDeadline = at
	if t.deadlineTimer == nil {
		t.deadlineTimer = time.AfterFunc(time.Until(at), t.expire)
		return
	}
	t.deadlineTimer.Reset(time.Until(at))
}

// expire ends the calls whose deadlines have passed. One timer serves all calls, because
// most end long before their deadlines.
func (t *Transport) expire() {
	t.mu.Lock()
	t.nextDeadline = time.Time{}
	now := time.Now()
	var next time.Time
	var expired []*call // of which a packet is held
	for _, c := range t.calling {
		switch {
		case c.deadline.IsZero():
		case !c.deadline.After(now):
			if c.abort(ErrTimeout, pastDeadline) && c.heldOn.Load() != nil {
				expired = append(expired, c)
			}
		case next.IsZero() || c.deadline.Before(next):
			next = c.deadline
		}
	}
	if !next.IsZero() {
		t.setDeadlineTimer(next)
	}
	t.mu.Unlock()
	for _, c := range expired {
		t.net.tapPacket(c.expiry())
	}
}

// end ends a call with its answer. If the node is still serving the request, its reply
// will travel back all the same, as it would on a real network. If the reply has come,
// nothing refers to the call any more, so end returns it to the pool: without that,
// garbage collection would limit replication.
func (t *Transport) end(c *call, answer raft.RPCResponse, replied bool) raft.RPCResponse {
	t.mu.Lock()
	t.calling = remove(t.calling, c)
	t.mu.Unlock()
	switch {
	case replied && !c.aborted:
		*c = call{done: c.done}
		t.net.calls.Put(c)
	case !replied && c.aborted && c.peer != nil && c.stream == nil: // a stream always replies
		go c.forwardLateReply(c.peer)
	}
	return answer
}

// detachedCopy returns a call for a duplicate of c's request or reply. It is completed
// from the start, because no caller waits for it.
func (c *call) detachedCopy() *call {
	return &call{
		rpc: c.rpc, request: c.request, back: c.back, stream: c.stream, duplicate: true,
		responses: make(chan raft.RPCResponse, 1), outcome: outcome{completed: true, why: callerGone},
	}
}

// reply sends the response of the node at peer back and returns what send returns. It
// drops the response of a node that has died since: the goroutines of a dead node must
// have no effect.
func (c *call) reply(peer *Transport, answer raft.RPCResponse, deadline time.Time) time.Duration {
	if !peer.answered(c) {
		return 0
	}
	p := &c.packet
	*p = inflight{call: c, answer: answer}
	p.Kind, p.RequestTerm, p.Reply = c.request.kind, c.request.term, true
	p.DescribeReply(answer)
	return c.back.send(p, deadline)
}

// forwardLateReply sends the node's response back although no caller waits for it.
func (c *call) forwardLateReply(peer *Transport) {
	select {
	case answer := <-c.responses:
		c.reply(peer, answer, time.Time{})
	case <-peer.gone:
	}
}

// arrive records which endpoint the request reached, and reports whether the call has
// been completed before.
func (c *call) arrive(peer *Transport) (late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.completed {
		c.peer = peer
	}
	return c.completed
}

// abort completes the call with an error instead of a reply. It returns false if the call is
// completed.
func (c *call) abort(err error, why string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.completed {
		return false
	}
	c.completed, c.aborted, c.why = true, true, why
	c.done <- raft.RPCResponse{Error: err}
	return true
}

// tryComplete claims the right to answer the call. If the call is completed, ok is false
// and why is the reason that a reply is lost.
func (c *call) tryComplete() (why string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.completed {
		return c.why, false
	}
	c.completed, c.why = true, callerGone
	return "", true
}

// complete answers the call, unless it is completed.
func (c *call) complete(answer raft.RPCResponse) {
	if _, ok := c.tryComplete(); ok {
		c.done <- answer
	}
}
