package faults

import "github.com/hashicorp/raft"

// A request is copied before it leaves its sender: Raft uses one request for several peers, fills it anew after a
// timeout while the old one may still be under way, and its in-memory store keeps the pointers that it is given.

// byteArena hands out pieces of one allocation.
type byteArena struct{ free []byte }

func newByteArena(sizeBytes int) byteArena { return byteArena{make([]byte, sizeBytes)} }

// clone returns a copy of b. A piece has no spare capacity, so that appending to it cannot reach the next one.
func (a *byteArena) clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	n := copy(a.free, b)
	piece := a.free[:n:n]
	a.free = a.free[n:]
	return piece
}

func (a *byteArena) cloneHeader(h raft.RPCHeader) raft.RPCHeader {
	h.ID, h.Addr = a.clone(h.ID), a.clone(h.Addr)
	return h
}

// cloneRequest returns a deep copy of one of raft's requests.
func cloneRequest(command any) any {
	switch c := command.(type) {
	case *raft.AppendEntriesRequest:
		return cloneAppend(c)
	case *raft.RequestVoteRequest:
		a := newByteArena(len(c.ID) + len(c.Addr) + len(c.Candidate)) //nolint:staticcheck // Raft still fills in the deprecated field.
		out := *c
		out.RPCHeader = a.cloneHeader(c.RPCHeader)
		out.Candidate = a.clone(c.Candidate) //nolint:staticcheck // As above.
		return &out
	case *raft.RequestPreVoteRequest:
		a := newByteArena(len(c.ID) + len(c.Addr))
		out := *c
		out.RPCHeader = a.cloneHeader(c.RPCHeader)
		return &out
	case *raft.InstallSnapshotRequest:
		a := newByteArena(len(c.ID) + len(c.Addr) + len(c.Leader) + len(c.Peers) + len(c.Configuration))
		out := *c
		out.RPCHeader, out.Leader = a.cloneHeader(c.RPCHeader), a.clone(c.Leader)
		out.Peers, out.Configuration = a.clone(c.Peers), a.clone(c.Configuration)
		return &out
	case *raft.TimeoutNowRequest:
		a := newByteArena(len(c.ID) + len(c.Addr))
		out := *c
		out.RPCHeader = a.cloneHeader(c.RPCHeader)
		return &out
	default:
		return command
	}
}

// cloneAppend makes four allocations however many entries there are.
func cloneAppend(c *raft.AppendEntriesRequest) *raft.AppendEntriesRequest {
	sizeBytes := len(c.ID) + len(c.Addr) + len(c.Leader) //nolint:staticcheck // Raft still fills in the deprecated field.
	for _, e := range c.Entries {
		sizeBytes += len(e.Data) + len(e.Extensions)
	}
	a := newByteArena(sizeBytes)
	out := *c
	out.RPCHeader = a.cloneHeader(c.RPCHeader)
	out.Leader = a.clone(c.Leader) //nolint:staticcheck // As above.
	out.Entries = nil
	if len(c.Entries) > 0 {
		logs := make([]raft.Log, len(c.Entries))
		out.Entries = make([]*raft.Log, len(c.Entries))
		for i, e := range c.Entries {
			logs[i] = *e
			logs[i].Data, logs[i].Extensions = a.clone(e.Data), a.clone(e.Extensions)
			out.Entries[i] = &logs[i]
		}
	}
	return &out
}
