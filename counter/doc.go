// Package counter is the state machine that the cluster replicates: one signed
// 64-bit counter and, for each client, the result of its last command, so a
// retry counts once.
//
// A [Command] is what a client asks for. Its encoding is the data of a Raft log
// entry. An [FSM] applies committed entries in log order and answers each with a
// [Result]. Its state depends only on the entries applied: not on the clock, on
// randomness or on map order. Nodes that have applied the same entries have the
// same state, and their snapshots are equal byte for byte.
//
// # Sessions
//
// A client that gets no answer cannot know whether its command was applied. With
// [Command.Session] set, it may send the same command again under the same
// sequence number: the second one in the log changes nothing and returns what
// the first one returned (Raft dissertation, section 6.3). An FSM remembers only
// the last result of a client, so a client must learn the outcome of one
// command, or give it up, before it sends the next one, with a higher number. An
// FSM identifies a retry by client and number alone: it does not compare its
// content with the original. A client that wants several commands in flight at
// once uses several names.
//
// Sessions never expire: without a clock that all nodes share, expiring one would
// have to be a command in the log. [MaxSessions] bounds them instead.
//
// # Concurrency
//
// An FSM belongs to the goroutine on which Raft applies entries: Apply, Snapshot
// and Restore must not overlap, which Raft guarantees. Any goroutine may call
// Value at any time. A snapshot is a copy that later entries do not change, so it
// may be persisted while the FSM applies more of them.
package counter
