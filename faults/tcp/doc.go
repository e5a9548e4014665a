// Package tcp joins raft nodes that are processes, over TCP, by links that can fail. A node uses
// raft's own NetworkTransport over a [StreamLayer]. Nodes reach each other directly or through a
// [Proxy], which reads raft's protocol message by message and applies the faults of package faults
// to each directed link. It needs no privilege and no packet filter.
//
// # Wire
//
// A connection begins with a hello of the dialer (a token, its name, the node it wants) and one of
// the acceptor (its name). Then both send frames: a mark, a length, and as many of raft's bytes. The
// mark is a number that the sender attaches to what it writes: what it had done by then. A proxy tells
// that to its tap, and passes on a mark of its own: what it had told by then.
//
// # Faults over TCP
//
// Messages of one connection and direction arrive in order. A lost message takes those behind it with
// it, so the connection is silent in that direction until its client gives up, as raft does after its
// RPC timeout; meanwhile the client does not learn that the server ends, either. A new connection over
// a cut link waits, as one whose first packet is lost. It needs only the link of the requests: over a
// link that is cut one way, requests still arrive and their replies are lost, as in virtual time,
// although the handshake of TCP would need both ways. [faults.Refuse] closes connections at once.
// [faults.Jam] holds everything. [faults.Bandwidth] is shared by all connections of a link. TCP hides
// loss, duplicates and reordering from raft, so [Possible] refuses these faults.
//
// A message on its way outlives its sender: it arrives although its caller has given up or died. Where
// nothing listens, the proxy takes the first request of each connection, to report it as lost.
package tcp
