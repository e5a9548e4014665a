package history

import (
	"time"

	"capsize/cluster/trace"
)

// event describes an event. A plain one, which only a writer knows, carries nothing but a
// packet.
func (c *deltaCodec) event(e *trace.Event, plain bool) {
	outer := c.begin(1)
	b := firstBit
	next := c.last.seq + 1
	if c.has(b.next(), e.Seq != next) {
		nearby(c, &e.Seq, &next)
	} else {
		e.Seq = next
	}
	c.last.seq = e.Seq
	if c.has(b.next(), uint64(e.At) != c.last.at) {
		nearby(c, &e.At, &c.last.at)
	} else {
		e.At = time.Duration(c.last.at)
	}
	if c.has(b.next(), e.Packet != nil) {
		if c.reading {
			e.Packet = c.packetSpace()
		}
		c.deltaPacket(e.Packet)
	}
	if c.has(b.next(), !plain) {
		c.fields(e)
	} else {
		e.Kind = trace.KindPacket
	}
	c.end(outer)
}

// fields describes what an event carries beside a packet.
func (c *deltaCodec) fields(e *trace.Event) {
	outer := c.begin(3)
	b := firstBit
	name(c, b.next(), &e.Kind)
	name(c, b.next(), &e.Node)
	name(c, b.next(), &e.Peer)
	name(c, b.next(), &e.Process)
	name(c, b.next(), &e.Role)
	near(c, b.next(), &e.Term, &c.last.term)
	near(c, b.next(), &e.Index, &c.last.index)
	near(c, b.next(), &e.Last, &c.last.index)
	near(c, b.next(), &e.Value, &c.last.value)
	number(c, b.next(), &e.Size)
	c.float(b.next(), &e.Factor)
	name(c, b.next(), &e.Check)
	name(c, b.next(), &e.Verdict)
	number(c, b.next(), &e.Count)
	c.text(b.next(), &e.Text)
	c.bytes(b.next(), &e.Data)
	list(c, b.next(), &e.Proof, (*deltaCodec).seq)
	list(c, b.next(), &e.Entries, (*deltaCodec).entry)
	list(c, b.next(), &e.Servers, (*deltaCodec).server)
	list(c, b.next(), &e.Faults, (*deltaCodec).str)
	if c.has(b.next(), e.Reason != nil) {
		if c.reading {
			e.Reason = new(trace.Reason)
		}
		c.reason(e.Reason)
	}
	if c.has(b.next(), e.Op != nil) {
		if c.reading {
			e.Op = new(trace.Op)
		}
		c.op(e.Op)
	}
	if c.has(b.next(), e.Settings != nil) {
		if c.reading {
			e.Settings = new(trace.Settings)
		}
		c.settings(e.Settings)
	}
	c.questionAt(b.next(), &e.Question)
	c.end(outer)
}

// packetSpace returns an empty packet to read to.
func (c *deltaCodec) packetSpace() *trace.Packet {
	if c.packet == nil {
		return new(trace.Packet)
	}
	*c.packet = trace.Packet{}
	return c.packet
}

// deltaPacket describes a packet as the difference from a similar one.
func (c *deltaCodec) deltaPacket(p *trace.Packet) {
	like := c.slot(p)
	outer := c.begin(3)
	b := firstBit
	near(c, b.next(), &p.ID, &c.last.packet)
	near(c, b.next(), &p.RPC, &c.last.rpc)
	sameName(c, b.next(), &p.Status, &like.Status)
	sameName(c, b.next(), &p.From, &like.From)
	sameName(c, b.next(), &p.To, &like.To)
	sameName(c, b.next(), &p.Kind, &like.Kind)
	c.bool(b.next(), &p.Reply)
	c.bool(b.next(), &p.Duplicate)
	c.bool(b.next(), &p.Held)
	c.text(b.next(), &p.Why)
	same(c, b.next(), &p.Delay, &like.Delay)
	same(c, b.next(), &p.Deadline, &like.Deadline)
	same(c, b.next(), &p.SizeBytes, &like.SizeBytes)
	same(c, b.next(), &p.Term, &like.Term)
	c.bool(b.next(), &p.OK)
	same(c, b.next(), &p.PrevIndex, &like.PrevIndex)
	same(c, b.next(), &p.PrevTerm, &like.PrevTerm)
	same(c, b.next(), &p.First, &like.First)
	same(c, b.next(), &p.Entries, &like.Entries)
	same(c, b.next(), &p.Commit, &like.Commit)
	same(c, b.next(), &p.LastIndex, &like.LastIndex)
	same(c, b.next(), &p.LastTerm, &like.LastTerm)
	c.text(b.next(), &p.Error)
	c.end(outer)
}

// slot returns the packet to describe p as the difference from: the last one in the same
// slot, most likely of the same kind on the same link. The writer picks the slot and
// writes its number down.
func (c *deltaCodec) slot(p *trace.Packet) *trace.Packet {
	if c.packets == nil {
		c.packets = new([SimilarSlots]trace.Packet)
	}
	if c.reading {
		c.at++
		return &c.packets[c.buf[c.at-1]]
	}
	guess := Similarity(p)
	c.buf = append(c.buf, byte(guess))
	return &c.packets[guess]
}

// Similarity hashes a packet's kind and link to a number below [SimilarSlots], so
// packets that have much in common can be written as the difference from each other.
// A collision costs space or time, never correctness.
func Similarity(p *trace.Packet) int {
	guess := len(p.Kind)*3 + len(p.Status)*17
	if p.Reply {
		guess += 5
	}
	if from, to := len(p.From), len(p.To); from > 0 && to > 0 {
		guess += int(p.From[from-1])*11 + int(p.To[to-1])*29
	}
	return guess % SimilarSlots
}

