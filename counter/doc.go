// Package counter is the state machine that the cluster replicates: one signed
// 64-bit counter, and for each client what its last command came to, so that a
// retry counts once.
//
// A [Command] is what a client asks for. Its encoding is the data of a Raft log
// entry. An [FSM] applies committed entries in log order and answers each with a
// [Result]. The state is a function of the entries applied and of nothing else:
// no clock, no chance, no order of a map. Nodes that applied the same entries
// hold the same state, and their snapshots are equal byte for byte.
//
// # Sessions
//
// A client that got no answer cannot know whether its command was applied. With
// [Command.Session] set it may send the same command again under the same
// sequence number: the second one in the log changes nothing and returns what
// the first one returned (Raft dissertation, section 6.3). Only the last result
// of a client is remembered, so a client must learn the outcome of one command,
// or give it up, before it sends the next, with a higher number. What is
// remembered goes by client and number alone: the content of a retry is not
// compared with the original. A client that wants several commands in flight at
// once uses several names.
//
// Sessions never end, because without a clock that all nodes share, forgetting
// one would have to be a command as well. [MaxSessions] bounds them instead.
//
// # Who owns what
//
// An FSM belongs to the goroutine that Raft applies with: Apply, Snapshot and
// Restore must not overlap, and Raft sees to that. Value is for everybody else,
// at any time. A snapshot is a copy that no later Apply changes, so it may be
// persisted while the FSM goes on.
package counter
