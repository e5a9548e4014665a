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

// link carries packets in one direction, first in, first out, as a TCP connection does: jitter never reorders them.
// Packets of one kind pass those of other kinds only where a fault is limited to kinds (see Only), and a packet that
// Reorder picked lets others pass.
type link struct {
	net      *Network
	from, to *endpointSlot
	back     *link                            // the other direction
	faults   atomic.Pointer[[]installedFault] // sorted by name; never changed in place

	// mu is held while packets are judged, told to the tap, queued and handed over. Methods that control the
	// network never take it, but start a goroutine that does; so the tap and they cannot wait for each other.
	mu      sync.Mutex
	rng     *rand.Rand
	queue   []*inflight       // in the order in which they were sent
	applied *[]installedFault // the faults that have judged the queue
	timer   *time.Timer
}

// installedFault is a fault as set on a link. Ids grow with every SetFault, so that a packet can tell new faults from old.
type installedFault struct {
	LinkFault
	id uint64
}

func newLink(n *Network, from, to *endpointSlot) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(from.addr + "\x00" + to.addr)) // A hash never fails.
	l := &link{net: n, from: from, to: to, rng: rand.New(rand.NewPCG(uint64(n.seed), h.Sum64()))}
	l.faults.Store(new([]installedFault))
	l.applied = l.faults.Load()
	return l
}

func (l *link) installed() []installedFault { return *l.faults.Load() }

// clearLocked removes the faults that gone picks, and says whether there were any. The network's mutex is held.
func (l *link) clearLocked(gone func(LinkFault) bool) bool {
	old := l.installed()
	next := slices.DeleteFunc(slices.Clone(old), func(f installedFault) bool { return gone(f.LinkFault) })
	if len(next) == len(old) {
		return false
	}
	l.faults.Store(&next)
	return true
}

// send puts a packet on the link; if it is due at once, it has arrived when send returns. If the caller, who has time until
// the deadline, can carry it, then send returns after what time the caller is to call finishInline, or 0 if it need not.
func (l *link) send(p *inflight, deadline time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.net.closed.Load() {
		return 0
	}
	p.ID, p.RPC, p.From, p.To = l.net.packetIDs.Add(1), p.call.rpc, l.from.addr, l.to.addr
	if l.idle() {
		l.net.report(p, Sent, "")
		l.deliver(p)
		return 0
	}
	now := time.Now()
	l.reapplyFaults(now)
	p.sentAt = now
	p.latency = uniform(l.rng, time.Duration(l.net.latency.Load()), time.Duration(l.net.jitter.Load()))
	v := l.applyFaults(p, now)
	if v.Lost != "" {
		l.net.report(p, Sent, "")
		l.drop(p, v)
		return 0
	}
	l.reportSent(p, now)
	if !p.Reply && !p.Held && l.to.up() == nil {
		l.dropDown(p) // Nothing listens there, which the sender learns at once.
		return 0
	}
	// What takes just the link's own latency cannot be due earlier, whatever fault is taken back.
	p.inline = p.Delay > 0 && p.Delay == p.latency && p.Delay <= inlineMax && now.Add(p.Delay).Before(deadline)
	wait = p.Delay
	l.queue = append(l.queue, p)
	if p.inline && len(l.queue) == 1 && !v.Duplicated {
		return wait // nothing can be due before it
	}
	if v.Duplicated {
		twin := l.duplicate(p)
		l.reportSent(twin, now)
		l.queue = append(l.queue, twin)
	}
	l.advance(now)
	if !slices.Contains(l.queue, p) || !p.inline {
		return 0
	}
	return wait
}

// finishInline is called when a packet that its caller carries is due. From then on the link looks after it, if it is not yet
// through.
func (l *link) finishInline(p *inflight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.queue, p) {
		return // it is through, and perhaps no longer this link's: a late reply may have taken its place
	}
	alone := p.inline && len(l.queue) == 1
	p.inline = false
	if alone && l.applied == l.faults.Load() && !l.stopped() && !l.net.closed.Load() {
		l.queue[0], l.queue = nil, l.queue[:0] // as drainLocked would do, but faster
		l.deliver(p)
		return
	}
	l.drainLocked()
}

// idle is true if nothing can happen to a packet but its delivery at once. It only saves time.
func (l *link) idle() bool {
	return len(l.queue) == 0 && len(l.installed()) == 0 && l.net.latency.Load() == 0 && l.net.jitter.Load() == 0 && !l.stopped()
}

// stopped is true while the process at one of the ends is.
func (l *link) stopped() bool { return l.from.paused.Load() || l.to.paused.Load() }

