package message

import (
	"slices"
	"sort"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

const (
	// slack is how many events before its place by number a packet is looked for: packets
	// sent at one moment are not always reported in the order of their numbers.
	slack = 2000
	// extendMax is how many events one Extend reads at most.
	extendMax = 100_000
	// packetsMax is how many packets of one RPC are kept: a request and its reply, and
	// their duplicates.
	packetsMax = 32
)

// Passage is a packet from its sending to its delivery or loss.
type Passage struct {
	trace.Packet                // as it was sent, with the latest Status and Why
	Sent         trace.Position // zero if the history no longer holds it
	Waited       trace.Position // since when it has been held or, once it has ended, was held; zero for never
	Ended        trace.Position // zero while it is in flight
}

// Exchange is an RPC: its packets and, once the receiver has answered, why it answered so.
type Exchange struct {
	Packets []Passage // in the order of their sending
	// Entries are what an append request carries, from Packet.First on, nil if unknown.
	Entries []trace.Entry
	// Why says in words why the receiver answered as it did, "" if nothing is known. WhyAt is
	// the event that says so, zero if it follows from the receiver's log.
	Why   string
	WhyAt trace.Position
	// Expired is when the caller gave up on a held RPC, zero if it did not.
	Expired trace.Position

	rpc     uint64
	read    uint64 // the last event read
	arrived uint64 // the event that delivered the request, 0 before
	reason  *trace.Reason
}

// Find returns the exchange that a packet belongs to, and whether the history holds the packet.
func Find(h *history.History, id uint64) (*Exchange, bool) {
	if id == 0 {
		return nil, false
	}
	first, last := h.Span()
	at := before(h, func(p *trace.Packet) bool { return p.ID >= id })
	x := &Exchange{}
	h.Events(max(at, slack)-slack, last.Seq, func(e *trace.Event) bool {
		if e.Packet != nil && e.Packet.ID == id {
			x.rpc = e.Packet.RPC
		}
		return x.rpc == 0 && e.Seq < at+slack
	})
	if x.rpc == 0 {
		return nil, false
	}
	// A reply's request came earlier.
	at = before(h, func(p *trace.Packet) bool { return !p.Reply && !p.Duplicate && p.RPC >= x.rpc })
	x.read = max(min(at, last.Seq), first.Seq+slack) - slack
	x.Extend(h)
	if x.passage(id) == nil {
		return nil, false
	}
	return x, true
}

// before returns the number of an event shortly before the first sent packet for which is holds.
// Packets for which it does not hold come before those for which it does.
func before(h *history.History, is func(*trace.Packet) bool) uint64 {
	first, last := h.Span()
	n := sort.Search(int(last.Seq-first.Seq), func(i int) (after bool) {
		from := first.Seq + uint64(i) + 1
		found := false
		h.Events(from, last.Seq, func(e *trace.Event) bool {
			if e.Kind == trace.KindPacket && e.Packet != nil && e.Packet.Status == trace.Sent && !e.Packet.Reply && !e.Packet.Duplicate {
				found, after = true, is(e.Packet)
			}
			return !found
		})
		return after || !found
	})
	return first.Seq + uint64(n)
}

// Extend adds what has happened since the exchange was last brought up to date.
func (x *Exchange) Extend(h *history.History) {
	_, last := h.Span()
	to := min(last.Seq, x.read+extendMax)
	if to <= x.read || x.complete() {
		return
	}
	h.Events(x.read+1, to, func(e *trace.Event) bool {
		x.add(e)
		return !x.complete()
	})
	x.read = to
	x.explain(h)
}

// complete reports whether nothing more can happen to the exchange that a reader waits for.
func (x *Exchange) complete() bool {
	reply := x.Reply()
	return reply != nil && !slices.ContainsFunc(x.Packets, func(p Passage) bool { return p.Ended.Seq == 0 }) && x.Why != ""
}

func (x *Exchange) add(e *trace.Event) {
	switch {
	case e.Kind == trace.KindPacket && e.Packet != nil && e.Packet.RPC == x.rpc:
		x.addPacket(e.Packet, trace.Position{Seq: e.Seq, At: e.At})
	case x.arrived != 0 && x.Reply() == nil && e.Node == x.Packets[0].To:
		x.addReason(e)
	}
}

func (x *Exchange) addPacket(p *trace.Packet, at trace.Position) {
	if p.Status == trace.Expired {
		x.Expired = at
		return
	}
	now := x.passage(p.ID)
	if now == nil {
		if len(x.Packets) == packetsMax {
			return
		}
		x.Packets = append(x.Packets, Passage{Packet: *p})
		now = &x.Packets[len(x.Packets)-1]
	}
	now.Status = p.Status
	switch p.Status {
	case trace.Sent:
		now.Sent = at
	case trace.Waiting:
		if now.Deadline = p.Deadline; now.Waited.Seq == 0 {
			now.Waited = at
		}
	case trace.Delivered:
		now.Ended = at
		if !p.Reply && x.arrived == 0 {
			x.arrived = at.Seq
		}
	case trace.Lost:
		now.Ended, now.Why = at, p.Why
	case trace.Expired:
	}
}

// addReason keeps the receiver's reason for its answer: the node reports it between the arrival
// of the request and the sending of its reply.
func (x *Exchange) addReason(e *trace.Event) {
	request := &x.Packets[0]
	switch {
	case e.Kind == trace.KindReason && e.Reason != nil && e.Reason.Peer == request.From:
		denies := e.Reason.Decision == trace.DenyVote && request.Kind == "vote" ||
			e.Reason.Decision == trace.DenyPreVote && request.Kind == "prevote"
		if !denies || e.Reason.Term != 0 && e.Reason.Term != request.Term {
			return
		}
		reason := *e.Reason
		x.reason, x.WhyAt = &reason, trace.Position{Seq: e.Seq, At: e.At}
	case e.Kind == trace.KindVote && request.Kind == "vote" && e.Peer == request.From && e.Term == request.Term,
		e.Kind == trace.KindTruncated && request.Kind == "append" && e.Index-request.First < uint64(request.Entries),
		e.Kind == trace.KindInstalled && request.Kind == "snapshot":
		x.WhyAt = trace.Position{Seq: e.Seq, At: e.At}
	}
}

// passage returns a packet of the exchange, nil if it has none of that ID.
func (x *Exchange) passage(id uint64) *Passage {
	i := slices.IndexFunc(x.Packets, func(p Passage) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &x.Packets[i]
}

// Packet returns a packet of the exchange, the request if it has none of that ID.
func (x *Exchange) Packet(id uint64) *Passage {
	if p := x.passage(id); p != nil {
		return p
	}
	return &x.Packets[0]
}

// Request returns the request, nil if the history no longer holds it.
func (x *Exchange) Request() *Passage { return x.first(false) }

// Reply returns the reply, nil if there is none. Of several, it is the one that was not lost.
func (x *Exchange) Reply() *Passage { return x.first(true) }

// first returns the first request or reply that was not lost, or else the first one.
func (x *Exchange) first(reply bool) *Passage {
	var found *Passage
	for i := range x.Packets {
		p := &x.Packets[i]
		if p.Reply == reply && (found == nil || found.Status == trace.Lost && p.Status != trace.Lost) {
			found = p
		}
	}
	return found
}

// Counterpart returns the other half of the RPC: the reply to a request, the request of a reply;
// nil if there is none.
func (x *Exchange) Counterpart(p *Passage) *Passage { return x.first(!p.Reply) }

// Held returns how long a packet has been held at a moment, 0 if it never was.
func (p *Passage) Held(now time.Duration) time.Duration {
	switch {
	case p.Waited.Seq == 0:
		return 0
	case p.Ended.Seq != 0:
		return p.Ended.At - p.Waited.At
	}
	return max(now-p.Waited.At, 0)
}
