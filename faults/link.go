package faults

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Link is the direction from one address to another.
type Link struct{ From, To raft.ServerAddress }

// link carries packets in one direction, first in, first out, as a TCP connection does:
// jitter never reorders them. A packet overtakes another only if that one is reordered,
// or has another kind and is slowed or held by a fault that is limited to kinds (Only).
type link struct {
	net      *Network
	from, to *endpointSlot
	back     *link                            // the other direction
	faults   atomic.Pointer[[]installedFault] // sorted by name; never changed in place

	// mu is held while faults are applied to packets and while packets are queued,
	// delivered and reported to the tap. Methods that control the network never take it:
	// they start a goroutine that does, so they cannot deadlock with the tap.
	mu      sync.Mutex
	rng     *rand.Rand
	queue   []*inflight       // in the order sent
	applied *[]installedFault // the faults that have been applied to the queue
	timer   *time.Timer
}

// installedFault is a fault set on a link. IDs grow with every SetFault, so a packet can
// tell new faults from those already applied to it.
type installedFault struct {
	LinkFault
	id uint64
}

func newLink(n *Network, from, to *endpointSlot) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(from.addr + "\x00" + to.addr)) // a hash never fails
	l := &link{net: n, from: from, to: to, rng: rand.New(rand.NewPCG(uint64(n.seed), h.Sum64()))}
	l.faults.Store(new([]installedFault))
	l.applied = l.faults.Load()
	return l
}

func (l *link) installed() []installedFault { return *l.faults.Load() }

// clearLocked removes the faults that gone selects and reports whether there were any.
// The caller holds the network's mutex.
func (l *link) clearLocked(gone func(LinkFault) bool) bool {
	old := l.installed()
	next := slices.DeleteFunc(slices.Clone(old), func(f installedFault) bool { return gone(f.LinkFault) })
	if len(next) == len(old) {
		return false
	}
	l.faults.Store(&next)
	return true
}

// send puts a packet on the link. A packet that is due at once has arrived when send
// returns. If wait is positive, the packet is inline: the caller, who has until the
// deadline, sleeps that long and then calls finishInline.
func (l *link) send(p *inflight, deadline time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.net.closed.Load() {
		return 0
	}
	p.ID, p.RPC, p.From, p.To = l.net.packetIDs.Add(1), p.call.rpc, l.from.addr, l.to.addr
	if s := p.call.stream; s != nil && *s.lost(p.Reply) {
		l.net.report(p, Sent, "")
		l.net.report(p, Lost, behindLost)
		return 0
	}
	if l.idle() {
		l.net.report(p, Sent, "")
		l.deliver(p)
		return 0
	}
	now := time.Now()
	l.reapplyFaults(now)
	p.sentAt = now
	p.latency = uniform(l.rng, time.Duration(l.net.latency.Load()), time.Duration(l.net.jitter.Load()))
	e := l.applyFaults(p, now)
	if e.Lost != "" {
		l.net.report(p, Sent, "")
		l.drop(p, e)
		return 0
	}
	l.reportSent(p, now)
	if !p.Reply && !p.Held && l.to.up() == nil {
		l.dropDown(p) // a sender learns at once that nothing listens there
		return 0
	}
	// A packet delayed by nothing but the link's own latency cannot become due earlier,
	// whatever fault is cleared, so its caller may sleep through the delay.
	p.inline = p.Delay > 0 && p.Delay == p.latency && p.Delay <= inlineMax && now.Add(p.Delay).Before(deadline)
	wait = p.Delay
	l.queue = append(l.queue, p)
	if p.inline && len(l.queue) == 1 && !e.Duplicated {
		return wait // nothing can be due before it
	}
	l.reportWaiting(p)
	if e.Duplicated {
		dup := l.duplicate(p, e)
		l.reportSent(dup, now)
		l.queue = append(l.queue, dup)
		l.reportWaiting(dup)
	}
	l.advance(now)
	if !slices.Contains(l.queue, p) || !p.inline {
		return 0
	}
	return wait
}

