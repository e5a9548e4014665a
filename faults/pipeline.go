package faults

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// pipelineMin is the smallest MaxRPCsInFlight with pipelining: with 1 nothing overlaps, and raft
// replicates with single RPCs (net_transport.go, minInFlightForPipelining).
const pipelineMin = 2

// pipeline sends AppendEntries requests over one connection without waiting for replies.
// It behaves like the pipeline of raft's NetworkTransport (net_transport.go, netPipeline):
// requests are processed and answered in order; a sender blocks while the decoder has no
// room; the RPC timeout of a request starts when the decoder begins to wait for its reply;
// and a connection error fails everything in flight.
type pipeline struct {
	t         *Transport
	link      *link
	stream    *stream
	sent      chan *appendFuture // requests whose replies are to be decoded
	ready     chan raft.AppendFuture
	closed    chan struct{}
	closeOnce sync.Once
	broken    atomic.Pointer[error] // why the connection failed, nil while it is open
	inFlight  atomic.Int32          // requests sent and not yet handed to Consumer
	timer     *time.Timer           // the decoder's, nil before its first use
}

var _ raft.AppendPipeline = (*pipeline)(nil)

// appendFuture is one request of a pipeline.
type appendFuture struct {
	start   time.Time
	wait    time.Duration // if positive, the request is inline: the decoder delivers it after this time
	request *raft.AppendEntriesRequest
	resp    *raft.AppendEntriesResponse
	call    *call
	decided chan struct{} // closed when err and resp are final
	err     error
}

func (f *appendFuture) Error() error                          { <-f.decided; return f.err }
func (f *appendFuture) Start() time.Time                      { return f.start }
func (f *appendFuture) Request() *raft.AppendEntriesRequest   { return f.request }
func (f *appendFuture) Response() *raft.AppendEntriesResponse { return f.resp }

// AppendEntriesPipeline opens a connection to the target. It returns ErrClosed if the
// endpoint is closed, and raft.ErrPipelineReplicationNotSupported if
// NetworkConfig.MaxRPCsInFlight is 1. It does not check whether the target is reachable:
// raft opens a pipeline after a successful RPC, when its NetworkTransport has a connection
// in the pool, so an unreachable target shows only when the pipeline is used.
func (t *Transport) AppendEntriesPipeline(_ raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	if t.net.maxInFlight < pipelineMin {
		return nil, raft.ErrPipelineReplicationNotSupported
	}
	if t.closed.Load() {
		return nil, ErrClosed
	}
	l := t.net.link(t.slot.addr, target)
	p := &pipeline{
		t: t, link: l, stream: &stream{peer: l.to.up()}, closed: make(chan struct{}),
		sent:  make(chan *appendFuture, t.net.maxInFlight-pipelineMin),
		ready: make(chan raft.AppendFuture, t.net.maxInFlight-pipelineMin),
	}
	go p.decode()
	return p, nil
}

// AppendEntries sends a request. It blocks while MaxRPCsInFlight are in flight. After Close,
// it sends nothing and returns raft.ErrPipelineShutdown.
func (p *pipeline) AppendEntries(request *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	if why := p.broken.Load(); why != nil {
		return nil, *why
	}
	select {
	case <-p.closed:
		return nil, raft.ErrPipelineShutdown
	default:
	}
	f := &appendFuture{start: time.Now(), request: request, resp: resp, call: p.t.net.newCall(), decided: make(chan struct{})}
	c := f.call
	c.rpc, c.back, c.stream = p.t.net.rpcIDs.Add(1), p.link.back, p.stream
	// For a request alone in flight, the decoder has nothing else to do. It delivers both
	// packets and serves the request itself, which saves timers and goroutines.
	c.alone = p.inFlight.Add(1) == 1
	if !p.t.begin(c) {
		return nil, ErrClosed
	}
	c.setRequest(request, nil)
	var inlineUntil time.Time
	if c.alone {
		inlineUntil = f.start.Add(time.Duration(p.t.net.rpcTimeout.Load()))
	}
	f.wait = p.link.send(&c.packet, inlineUntil)
	select {
	case p.sent <- f:
		return f, nil
	case <-p.closed:
		p.fail(f, raft.ErrPipelineShutdown)
		return nil, raft.ErrPipelineShutdown
	case <-p.t.gone:
		p.fail(f, ErrClosed)
		return nil, ErrClosed
	}
}

// Consumer returns the channel of completed requests, in order.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.ready }

// Close closes the connection, which fails everything in flight. The error is always nil.
func (p *pipeline) Close() error {
	p.closeOnce.Do(func() { close(p.closed) })
	return nil
}

// decode waits for the replies, in order, until the pipeline is closed.
func (p *pipeline) decode() {
	for {
		select {
		case f := <-p.sent:
			p.receive(f)
			select {
			case p.ready <- f:
				p.inFlight.Add(-1)
				continue
			case <-p.closed:
			case <-p.t.gone:
			}
		case <-p.closed:
		case <-p.t.gone:
		}
		break
	}
	for {
		select {
		case f := <-p.sent:
			p.fail(f, raft.ErrPipelineShutdown)
		default:
			return
		}
	}
}

