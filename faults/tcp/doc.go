// Package tcp joins raft nodes that are processes, over TCP, by links that can fail. A node uses
// raft's own NetworkTransport over a [StreamLayer]. Nodes reach each other directly or through a
// [Proxy], which reads raft's protocol message by message and applies the faults of package faults
// to each directed link. It needs no privilege and no packet filter.
//
// # Wire
//
// A connection begins with a hello of the dialer (a token, its name, the node it wants) and one of
// the acceptor (its name). Then both send frames: a mark, a length, and as many of raft's bytes. The
// mark is a number that the sender attaches to what it writes: what it had done by then.
//
// # Faults over TCP
//
// A connection is a row of messages in each direction. One that is lost takes with it what comes
// later in its direction, because TCP delivers in order: the connection is silent until one end
// gives up, as raft does after its RPC timeout. A new connection over a link that is cut waits, as
// one whose first packet is lost. It needs only the link on which requests go: with a link cut one
// way, requests still arrive the other way and their replies are lost, as in virtual time. The
// handshake of TCP itself would need both ways. Refuse closes connections at once. Jam holds everything. TCP hides
// loss, duplicates and reordering from raft, so [Possible] refuses these faults.
package tcp