// duplicate returns a duplicate of p, which travels right behind it. Nobody waits for a second reply, nor for the reply to a
// second request.
func (l *link) duplicate(p *inflight) *inflight {
	echo := p.call.detachedCopy()
	twin := &echo.packet
	*twin = *p
	twin.call, twin.effects = echo, slices.Clone(p.effects)
	if !p.Reply {
		twin.command = cloneRequest(p.command)
	}
	twin.ID, twin.Duplicate, twin.inline = l.net.packetIDs.Add(1), true, false
	return twin
}

// applyFaults has p judged by the faults that have not judged it yet, and returns the parts of their verdicts that count
// only now; the rest becomes marks.
func (l *link) applyFaults(p *inflight, now time.Time) Effect {
	var sum Effect
	for _, f := range l.installed() {
		if f.id <= p.newestFault {
			continue
		}
		v := f.Apply(p.Packet, l.rng)
		if v.Lost != "" && sum.Lost == "" {
			sum.Lost, sum.Refused = v.Lost, v.Refused
		}
		sum.Duplicated = sum.Duplicated || v.Duplicated
		if v.Occupies > 0 {
			v.Delay += l.freeAt(f.id, now).Add(v.Occupies).Sub(p.sentAt)
		}
		if v.Held || v.Reordered || v.Delay > 0 {
			p.effects = append(p.effects, faultEffect{id: f.id, Effect: v})
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

// reapplyFaults brings the packets under way up to date with the link's faults: those that were taken back no longer count,
// and those set since the packets were sent judge them now.
func (l *link) reapplyFaults(now time.Time) {
	faults := l.faults.Load()
	if faults == l.applied {
		return
	}
	l.applied = faults
	l.queue = slices.DeleteFunc(l.queue, func(p *inflight) bool {
		p.inline = false // it may be due later now
		p.effects = slices.DeleteFunc(p.effects, func(m faultEffect) bool {
			return !slices.ContainsFunc(*faults, func(f installedFault) bool { return f.id == m.id })
		})
		v := l.applyFaults(p, now)
		if v.Lost != "" {
			l.drop(p, v)
		}
		return v.Lost != ""
	})
}

// drain delivers what is due. It is what the timer and every change of the network run.
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

// advance delivers what is due and may go, in order, and sets the timer for what is due next.
func (l *link) advance(now time.Time) {
	for again := true; again; {
		again = false
		var next time.Time
		var waiting kindSet // kinds that have to wait for a packet before them
		stopped := l.stopped()
		stay := l.queue[:0]
		for _, p := range l.queue {
			due := p.deliveryTime()
			switch {
			case stopped || p.isHeld() || waiting.has(p.Kind) && !p.isReordered():
			case due.After(now):
				if !p.inline && (next.IsZero() || due.Before(next)) {
					next = due
				}
			default:
				l.deliver(p)
				again = endReorderWait(stay) || again
				continue
			}
			waiting |= p.blockedKinds()
			stay = append(stay, p)
		}
		clear(l.queue[len(stay):])
		l.queue = stay
		if !again && !next.IsZero() {
			l.wake(next.Sub(now))
		}
	}
}

// endReorderWait ends the wait of the packets that have now been overtaken, and says whether there were any.
func endReorderWait(overtaken []*inflight) (passed bool) {
	for _, p := range overtaken {
		before := len(p.effects)
		p.effects = slices.DeleteFunc(p.effects, func(m faultEffect) bool { return m.Reordered && !m.Held })
		passed = passed || len(p.effects) < before
	}
	return passed
}

func (l *link) wake(after time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(after, l.drain)
		return
	}
	l.timer.Reset(after)
}

// reportSent tells the tap that p is sent, and when it is due behind what is in the queue.
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

// deliver hands a packet to where it goes: a request to the node, a reply to the call that waits for it. The tap is
// told before, so that it never hears of an answer before the question.
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
	if peer == nil {
		l.dropDown(p)
		return
	}
	l.net.report(p, Delivered, "")
	late := c.arrive(peer)
	// From here on the reply may take the parcel's place at any time.
	if !peer.accept(c, raft.RPC{Command: p.command, Reader: p.reader(), RespChan: c.responses}) {
		c.complete(raft.RPCResponse{Error: ErrDown})
		return
	}
	if late {
		go c.forwardLateReply(peer)
	}
}

func (l *link) drop(p *inflight, v Effect) {
	l.net.report(p, Lost, v.Lost)
	if v.Refused {
		p.call.complete(raft.RPCResponse{Error: ErrRefused})
	}
}

func (l *link) dropDown(p *inflight) {
	l.net.report(p, Lost, string(l.to.addr)+" is down")
	p.call.complete(raft.RPCResponse{Error: ErrDown})
}
