package faults

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

var (
	// ErrTimeout is returned when no reply arrives within the RPC timeout. The node may
	// have carried out the request.
	ErrTimeout = errors.New("no reply in time")
	// ErrRefused is returned when a Refuse fault rejects the request or its reply.
	ErrRefused = errors.New("connection refused")
	// ErrDown is returned when nothing listens at the target's address, or when the node
	// there dies before it replies.
	ErrDown = errors.New("node is down")
	// ErrClosed is returned when the caller's own endpoint is closed.
	ErrClosed = errors.New("endpoint is closed")
)

// inboxPackets is the capacity of the channel that Raft reads. More requests wait behind
// it, in order.
const inboxPackets = 64

// Transport is the endpoint of one node: a [raft.Transport] that lives until its Close.
type Transport struct {
	net    *Network
	slot   *endpointSlot
	self   []byte // the endpoint's address, for the header of each request
	inbox  chan raft.RPC
	closed atomic.Bool
	gone   chan struct{} // closed with the endpoint

	heartbeat atomic.Pointer[func(raft.RPC)] // raft's handler of heartbeats, nil before it sets one

	mu            sync.Mutex
	calling       []*call     // RPCs this node waits for, unordered
	deadlineTimer *time.Timer // runs expire; nil before the first RPC
	nextDeadline  time.Time   // when deadlineTimer fires, zero for never
	serving       []*call     // requests this node has received and not answered, unordered
	overflow      []raft.RPC  // requests the inbox has no room for; pump is moving the first one
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)

func newTransport(n *Network, at *endpointSlot) *Transport {
	return &Transport{
		net:   n,
		slot:  at,
		self:  []byte(at.addr),
		inbox: make(chan raft.RPC, inboxPackets),
		gone:  make(chan struct{}),
	}
}

// Close kills the endpoint, as the death of its process would: RPCs it waits for end with
// ErrClosed, RPCs it has not answered end with ErrDown at their callers, and later calls
// and answers have no effect. A caller notices at once or, while a packet of its RPC is in
// flight on a link with a latency of at most 50 ms, when that packet arrives. The error is
// always nil.
func (t *Transport) Close() error {
	t.kill()
	return nil
}

func (t *Transport) kill() {
	t.mu.Lock()
	if t.closed.Swap(true) {
		t.mu.Unlock()
		return
	}
	var expired []*call // of which a packet is held
	for _, c := range t.calling {
		if c.abort(ErrClosed, callerGone) && c.heldOn.Load() != nil {
			expired = append(expired, c)
		}
	}
	if t.deadlineTimer != nil {
		t.deadlineTimer.Stop()
	}
	unanswered := t.serving
	t.serving, t.overflow = nil, nil
	t.mu.Unlock()
	close(t.gone)
	for _, c := range expired {
		t.net.tapPacket(c.expiry())
	}
	for _, c := range unanswered {
		c.complete(raft.RPCResponse{Error: ErrDown})
	}
}

// Consumer returns the channel on which requests arrive.
func (t *Transport) Consumer() <-chan raft.RPC { return t.inbox }

// LocalAddr returns the address of the endpoint.
func (t *Transport) LocalAddr() raft.ServerAddress { return t.slot.addr }

// EncodePeer returns the address as bytes, which the caller must not change.
func (t *Transport) EncodePeer(_ raft.ServerID, addr raft.ServerAddress) []byte {
	if addr == t.slot.addr {
		return slices.Clip(t.self)
	}
	return []byte(addr)
}

// DecodePeer is the inverse of EncodePeer.
func (t *Transport) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

// SetHeartbeatHandler sets the function that handles heartbeats. Each one runs on its own
// goroutine and bypasses the Consumer channel, so a slow disk does not delay it. Raft's own
// NetworkTransport does the same (net_transport.go, handleCommand). SetHeartbeatHandler does
// nothing if NetworkConfig.QueueHeartbeats is set.
func (t *Transport) SetHeartbeatHandler(handle func(raft.RPC)) {
	if !t.net.queueHeartbeats {
		t.heartbeat.Store(&handle)
	}
}

