package spacetime

import (
	"time"

	"capsize/cluster/trace"
)

// Message is a packet from its sending to its delivery or loss.
type Message struct {
	Packet trace.Packet
	Sent   time.Duration
	Ended  time.Duration // 0 while in flight
	Quiet  bool          // it carries nothing new: see Class.Quiet
}

// Class ranks messages by how much they matter to a reader, most first.
type Class int

// The classes. A reply is in the class of its request, except that replies to appends
// with entries have a class of their own.
const (
	Decisive Class = iota // snapshots, leadership transfers, and kinds not known here
	Votes
	Appends // with entries
	AppendReplies
	PreVotes
	EmptyAppends
	Heartbeats
	Classes // how many classes there are
)

// UnansweredMax bounds the requests that a Classifier remembers.
const UnansweredMax = 1 << 16

// Classifier finds the class of messages. It remembers which append requests carry
// entries, because a reply does not say. The zero value is ready for use.
type Classifier struct {
	carries map[uint64]bool // by RPC
}

// Classify returns the class of a packet that is sent. It counts a reply to an append it
// never saw as a reply to entries: showing too much is better than hiding news.
func (c *Classifier) Classify(p *trace.Packet) Class {
	switch p.Kind {
	case "vote":
		return Votes
	case "prevote":
		return PreVotes
	case "heartbeat":
		return Heartbeats
	case "append":
		return c.classifyAppend(p)
	default:
		return Decisive
	}
}

func (c *Classifier) classifyAppend(p *trace.Packet) Class {
	if p.Reply {
		carries, known := c.carries[p.RPC]
		delete(c.carries, p.RPC)
		if carries || !known {
			return AppendReplies
		}
		return EmptyAppends
	}
	if c.carries == nil || len(c.carries) >= UnansweredMax {
		c.carries = map[uint64]bool{} // requests that were lost are never answered
	}
	c.carries[p.RPC] = p.Entries > 0
	if p.Entries > 0 {
		return Appends
	}
	return EmptyAppends
}

// Quiet reports whether a packet of a class carries nothing new: a heartbeat or its reply,
// an append without entries, or the reply that accepts one.
func (c Class) Quiet(p *trace.Packet) bool {
	return c == Heartbeats || c == EmptyAppends && (!p.Reply || p.OK)
}