// finishInline ends the caller's wait for an inline packet that is now due. If the packet
// cannot be delivered yet, the link's timer takes over.
func (l *link) finishInline(p *inflight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.queue, p) {
		return // already through; a late reply may even have taken its place on another link
	}
	alone := p.inline && len(l.queue) == 1
	p.inline = false
	if alone && l.applied == l.faults.Load() && !l.stopped() && !l.net.closed.Load() {
		l.queue[0], l.queue = nil, l.queue[:0] // the same as drainLocked, but faster
		l.deliver(p)
		return
	}
	l.drainLocked()
}

// takeOver lets the link's timer deliver an inline packet that has not arrived.
func (l *link) takeOver(p *inflight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.queue, p) {
		p.inline = false
		l.drainLocked()
	}
}

// idle reports whether a packet sent now arrives at once, whatever it is. It only saves
// time.
func (l *link) idle() bool {
	return len(l.queue) == 0 && len(l.installed()) == 0 && l.net.latency.Load() == 0 && l.net.jitter.Load() == 0 && !l.stopped()
}

// stopped reports whether the process at either end is paused.
func (l *link) stopped() bool { return l.from.paused.Load() || l.to.paused.Load() }

// duplicate returns a copy of p that arrives right after it, or later if e says so. No
// caller waits for a copy of a reply, or for the reply to a copy of a request.
func (l *link) duplicate(p *inflight, e Effect) *inflight {
	detached := p.call.detachedCopy()
	dup := &detached.packet
	*dup = *p
	dup.call, dup.effects = detached, slices.Clone(p.effects)
	if !p.Reply {
		dup.command = cloneRequest(p.command)
	}
	dup.ID, dup.Duplicate, dup.inline = l.net.packetIDs.Add(1), true, false
	if e.CopyAfter > 0 {
		dup.effects = append(dup.effects, faultEffect{id: e.copyFault, Effect: Effect{Delay: e.CopyAfter, late: true}})
	}
	return dup
}

// applyFaults applies to p the faults that are newer than those it has met. It returns
// the effects that count only at this moment and adds the lasting ones to p.effects.
func (l *link) applyFaults(p *inflight, now time.Time) Effect {
	var sum Effect
	for _, f := range l.installed() {
		if f.id <= p.newestFault {
			continue
		}
		e := f.Apply(p.Packet, l.rng)
		if e.Lost != "" && sum.Lost == "" {
			sum.Lost, sum.Refused = e.Lost, e.Refused
		}
		if e.Duplicated {
			sum.Duplicated = true
			if e.CopyAfter > sum.CopyAfter {
				sum.CopyAfter, sum.copyFault = e.CopyAfter, f.id
			}
		}
		if e.Occupies > 0 {
			e.Delay += l.freeAt(f.id, now).Add(e.Occupies).Sub(p.sentAt)
		}
		if e.Held || e.Reordered || e.Delay > 0 {
			p.effects = append(p.effects, faultEffect{id: f.id, Effect: e})
		}
	}
	for _, f := range l.installed() {
		p.newestFault = max(p.newestFault, f.id)
	}
	return sum
}

// freeAt returns when a fault that limits bandwidth lets the next packet start.
func (l *link) freeAt(id uint64, now time.Time) time.Time {
	free := now
	for _, p := range l.queue {
		for _, m := range p.effects {
			if end := p.sentAt.Add(m.Delay); m.id == id && m.Occupies > 0 && end.After(free) {
				free = end
			}
		}
	}
	return free
}

// reapplyFaults brings the packets in flight up to date with the link's faults: the
// effects of cleared faults end, and faults set since a packet was sent apply to it now.
func (l *link) reapplyFaults(now time.Time) {
	faults := l.faults.Load()
	if faults == l.applied {
		return
	}
	l.applied = faults
	l.queue = slices.DeleteFunc(l.queue, func(p *inflight) bool {
		p.inline = false // it may be due later now
		if s := p.call.stream; s != nil && *s.lost(p.Reply) {
			l.net.report(p, Lost, behindLost)
			return true
		}
		p.effects = slices.DeleteFunc(p.effects, func(m faultEffect) bool {
			return !slices.ContainsFunc(*faults, func(f installedFault) bool { return f.id == m.id })
		})
		before := p.isByHand()
		e := l.applyFaults(p, now)
		if e.Lost != "" {
			l.drop(p, e)
		} else if !before {
			l.reportWaiting(p)
		}
		return e.Lost != ""
	})
}

