package faults

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// call is one RPC under way, seen from its caller.
type call struct {
	parcel parcel // the request; once that has been served, the reply in its place, as it is no longer needed
	rpc    uint64
	kind   Kind
	back   *link                 // the link that replies take
	served chan raft.RPCResponse // the node's answer, before it travels
	done   chan raft.RPCResponse // what the caller gets
	on     *link                 // the link on which the caller carries the parcel, nil for none

	mu   sync.Mutex
	peer *Transport // the endpoint that the request was delivered to, nil before
	over bool       // the caller has its answer, or has left
	why  string     // once over: why a later reply is lost
}

const nobodyWaits = "nobody waits for it"

// call sends a request and waits for its reply, the deadline, or the death of either end. The reply is put on its link
// by this goroutine, as it has nothing else to do meanwhile.
func (t *Transport) call(target raft.ServerAddress, command any, data []byte) raft.RPCResponse {
	if t.closed.Load() {
		return raft.RPCResponse{Error: ErrClosed}
	}
	deadline := t.net.startTimer(time.Duration(t.net.rpcTimeout.Load()))
	defer t.net.timers.Put(deadline)
	out := t.net.link(t.at.addr, target)
	c := t.net.newCall()
	c.rpc, c.back = t.net.rpcs.Add(1), out.back
	c.parcel.call, c.parcel.command, c.parcel.data = c, cloneRequest(command), data
	c.parcel.describeRequest(command, data)
	c.kind = c.parcel.Kind
	var due *time.Timer // when what the caller carries is due; nil, and never, where all is due at once
	var arrival <-chan time.Time
	if wait := c.carry(out, out.send(&c.parcel, true)); wait > 0 {
		due = t.net.startTimer(wait)
		defer t.net.timers.Put(due)
		arrival = due.C
	}
	replied := false
	for {
		select {
		case answer := <-c.served:
			replied = true
			if wait := c.carry(c.back, c.reply(answer, true)); wait > 0 && due != nil {
				due.Reset(wait)
			} else {
				c.putDown() // the request needed no time: the link looks after the reply
			}
		case <-arrival:
			c.putDown()
		case answer := <-c.done:
			return c.take(answer, replied)
		case <-deadline.C:
			return c.leave("too late", ErrTimeout, replied)
		case <-t.gone:
			return c.leave(nobodyWaits, ErrClosed, replied)
		}
		select { // A reply that was due at once is here already.
		case answer := <-c.done:
			return c.take(answer, replied)
		default:
		}
	}
}

// carry notes that the caller carries the parcel on a link, where it is due after wait, and is to call putDown then. A
// wait of 0 means that it has nothing to carry.
func (c *call) carry(l *link, wait time.Duration) time.Duration {
	c.on = nil
	if wait > 0 {
		c.on = l
	}
	return wait
}

// putDown leaves the parcel to the link on which the caller carries it.
func (c *call) putDown() {
	if on := c.on; on != nil {
		c.on = nil
		on.carry(&c.parcel)
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

// take ends the call with its answer. If the node replied, then the reply was the last to refer to the call, and it can be
// used again: without that, collecting garbage would be what limits replication.
func (c *call) take(answer raft.RPCResponse, replied bool) raft.RPCResponse {
	c.putDown()
	if replied {
		net := c.back.net
		*c = call{done: c.done}
		net.calls.Put(c)
	}
	return answer
}

// echo returns a call for a duplicate of c's request or reply, which is over from the start.
func (c *call) echo() *call {
	return &call{rpc: c.rpc, kind: c.kind, back: c.back, served: make(chan raft.RPCResponse, 1), over: true, why: nobodyWaits}
}

// reply puts the node's answer on the way back. A node that died after it answered has no longer answered: what the
// goroutines of a dead node still do must have no effect.
// It returns what send returns.
func (c *call) reply(answer raft.RPCResponse, canCarry bool) time.Duration {
	if !c.peer.answered(c) {
		return 0
	}
	p := &c.parcel
	*p = parcel{call: c, answer: answer}
	p.Kind, p.Reply = c.kind, true
	p.describeReply(answer)
	return c.back.send(p, canCarry)
}

// leave ends the call without an answer, unless one has arrived in the last moment. If the node is still busy with the
// request, its reply will be sent all the same, for the packets on the link to be those of a real network.
func (c *call) leave(why string, err error, replied bool) raft.RPCResponse {
	c.putDown()
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return <-c.done
	}
	c.over, c.why = true, why
	peer := c.peer
	c.mu.Unlock()
	if peer != nil && !replied {
		go c.awaitLateAnswer(peer)
	}
	return raft.RPCResponse{Error: err}
}

func (c *call) awaitLateAnswer(peer *Transport) {
	select {
	case answer := <-c.served:
		c.reply(answer, false)
	case <-peer.gone:
	}
}

// arrive notes which endpoint the request reached. It is true if the caller has left by then.
func (c *call) arrive(peer *Transport) (late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peer = peer
	return c.over
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
