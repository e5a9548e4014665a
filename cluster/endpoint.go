package cluster

import (
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// endpoint is how a process reaches other nodes.
type endpoint interface {
	raft.Transport
	raft.WithPreVote
	raft.WithClose
}

// netEndpoint is raft's own transport, of a process of the operating system. It shows the process
// what package faults shows in virtual time: its requests, and its replies before they leave.
type netEndpoint struct {
	*raft.NetworkTransport
	p     *process
	inbox chan raft.RPC
	gone  chan struct{} // closed with the endpoint
}

var _ endpoint = (*netEndpoint)(nil)

// maxPool is how many idle connections to each node are kept, as in Consul.
const maxPool = 3

// newNetEndpoint returns the endpoint of a process over a stream layer.
func newNetEndpoint(p *process, layer raft.StreamLayer) *netEndpoint {
	s := p.c.settings
	conf := &raft.NetworkTransportConfig{Stream: layer, MaxPool: maxPool, Timeout: s.RPCTimeout, Logger: discardLogger}
	if !s.Pipeline {
		conf.MaxRPCsInFlight = 1
	}
	e := &netEndpoint{
		NetworkTransport: raft.NewNetworkTransportWithConfig(conf),
		p:                p, inbox: make(chan raft.RPC), gone: make(chan struct{}),
	}
	go e.forward()
	return e
}

// forward passes requests on to raft.
func (e *netEndpoint) forward() {
	for {
		select {
		case rpc := <-e.NetworkTransport.Consumer():
			select {
			case e.inbox <- e.observed(rpc):
			case <-e.gone:
				return
			}
		case <-e.gone:
			return
		}
	}
}

// observed returns a request whose reply the process sees before it leaves.
func (e *netEndpoint) observed(rpc raft.RPC) raft.RPC {
	if c, ok := rpc.Command.(*raft.TimeoutNowRequest); ok {
		e.p.setHandedBy(string(c.Addr))
	}
	replies, out := make(chan raft.RPCResponse, 1), rpc.RespChan
	rpc.RespChan = replies
	go func() {
		select {
		case reply := <-replies:
			e.p.observe()
			e.p.seeReply(rpc.Command, reply)
			out <- reply
		case <-e.gone:
		}
	}()
	return rpc
}

// seeReply takes a reply that the process sends.
func (p *process) seeReply(command any, reply raft.RPCResponse) {
	packet := faults.Packet{Reply: true}
	if reply.Error != nil {
		packet.Error = reply.Error.Error()
	}
	switch c := command.(type) {
	case *raft.RequestVoteRequest:
		packet.To, packet.Kind, packet.RequestTerm = raft.ServerAddress(c.Addr), faults.KindVote, c.Term
		if r, ok := reply.Response.(*raft.RequestVoteResponse); ok {
			packet.Term, packet.OK = r.Term, r.Granted
		}
	case *raft.RequestPreVoteRequest:
		packet.To, packet.Kind, packet.RequestTerm = raft.ServerAddress(c.Addr), faults.KindPreVote, c.Term
		if r, ok := reply.Response.(*raft.RequestPreVoteResponse); ok {
			packet.Term, packet.OK = r.Term, r.Granted
		}
	default:
		return
	}
	p.seeVoteReply(&packet)
}

// Consumer returns the channel on which requests arrive.
func (e *netEndpoint) Consumer() <-chan raft.RPC { return e.inbox }

// SetHeartbeatHandler sets what handles heartbeats, unless they queue with all other requests.
func (e *netEndpoint) SetHeartbeatHandler(handle func(raft.RPC)) {
	if e.p.c.settings.FastHeartbeats {
		e.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) { handle(e.observed(rpc)) })
	}
}

// Close ends the endpoint.
func (e *netEndpoint) Close() error {
	select {
	case <-e.gone:
		return nil
	default:
	}
	close(e.gone)
	err := e.NetworkTransport.Close()
	e.CloseStreams()
	return err
}

// AppendEntries, and all other requests, first tell what has changed at the sender.
func (e *netEndpoint) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	e.p.observe()
	return e.NetworkTransport.AppendEntries(id, target, args, resp)
}

// RequestVote asks for a vote.
func (e *netEndpoint) RequestVote(id raft.ServerID, target raft.ServerAddress,
	args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	e.p.observe()
	return e.NetworkTransport.RequestVote(id, target, args, resp)
}

// RequestPreVote asks for a pre-vote.
func (e *netEndpoint) RequestPreVote(id raft.ServerID, target raft.ServerAddress,
	args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse,
) error {
	e.p.observe()
	return e.NetworkTransport.RequestPreVote(id, target, args, resp)
}

// AppendEntriesPipeline opens a pipeline.
func (e *netEndpoint) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	line, err := e.NetworkTransport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return observedPipeline{line, e.p}, nil
}

// observedPipeline is a pipeline whose requests tell what has changed at the sender.
type observedPipeline struct {
	raft.AppendPipeline
	p *process
}

// AppendEntries sends a request.
func (o observedPipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	o.p.observe()
	return o.AppendPipeline.AppendEntries(args, resp)
}

// memoryEndpoint is an endpoint that reaches nobody: it only encodes addresses.
type memoryEndpoint struct{ *raft.InmemTransport }

// RequestPreVote implements raft.WithPreVote.
func (memoryEndpoint) RequestPreVote(raft.ServerID, raft.ServerAddress, *raft.RequestPreVoteRequest, *raft.RequestPreVoteResponse) error {
	return faults.ErrDown
}

// moment is how far apart two looks at the clock may be that mean the same moment to raft. In virtual
// time they are equal.
const moment = time.Millisecond

// isSameMoment reports whether two times mean the same moment.
func isSameMoment(a, b time.Time) bool { return a.Sub(b).Abs() <= moment }