// receive waits for the reply to a request and completes its future.
func (p *pipeline) receive(f *appendFuture) {
	c := f.call
	p.t.setDeadline(c)
	p.deliver(c, p.link, f.wait)
	if why := p.broken.Load(); why != nil {
		c.abort(*why, callerGone)
	}
	var responses chan raft.RPCResponse // nil unless this goroutine serves the request
	if c.alone {
		responses = c.responses
	}
	var answer raft.RPCResponse
	select {
	case response := <-responses:
		wait := c.reply(p.stream.peer, response, c.deadline)
		p.stream.serveNext()
		p.deliver(c, c.back, wait)
		answer = p.await(c)
	case answer = <-c.done:
		p.stream.serveAlone(c)
	case <-p.closed:
		answer = p.await(c)
		p.stream.serveAlone(c)
	}
	p.decide(f, answer)
}

// await returns the result of a call, at the latest when the pipeline is closed.
func (p *pipeline) await(c *call) raft.RPCResponse {
	select {
	case answer := <-c.done:
		return answer
	case <-p.closed:
		c.abort(raft.ErrPipelineShutdown, callerGone)
		return <-c.done
	}
}

// deliver delivers an inline packet of a call when it is due. If the pipeline is closed
// before that, the link delivers it.
func (p *pipeline) deliver(c *call, l *link, wait time.Duration) {
	if wait <= 0 {
		return
	}
	if p.timer == nil {
		p.timer = time.NewTimer(wait)
	} else {
		p.timer.Reset(wait)
	}
	select {
	case <-p.timer.C:
		l.finishInline(&c.packet)
		return
	case <-p.closed:
	case <-p.t.gone:
	}
	p.timer.Stop()
	l.takeOver(&c.packet)
}

// fail completes a future that the decoder never took: with an error, unless its reply has
// arrived.
func (p *pipeline) fail(f *appendFuture, err error) {
	p.link.takeOver(&f.call.packet)
	f.call.abort(err, callerGone)
	p.stream.serveAlone(f.call)
	p.decide(f, <-f.call.done)
}

// decide completes a future. A connection error breaks the pipeline.
func (p *pipeline) decide(f *appendFuture, answer raft.RPCResponse) {
	failed := isTransportError(answer.Error)
	answer = p.t.end(f.call, answer, !failed)
	if f.err = answer.Error; failed {
		p.broken.CompareAndSwap(nil, &answer.Error)
	} else if got, ok := answer.Response.(*raft.AppendEntriesResponse); ok && got != nil {
		*f.resp = *got
	}
	close(f.decided)
}

// isTransportError reports whether err comes from the connection, not from the node at the
// other end.
func isTransportError(err error) bool {
	for _, own := range []error{ErrTimeout, ErrRefused, ErrDown, ErrClosed, raft.ErrPipelineShutdown} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}

// stream is the server side of a connection. It handles one request at a time, in order
// (net_transport.go, handleConn). After a lost packet, nothing more is delivered in its
// direction, because a stream cannot skip bytes.
type stream struct {
	peer *Transport // the process that accepted the connection, nil if none was running

	requestLost bool // guarded by the mutex of the forward link
	replyLost   bool // guarded by the mutex of the reverse link

	mu      sync.Mutex      // guards the fields below, and call.alone
	current *call           // the request being served
	waiting []queuedRequest // the requests after it
}

// queuedRequest is a request that has arrived.
type queuedRequest struct {
	call *call
	rpc  raft.RPC
}

// lost returns the flag of the packet's direction.
func (s *stream) lost(reply bool) *bool {
	if reply {
		return &s.replyLost
	}
	return &s.requestLost
}

// queue serves a request after the ones before it. The caller holds the mutex of the peer.
func (s *stream) queue(c *call, rpc raft.RPC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.waiting = append(s.waiting, queuedRequest{c, rpc})
		return
	}
	s.current = c
	s.peer.enqueueLocked(rpc)
	if !c.alone {
		go s.serve(c)
	}
}

// serve sends the reply to c, whose request raft has, and to the requests after it.
func (s *stream) serve(c *call) {
	for c != nil {
		select {
		case answer := <-c.responses:
			c.reply(s.peer, answer, time.Time{})
		case <-s.peer.gone:
			return // its callers know
		}
		c = s.next()
	}
}

// serveNext serves the requests after one that its decoder has served.
func (s *stream) serveNext() {
	if next := s.next(); next != nil {
		go s.serve(next)
	}
}

// serveAlone takes over a request that its decoder no longer serves, whether it has arrived
// or not.
func (s *stream) serveAlone(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.alone && s.current == c {
		go s.serve(c)
	}
	c.alone = false
}

// next passes the next request to raft. It returns nil if there is none, or if the decoder
// serves it.
func (s *stream) next() *call {
	s.mu.Lock()
	if len(s.waiting) == 0 {
		s.current = nil
		s.mu.Unlock()
		return nil
	}
	next := s.waiting[0]
	s.waiting = s.waiting[1:]
	s.current = next.call
	alone := next.call.alone
	s.mu.Unlock()
	s.peer.enqueue(next.rpc)
	if alone {
		return nil
	}
	return next.call
}
