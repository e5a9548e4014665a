package faults

import (
	"math/rand/v2"
	"slices"
	"time"
)

// reorderWaitMax is how long a reordered packet waits for a later one to overtake it. It
// is twice Raft's usual heartbeat interval, so on an idle link the next heartbeat mostly
// does.
const reorderWaitMax = 200 * time.Millisecond

// Reorder picks each packet with a probability of Percent, from 0 to 100. A picked packet
// waits until a later one has overtaken it, or for 200 ms if none does. Packets that wait
// at the same time arrive in reverse order. Packets of one connection
// (AppendEntriesPipeline) do not overtake each other.
type Reorder struct{ Percent float64 }

// Name returns "reorder".
func (Reorder) Name() string { return "reorder" }

// Meaning implements LinkFault.
func (Reorder) Meaning() string { return "let the next message overtake this percentage of messages" }

func (f Reorder) String() string { return "reorder " + formatPercent(f.Percent) + "%" }

// Apply implements LinkFault.
func (f Reorder) Apply(_ Packet, rng *rand.Rand) Effect {
	if !chance(rng, f.Percent) {
		return Effect{}
	}
	return Effect{Reordered: true, Delay: reorderWaitMax}
}

// endReorderWait ends p's wait to be overtaken.
func (p *inflight) endReorderWait() {
	p.effects = slices.DeleteFunc(p.effects, func(m faultEffect) bool { return m.Reordered && !m.Held })
}

// arrivedBefore reports whether p would have arrived by now without its reorder wait.
func (p *inflight) arrivedBefore(now time.Time) bool {
	d := p.latency
	for i := range p.effects {
		if !p.effects[i].Reordered {
			d += p.effects[i].Delay
		}
	}
	return !p.sentAt.Add(d).After(now)
}

// overtaker ends the wait of the newest reordered packet, and returns it, if an older one has
// waited for the full time: no more packets came, so the newest overtakes the others. It
// returns nil if there is no such packet, or if an earlier packet would hold it up.
func (l *link) overtaker(now time.Time) *inflight {
	var newest *inflight
	var streams []*stream
	expired := false
	for _, p := range l.queue {
		if !p.isReordered() {
			if p.isHeld() || p.deliveryTime().After(now) && !p.isLate() {
				break
			}
			continue
		}
		if expired && !p.isHeld() && p.arrivedBefore(now) && !slices.Contains(streams, p.call.stream) {
			newest = p
		}
		expired = expired || !p.isHeld() && !p.deliveryTime().After(now)
		if p.call.stream != nil {
			streams = append(streams, p.call.stream)
		}
	}
	if newest != nil {
		newest.endReorderWait()
	}
	return newest
}

// deliverOvertaken ends the wait of the reordered packets that a delivery has overtaken, and
// delivers them, newest first. It returns those that must stay, and reports whether the wait
// of some of them has ended.
func (l *link) deliverOvertaken(overtaken []*inflight, now time.Time) (stay []*inflight, more bool) {
	for i := len(overtaken) - 1; i >= 0; i-- {
		p := overtaken[i]
		if !p.isReordered() {
			continue
		}
		p.endReorderWait()
		inOrder := p.call.stream == nil ||
			!slices.ContainsFunc(overtaken[:i], func(q *inflight) bool { return q.call.stream == p.call.stream })
		if p.isHeld() || p.deliveryTime().After(now) || !inOrder {
			more = true
			continue
		}
		l.deliver(p)
		overtaken = slices.Delete(overtaken, i, i+1)
	}
	return overtaken, more
}