// drain delivers the packets that are due. The timer and every change of the network run
// it.
func (l *link) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drainLocked()
}

func (l *link) drainLocked() {
	if l.net.closed.Load() {
		l.queue = nil
		return
	}
	now := time.Now()
	l.reapplyFaults(now)
	l.advance(now)
}

func drainAll(links []*link) {
	for _, l := range links {
		l.drain()
	}
}

// advance delivers, in order, the packets that are due and not blocked, and sets the
// timer for the next one.
func (l *link) advance(now time.Time) {
	for again := true; again; {
		again = false
		var next time.Time
		var waiting kindSet   // kinds that must wait for an earlier packet
		var streams []*stream // connections that must wait for an earlier packet
		stopped := l.stopped()
		first := l.overtaker(now)
		stay := l.queue[:0]
		for _, p := range l.queue {
			due := p.deliveryTime()
			switch {
			case stopped || p.isHeld() || waiting.has(p.Kind) && !p.isReordered():
			case slices.Contains(streams, p.call.stream): // only its own connection waits for it
				stay = append(stay, p)
				continue
			case first != nil && p.isReordered(): // first is about to overtake it
			case due.After(now):
				if !p.inline && (next.IsZero() || due.Before(next)) {
					next = due
				}
			default:
				l.deliver(p)
				if p == first {
					first = nil
				}
				var more bool
				stay, more = l.deliverOvertaken(stay, now)
				again = again || more
				continue
			}
			waiting |= p.blockedKinds()
			if p.call.stream != nil && !p.isLate() {
				streams = append(streams, p.call.stream)
			}
			stay = append(stay, p)
		}
		clear(l.queue[len(stay):])
		l.queue = stay
		if !again && !next.IsZero() {
			l.wake(next.Sub(now))
		}
	}
}

func (l *link) wake(after time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(after, l.drain)
		return
	}
	l.timer.Reset(after)
}

// reportSent reports p as sent, with the delay that results from p and from the packets
// it must wait behind.
func (l *link) reportSent(p *inflight, now time.Time) {
	due := p.deliveryTime()
	p.Held = p.isHeld() || l.stopped()
	if !p.isReordered() {
		for _, q := range l.queue {
			if q.blockedKinds().has(p.Kind) {
				p.Held = p.Held || q.isHeld()
				if d := q.deliveryTime(); d.After(due) {
					due = d
				}
			}
		}
	}
	p.Delay = 0
	if !p.Held {
		p.Delay = max(0, due.Sub(now))
	}
	l.net.report(p, Sent, "")
}

// deliver hands a request to its node, or a reply to the call that waits for it. It
// reports to the tap first, so the tap never sees a reply before its request.
func (l *link) deliver(p *inflight) {
	if p.Reply {
		why, ok := p.call.tryComplete()
		if !ok {
			l.net.report(p, Lost, why)
			return
		}
		l.net.report(p, Delivered, "")
		p.call.done <- p.answer
		return
	}
	peer, c := l.to.up(), p.call
	if peer == nil || c.stream != nil && c.stream.peer != peer {
		l.dropDown(p) // a connection ends with the process that accepted it
		return
	}
	l.net.report(p, Delivered, "")
	late := c.arrive(peer)
	// From here on the reply may overwrite c.packet, and p with it, at any time.
	if !peer.accept(c, raft.RPC{Command: p.command, Reader: p.reader(), RespChan: c.responses}) {
		c.complete(raft.RPCResponse{Error: ErrDown})
		return
	}
	if late && c.stream == nil { // a stream always replies
		go c.forwardLateReply(peer)
	}
}

// behindLost is why a packet is lost after an earlier one of its connection.
const behindLost = "its connection waits for a lost packet"

func (l *link) drop(p *inflight, e Effect) {
	l.net.report(p, Lost, e.Lost)
	if s := p.call.stream; s != nil && !p.call.duplicate {
		*s.lost(p.Reply) = true
	}
	if e.Refused {
		p.call.complete(raft.RPCResponse{Error: ErrRefused})
	}
}

func (l *link) dropDown(p *inflight) {
	l.net.report(p, Lost, string(l.to.addr)+" is down")
	p.call.complete(raft.RPCResponse{Error: ErrDown})
}
