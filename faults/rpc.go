package faults

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// call is one RPC under way, seen from its caller.
type call struct {
	packet    inflight // the request; once that has been served, the reply in its place, as it is no longer needed
	rpc       uint64
	kind      Kind
	back      *link // the link that replies take
	deadline  time.Time
	responses chan raft.RPCResponse // the node's answer, before it travels
	done      chan raft.RPCResponse // what the caller gets

	mu        sync.Mutex
	peer      *Transport // the endpoint that the request reached in time, nil before
	completed bool       // the caller has its answer, or gets no other
	aborted   bool       // once over: it ended before it had an answer
	why       string     // once over: why a later reply is lost
}

const callerGone = "nobody waits for it"

// inlineMax is the longest latency for which a caller carries its own packets. While it does, it notices neither its
// deadline, before which it arrives, nor that it or its packet ends early, which it learns when it arrives.
const inlineMax = 50 * time.Millisecond

// call sends a request and waits for its reply, the deadline, or the death of either end. The packets are carried by this
// goroutine, as it has nothing else to do meanwhile, where they take just the link's latency and that is short.
func (t *Transport) call(target raft.ServerAddress, command any, data []byte) raft.RPCResponse {
	out := t.net.link(t.slot.addr, target)
	c := t.net.newCall()
	c.rpc, c.back = t.net.rpcIDs.Add(1), out.back
	c.deadline = time.Now().Add(time.Duration(t.net.rpcTimeout.Load()))
	if !t.begin(c) {
		return raft.RPCResponse{Error: ErrClosed}
	}
	c.packet.call, c.packet.command, c.packet.data = c, cloneRequest(command), data
	c.packet.describeRequest(command, data)
	c.kind = c.packet.Kind
	c.deliverInline(out, out.send(&c.packet, c.deadline))
	select {
	case answer := <-c.done: // Whoever ended it was earlier than the node, if that has answered too.
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

// deliverInline carries the parcel over a link, which takes wait; 0 means that there is nothing to carry.
func (c *call) deliverInline(l *link, wait time.Duration) {
	if wait > 0 {
		time.Sleep(wait)
		l.finishInline(&c.packet)
	}
}

// newCall returns a call from the network's pool, or a new one. The channel to the node is always new, as a node that
// answers twice must not answer another call.
func (n *Network) newCall() *call {
	c, ok := n.calls.Get().(*call)
	if !ok {
		c = &call{done: make(chan raft.RPCResponse, 1)}
	}
	c.responses = make(chan raft.RPCResponse, 1)
	return c
}

// begin notes a call, for its deadline and the death of the endpoint to end it. It is false if the endpoint is closed.
func (t *Transport) begin(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed.Load() {
		return false
	}
	t.calling = append(t.calling, c)
	if t.nextDeadline.IsZero() || c.deadline.Before(t.nextDeadline) {
		t.setDeadlineTimer(c.deadline)
	}
	return true
}

// setDeadlineTimer has expire run at a time. The endpoint is locked.
func (t *Transport) setDeadlineTimer(at time.Time) {
	t.nextDeadline = at
	if t.deadlineTimer == nil {
		t.deadlineTimer = time.AfterFunc(time.Until(at), t.expire)
		return
	}
	t.deadlineTimer.Reset(time.Until(at))
}

// expire ends the calls whose deadlines have come. One alarm for all is enough, and most calls end long before it.
func (t *Transport) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nextDeadline = time.Time{}
	now := time.Now()
	var next time.Time
	for _, c := range t.calling {
		switch {
		case !c.deadline.After(now):
			c.abort(ErrTimeout, "too late")
		case next.IsZero() || c.deadline.Before(next):
			next = c.deadline
		}
	}
	if !next.IsZero() {
		t.setDeadlineTimer(next)
	}
}

// end ends a call with its answer. If its node is still busy with the request, the reply will be sent all the same, for
// the packets on the link to be those of a real network. If the reply has come, then it was the last to refer to the call,
// which can be used again: without that, collecting garbage would be what limits replication.
func (t *Transport) end(c *call, answer raft.RPCResponse, replied bool) raft.RPCResponse {
	t.mu.Lock()
	t.calling = remove(t.calling, c)
	t.mu.Unlock()
	switch {
	case replied && !c.aborted:
		*c = call{done: c.done}
		t.net.calls.Put(c)
	case !replied && c.aborted && c.peer != nil:
		go c.forwardLateReply(c.peer)
	}
	return answer
}

// detachedCopy returns a call for a duplicate of c's request or reply, which is over from the start.
func (c *call) detachedCopy() *call {
	return &call{rpc: c.rpc, kind: c.kind, back: c.back, responses: make(chan raft.RPCResponse, 1), completed: true, why: callerGone}
}

// reply puts the answer of the node at peer on the way back. A node that died after it answered has no longer answered:
// what the goroutines of a dead node still do must have no effect. It returns what send returns.
func (c *call) reply(peer *Transport, answer raft.RPCResponse, deadline time.Time) time.Duration {
	if !peer.answered(c) {
		return 0
	}
	p := &c.packet
	*p = inflight{call: c, answer: answer}
	p.Kind, p.Reply = c.kind, true
	p.describeReply(answer)
	return c.back.send(p, deadline)
}

func (c *call) forwardLateReply(peer *Transport) {
	select {
	case answer := <-c.responses:
		c.reply(peer, answer, time.Time{})
	case <-peer.gone:
	}
}

// arrive notes which endpoint the request reached. It is true if the call is over by then.
func (c *call) arrive(peer *Transport) (late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.completed {
		c.peer = peer
	}
	return c.completed
}

// abort ends the call without an answer, unless it is over.
func (c *call) abort(err error, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.completed {
		c.completed, c.aborted, c.why = true, true, why
		c.done <- raft.RPCResponse{Error: err}
	}
}

// tryComplete makes its caller the one who answers the call. If that is too late, it says why.
func (c *call) tryComplete() (why string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.completed {
		return c.why, false
	}
	c.completed, c.why = true, callerGone
	return "", true
}

// complete answers the call, unless it is over.
func (c *call) complete(answer raft.RPCResponse) {
	if _, ok := c.tryComplete(); ok {
		c.done <- answer
	}
}