func (c *deltaCodec) reason(r *trace.Reason) {
	outer := c.begin(2)
	b := firstBit
	name(c, b.next(), &r.Decision)
	name(c, b.next(), &r.Cause)
	name(c, b.next(), &r.Peer)
	name(c, b.next(), &r.Other)
	near(c, b.next(), &r.Term, &c.last.term)
	near(c, b.next(), &r.OwnTerm, &c.last.term)
	near(c, b.next(), &r.LastIndex, &c.last.index)
	near(c, b.next(), &r.LastTerm, &c.last.term)
	near(c, b.next(), &r.PeerIndex, &c.last.index)
	near(c, b.next(), &r.PeerTerm, &c.last.term)
	number(c, b.next(), &r.Count)
	number(c, b.next(), &r.Total)
	number(c, b.next(), &r.Silence)
	list(c, b.next(), &r.Voters, (*deltaCodec).str)
	c.text(b.next(), &r.Error)
	c.end(outer)
}

func (c *deltaCodec) op(o *trace.Op) {
	outer := c.begin(2)
	b := firstBit
	near(c, b.next(), &o.ID, &c.last.op)
	name(c, b.next(), &o.Client)
	name(c, b.next(), &o.Kind)
	number(c, b.next(), &o.Delta)
	name(c, b.next(), &o.Level)
	name(c, b.next(), &o.Route)
	near(c, b.next(), &o.Seq, &c.last.opSeq)
	near(c, b.next(), &o.Invoked, &c.last.ns)
	near(c, b.next(), &o.Returned, &c.last.ns)
	name(c, b.next(), &o.Node)
	number(c, b.next(), &o.Attempts)
	name(c, b.next(), &o.Outcome)
	near(c, b.next(), &o.Value, &c.last.value)
	c.text(b.next(), &o.Why)
	near(c, b.next(), &o.CallSeq, &c.last.seq)
	near(c, b.next(), &o.ReturnSeq, &c.last.seq)
	c.end(outer)
}

func (c *deltaCodec) settings(s *trace.Settings) {
	outer := c.begin(3)
	b := firstBit
	number(c, b.next(), &s.Seed)
	name(c, b.next(), &s.Storage)
	number(c, b.next(), &s.Heartbeat)
	number(c, b.next(), &s.Election)
	number(c, b.next(), &s.Lease)
	number(c, b.next(), &s.Latency)
	number(c, b.next(), &s.Jitter)
	number(c, b.next(), &s.Fsync)
	number(c, b.next(), &s.RPCTimeout)
	number(c, b.next(), &s.ClientTimeout)
	c.bool(b.next(), &s.PreVote)
	c.bool(b.next(), &s.Sessions)
	number(c, b.next(), &s.SnapshotThreshold)
	number(c, b.next(), &s.TrailingLogs)
	c.bool(b.next(), &s.SnapshotCure)
	c.bool(b.next(), &s.FastHeartbeats)
	c.bool(b.next(), &s.Pipeline)
	c.end(outer)
}

// questionAt describes a pointer to a question.
func (c *deltaCodec) questionAt(bit bits, p **trace.Question) {
	if !c.has(bit, *p != nil) {
		return
	}
	if c.reading {
		*p = new(trace.Question)
	}
	c.question(*p)
}

func (c *deltaCodec) question(q *trace.Question) {
	outer := c.begin(1)
	b := firstBit
	number(c, b.next(), &q.Number)
	c.text(b.next(), &q.Text)
	dictionary(c, b.next(), (*map[string]string)(&q.In), (*deltaCodec).translation)
	list(c, b.next(), &q.Choices, (*deltaCodec).choice)
	c.text(b.next(), &q.Because)
	dictionary(c, b.next(), (*map[string]string)(&q.BecauseIn), (*deltaCodec).translation)
	list(c, b.next(), &q.Picked, (*deltaCodec).count)
	c.bool(b.next(), &q.Judged)
	c.end(outer)
}

func (c *deltaCodec) choice(o *trace.Choice) {
	outer := c.begin(1)
	b := firstBit
	c.text(b.next(), &o.Text)
	dictionary(c, b.next(), (*map[string]string)(&o.In), (*deltaCodec).translation)
	c.bool(b.next(), &o.True)
	c.end(outer)
}

// count describes a number in a list.
func (c *deltaCodec) count(n *int) {
	outer := c.begin(1)
	number(c, firstBit, n)
	c.end(outer)
}

func (c *deltaCodec) entry(e *trace.Entry) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &e.Term, &c.last.term)
	name(c, b.next(), &e.Kind)
	number(c, b.next(), &e.Delta)
	name(c, b.next(), &e.Client)
	near(c, b.next(), &e.Seq, &c.last.opSeq)
	c.bool(b.next(), &e.NoSession)
	list(c, b.next(), &e.Servers, (*deltaCodec).server)
	c.end(outer)
}

func (c *deltaCodec) server(s *trace.Server) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &s.ID)
	c.bool(b.next(), &s.Voter)
	c.end(outer)
}

// str describes a string in a list.
func (c *deltaCodec) str(s *string) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), s)
	c.end(outer)
}

// seq describes the number of an event, or a count, in a list.
func (c *deltaCodec) seq(seq *uint64) {
	outer := c.begin(1)
	b := firstBit
	number(c, b.next(), seq)
	c.end(outer)
}
