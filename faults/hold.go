package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// Hold makes packets wait until a user moves them one by one: see [Network.Deliver] and
// [Network.Drop]. Once it is cleared the others arrive as after a [Jam].
type Hold struct{}

// Name returns "hold".
func (Hold) Name() string { return "hold" }

// Meaning implements LinkFault.
func (Hold) Meaning() string { return "hold every message until you deliver or drop it" }

func (Hold) String() string { return "hold" }

// Apply implements LinkFault.
func (Hold) Apply(Packet, *rand.Rand) Effect { return Effect{Held: true, byHand: true} }

// CallerSleep returns how long the callers of packets in flight may sleep: until then they do not
// notice that a reply has arrived early. Packets sent on a held link make nobody sleep.
func (n *Network) CallerSleep() time.Duration {
	return min(time.Duration(n.latency.Load()+n.jitter.Load()), inlineMax)
}

// DroppedByHand is why a packet is lost that Drop has dropped.
const DroppedByHand = "dropped by hand"

// ErrNotWaiting is returned by Deliver and Drop if no Hold holds the packet, and by Expire if no
// deadline runs: the packet may have been delivered or dropped, or never held.
var ErrNotWaiting = errors.New("it is not waiting")

// Deliver delivers a packet that a Hold has stopped, at once, before and after others of its link.
// With twice, a copy arrives right after it. The error is ErrNotWaiting, or says what keeps the
// packet: a paused process, or an earlier packet of its connection.
func (n *Network) Deliver(at Link, id uint64, twice bool) error {
	if err := n.pausedEnd(at); err != nil {
		return err
	}
	return n.byHand(at, id, func(l *link, p *inflight) {
		var dup *inflight
		if twice {
			dup = l.duplicate(p, Effect{})
			dup.effects, dup.Held, dup.Delay = nil, false, 0
			l.net.report(dup, Sent, "")
		}
		l.deliver(p)
		if dup != nil {
			l.deliver(dup)
		}
	})
}

// Drop loses a packet that a Hold has stopped. Its caller waits on, until its deadline. On a
// pipeline, everything behind the packet is lost too. The errors are those of Deliver, but a paused
// process keeps no packet from being lost.
func (n *Network) Drop(at Link, id uint64) error {
	return n.byHand(at, id, func(l *link, p *inflight) {
		l.drop(p, Effect{Lost: DroppedByHand})
		l.dropBehind(p)
	})
}

// pausedEnd returns an error if the process at an end of a link is paused.
func (n *Network) pausedEnd(at Link) error {
	l := n.link(at.From, at.To)
	for _, end := range []*endpointSlot{l.from, l.to} {
		if end.paused.Load() {
			return fmt.Errorf("%s is paused, so nothing gets in or out: resume it first", end.addr)
		}
	}
	return nil
}

// byHand takes a packet that a Hold has stopped off its link, and passes it to move.
func (n *Network) byHand(at Link, id uint64, move func(*link, *inflight)) error {
	l := n.link(at.From, at.To)
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.queue, func(p *inflight) bool { return p.ID == id && p.isByHand() })
	if i < 0 {
		return ErrNotWaiting
	}
	p := l.queue[i]
	if s := p.call.stream; s != nil && !p.isLate() {
		for _, q := range l.queue[:i] {
			if q.call.stream == s {
				return fmt.Errorf("it is behind #%d on one connection: move #%d first", q.ID, q.ID)
			}
		}
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	move(l, p)
	return nil
}

// dropBehind loses the packets behind a lost one of their connection.
func (l *link) dropBehind(p *inflight) {
	s := p.call.stream
	if s == nil || p.call.duplicate {
		return
	}
	l.queue = slices.DeleteFunc(l.queue, func(q *inflight) bool {
		if q.call.stream != s {
			return false
		}
		l.net.report(q, Lost, behindLost)
		return true
	})
}

// reportWaiting reports that p waits for a user, if it does.
func (l *link) reportWaiting(p *inflight) {
	if !p.isByHand() {
		return
	}
	p.call.heldOn.Store(l)
	p.Deadline = p.call.runningDeadline()
	l.net.report(p, Waiting, "")
}

// runningDeadline returns when the caller gives up, zero if no deadline runs.
func (c *call) runningDeadline() time.Time {
	if c.caller == nil {
		return time.Time{}
	}
	c.caller.mu.Lock()
	defer c.caller.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.completed {
		return time.Time{}
	}
	return c.deadline
}

// reportDeadline reports that the deadline of a call begins to run, if a packet of the call waits
// for a user.
func (l *link) reportDeadline(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.queue {
		if p.call == c {
			l.reportWaiting(p)
		}
	}
}

// expiry is the report that the caller gives up.
func (c *call) expiry() Packet {
	return Packet{RPC: c.rpc, Status: Expired, From: c.back.to.addr, To: c.back.from.addr, Kind: c.request.kind}
}

// Expire makes the RPCs from one node to another time out, as if their deadlines had passed: all
// whose deadlines run, or those of some kinds. The error is ErrNotWaiting if there are none.
func (n *Network) Expire(from, to raft.ServerAddress, kinds ...Kind) error {
	n.mu.RLock()
	s := n.slots[from]
	n.mu.RUnlock()
	if s == nil || s.up() == nil {
		return ErrNotWaiting
	}
	set := everyKind
	if len(kinds) > 0 {
		set = setOf(kinds...)
	}
	t := s.up()
	var expired []Packet
	t.mu.Lock()
	for _, c := range t.calling {
		if c.back.from.addr == to && set.has(c.request.kind) && !c.deadline.IsZero() && c.abort(ErrTimeout, pastDeadline) {
			expired = append(expired, c.expiry())
		}
	}
	t.mu.Unlock()
	if len(expired) == 0 {
		return ErrNotWaiting
	}
	for _, p := range expired {
		n.tapPacket(p)
	}
	return nil
}

// tapPacket reports a packet that is complete.
func (n *Network) tapPacket(p Packet) {
	if n.tap != nil && !n.closed.Load() {
		n.tap(p)
	}
}
