package faults

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// call is one RPC under way, seen from its caller.
type call struct {
	parcel   parcel // the request; once that has been served, the reply in its place, as it is no longer needed
	rpc      uint64
	kind     Kind
	back     *link // the link that replies take
	deadline time.Time
	served   chan raft.RPCResponse // the node's answer, before it travels
	done     chan raft.RPCResponse // what the caller gets

	mu   sync.Mutex
	peer *Transport // the endpoint that the request reached in time, nil before
	over bool       // the caller has its answer, or gets no other
	left bool       // once over: it ended before it had an answer
	why  string     // once over: why a later reply is lost
}

const nobodyWaits = "nobody waits for it"

// carryMax is the longest latency for which a caller carries its own packets. While it does, it notices neither its
// deadline, before which it arrives, nor that it or its packet ends early, which it learns when it arrives.
const carryMax = 50 * time.Millisecond

// call sends a request and waits for its reply, the deadline, or the death of either end. The packets are carried by this
// goroutine, as it has nothing else to do meanwhile, where they take just the link's latency and that is short.
func (t *Transport) call(target raft.ServerAddress, command any, data []byte) raft.RPCResponse {
	out := t.net.link(t.at.addr, target)
	c := t.net.newCall()
	c.rpc, c.back = t.net.rpcs.Add(1), out.back
	c.deadline = time.Now().Add(time.Duration(t.net.rpcTimeout.Load()))
	if !t.begin(c) {
		return raft.RPCResponse{Error: ErrClosed}
	}
	c.parcel.call, c.parcel.command, c.parcel.data = c, cloneRequest(command), data
	c.parcel.describeRequest(command, data)
	c.kind = c.parcel.Kind
	c.carry(out, out.send(&c.parcel, c.deadline))
	select {
	case answer := <-c.done: // Whoever ended it was earlier than the node, if that has answered too.
		return t.end(c, answer, false)
	default:
	}
	select {
	case answer := <-c.served:
		c.carry(c.back, c.reply(c.peer, answer, c.deadline))
		return t.end(c, <-c.done, true)
	case answer := <-c.done:
		return t.end(c, answer, false)
	}
}

// carry carries the parcel over a link, which takes wait; 0 means that there is nothing to carry.
func (c *call) carry(l *link, wait time.Duration) {
	if wait > 0 {
		time.Sleep(wait)
		l.putDown(&c.parcel)
	}
}

// newCall returns a call from the network's pool, or a new one. The channel to the node is always new, as a node that
// answers twice must not answer another call.
func (n *Network) newCall() *call {
	c, ok := n.calls.Get().(*call)
	if !ok {
		c = &call{done: make(chan raft.RPCResponse, 1)}
	}
	c.served = make(chan raft.RPCResponse, 1)
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
	if t.alarmAt.IsZero() || c.deadline.Before(t.alarmAt) {
		t.setAlarm(c.deadline)
	}
	return true
}

// setAlarm has expire run at a time. The endpoint is locked.
func (t *Transport) setAlarm(at time.Time) {
	t.alarmAt = at
	if t.alarm == nil {
		t.alarm = time.AfterFunc(time.Until(at), t.expire)
		return
	}
	t.alarm.Reset(time.Until(at))
}

// expire ends the calls whose deadlines have come. One alarm for all is enough, and most calls end long before it.
func (t *Transport) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.alarmAt = time.Time{}
	now := time.Now()
	var next time.Time
	for _, c := range t.calling {
		switch {
		case !c.deadline.After(now):
			c.leave(ErrTimeout, "too late")
		case next.IsZero() || c.deadline.Before(next):
			next = c.deadline
		}
	}
	if !next.IsZero() {
		t.setAlarm(next)
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
	case replied && !c.left:
		*c = call{done: c.done}
		t.net.calls.Put(c)
	case !replied && c.left && c.peer != nil:
		go c.awaitLateAnswer(c.peer)
	}
	return answer
}

// echo returns a call for a duplicate of c's request or reply, which is over from the start.
func (c *call) echo() *call {
	return &call{rpc: c.rpc, kind: c.kind, back: c.back, served: make(chan raft.RPCResponse, 1), over: true, why: nobodyWaits}
}

// reply puts the answer of the node at peer on the way back. A node that died after it answered has no longer answered:
// what the goroutines of a dead node still do must have no effect. It returns what send returns.
func (c *call) reply(peer *Transport, answer raft.RPCResponse, deadline time.Time) time.Duration {
	if !peer.answered(c) {
		return 0
	}
	p := &c.parcel
	*p = parcel{call: c, answer: answer}
	p.Kind, p.Reply = c.kind, true
	p.describeReply(answer)
	return c.back.send(p, deadline)
}

func (c *call) awaitLateAnswer(peer *Transport) {
	select {
	case answer := <-c.served:
		c.reply(peer, answer, time.Time{})
	case <-peer.gone:
	}
}

// arrive notes which endpoint the request reached. It is true if the call is over by then.
func (c *call) arrive(peer *Transport) (late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.peer = peer
	}
	return c.over
}

// leave ends the call without an answer, unless it is over.
func (c *call) leave(err error, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over, c.left, c.why = true, true, why
		c.done <- raft.RPCResponse{Error: err}
	}
}

// claim makes its caller the one who answers the call. If that is too late, it says why.
func (c *call) claim() (why string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return c.why, false
	}
	c.over, c.why = true, nobodyWaits
	return "", true
}

// finish answers the call, unless it is over.
func (c *call) finish(answer raft.RPCResponse) {
	if _, ok := c.claim(); ok {
		c.done <- answer
	}
}
