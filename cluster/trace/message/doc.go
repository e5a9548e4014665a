// Package message looks up everything that a history knows about one RPC: its packets, from
// their sending to their delivery or loss, the log entries that the request carried, and why
// the receiver answered as it did.
//
// [Find] starts from the ID of any packet of the RPC; [Exchange.Extend] adds what has happened
// since. Both read only a stretch of the history around the packets, because packet IDs and RPC
// numbers grow with time. The package draws nothing.
package message