// AppendEntries asks the target to append entries. Like every RPC, it returns within the
// RPC timeout: nil, an error of this package, or the error in the target's reply. It
// writes to resp only if it returns nil.
func (t *Transport) AppendEntries(_ raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	return exchange(t, target, args, nil, resp)
}

// RequestVote asks the target for its vote.
func (t *Transport) RequestVote(_ raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return exchange(t, target, args, nil, resp)
}

// RequestPreVote asks the target whether it would vote for the caller.
func (t *Transport) RequestPreVote(_ raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return exchange(t, target, args, nil, resp)
}

// TimeoutNow asks the target to start an election.
func (t *Transport) TimeoutNow(_ raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return exchange(t, target, args, nil, resp)
}

// InstallSnapshot sends a snapshot of args.Size bytes. It reads all of data before it sends
// anything, so a packet in flight does not depend on the sender's files. The RPC timeout
// starts after that.
func (t *Transport) InstallSnapshot(_ raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(data, args.Size))
	if err != nil {
		return fmt.Errorf("reading the snapshot to send: %w", err)
	}
	return exchange(t, target, args, content, resp)
}

// exchange makes one RPC and copies the response to resp if it succeeds.
func exchange[Response any](t *Transport, target raft.ServerAddress, command any, data []byte, resp *Response) error {
	answer := t.call(target, command, data)
	if answer.Error != nil {
		return answer.Error
	}
	got, ok := answer.Response.(*Response)
	if !ok || got == nil {
		return fmt.Errorf("unexpected reply of type %T from %s", answer.Response, target)
	}
	*resp = *got
	return nil
}

// accept hands a request to the node without blocking. It returns false if the endpoint is
// closed.
func (t *Transport) accept(c *call, rpc raft.RPC) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed.Load() {
		return false
	}
	t.serving = append(t.serving, c)
	switch handle := t.heartbeat.Load(); {
	case c.stream != nil:
		c.stream.queue(c, rpc)
	case c.request.kind == KindHeartbeat && handle != nil:
		go t.handleHeartbeat(*handle, rpc)
	default:
		t.enqueueLocked(rpc)
	}
	return true
}

// handleHeartbeat passes a heartbeat to raft, unless the endpoint is closed: raft panics on
// a heartbeat after its stores are closed (hashicorp/raft #717).
func (t *Transport) handleHeartbeat(handle func(raft.RPC), rpc raft.RPC) {
	if !t.closed.Load() {
		handle(rpc)
	}
}

// enqueue puts a request into the queue of raft's main loop, unless the endpoint is closed.
func (t *Transport) enqueue(rpc raft.RPC) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed.Load() {
		t.enqueueLocked(rpc)
	}
}

// enqueueLocked is enqueue for a caller that holds the mutex of an open endpoint.
func (t *Transport) enqueueLocked(rpc raft.RPC) {
	if len(t.overflow) == 0 {
		select {
		case t.inbox <- rpc:
			return
		default:
			go t.pump(rpc)
		}
	}
	t.overflow = append(t.overflow, rpc)
}

// answered marks a request as answered. It returns false if the endpoint has died, so the
// answer does not count.
func (t *Transport) answered(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.serving)
	t.serving = remove(t.serving, c)
	return len(t.serving) < before
}

// remove removes a call, if present, from an unordered list.
func remove(calls []*call, c *call) []*call {
	i := slices.Index(calls, c)
	if i < 0 {
		return calls
	}
	last := len(calls) - 1
	calls[i], calls[last] = calls[last], nil
	return calls[:last]
}

// pump moves the overflow, whose first request is next, into the inbox as room appears. It
// ends when nothing is left.
func (t *Transport) pump(next raft.RPC) {
	for {
		select {
		case t.inbox <- next:
		case <-t.gone:
			return
		}
		t.mu.Lock()
		if len(t.overflow) > 0 {
			t.overflow = t.overflow[1:]
		}
		if len(t.overflow) == 0 {
			t.mu.Unlock()
			return
		}
		next = t.overflow[0]
		t.mu.Unlock()
	}
}
