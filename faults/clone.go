package faults

import "github.com/hashicorp/raft"

// Requests are copied before they leave their sender, for three reasons: Raft uses one
// request for several peers, reuses it after a timeout while it may still be in flight,
// and its in-memory store keeps the pointers it is given.

// byteArena cuts pieces from one allocation.
type byteArena struct{ free []byte }

func newByteArena(sizeBytes int) byteArena { return byteArena{make([]byte, sizeBytes)} }

// clone returns a copy of b. Its capacity ends with it, so appending to it cannot
// overwrite the next piece.
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

// cloneHeader returns a deep copy of a header, in an allocation of its own.
func cloneHeader(h raft.RPCHeader) raft.RPCHeader {
	a := newByteArena(len(h.ID) + len(h.Addr))
	return a.cloneHeader(h)
}

// cloneRequest returns a deep copy of one of raft's requests.
func cloneRequest(command any) any {
	switch c := command.(type) {
	case *raft.AppendEntriesRequest:
		return cloneAppend(c)
	case *raft.RequestVoteRequest:
		a := newByteArena(len(c.ID) + len(c.Addr) + len(c.Candidate)) //nolint:staticcheck // Raft still sets the deprecated field.
		out := *c
		out.RPCHeader = a.cloneHeader(c.RPCHeader)
		out.Candidate = a.clone(c.Candidate) //nolint:staticcheck // As above.
		return &out
	case *raft.RequestPreVoteRequest:
		out := *c
		out.RPCHeader = cloneHeader(c.RPCHeader)
		return &out
	case *raft.InstallSnapshotRequest:
		a := newByteArena(len(c.ID) + len(c.Addr) + len(c.Leader) + len(c.Peers) + len(c.Configuration))
		out := *c
		out.RPCHeader, out.Leader = a.cloneHeader(c.RPCHeader), a.clone(c.Leader)
		out.Peers, out.Configuration = a.clone(c.Peers), a.clone(c.Configuration)
		return &out
	case *raft.TimeoutNowRequest:
		out := *c
		out.RPCHeader = cloneHeader(c.RPCHeader)
		return &out
	default:
		return command
	}
}

// cloneAppend makes four allocations, however many entries there are.
func cloneAppend(c *raft.AppendEntriesRequest) *raft.AppendEntriesRequest {
	sizeBytes := len(c.ID) + len(c.Addr) + len(c.Leader) //nolint:staticcheck // Raft still sets the deprecated field.
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
