package faults

import (
	"bytes"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// inflight is a packet on its way, with its payload.
type inflight struct {
	Packet
	call    *call
	command any              // request: a deep copy
	data    []byte           // request: the snapshot; shared with duplicates, never written
	answer  raft.RPCResponse // reply
	sentAt  time.Time
	latency time.Duration // the link's own

	// newestFault is the ID of the newest fault that has been applied. Faults with a
	// higher ID were set later.
	newestFault uint64
	// inline means that the caller sleeps until the packet is due and then calls
	// finishInline, so the link needs no timer for it.
	inline  bool
	effects []faultEffect
}

// faultEffect is what one fault does to one packet, for as long as the fault is set.
type faultEffect struct {
	id uint64 // the fault's
	Effect
}

// deliveryTime returns when the packet is due, if nothing holds it.
func (p *inflight) deliveryTime() time.Time {
	d := p.latency
	for i := range p.effects {
		d += p.effects[i].Delay
	}
	return p.sentAt.Add(d)
}

func (p *inflight) hasEffect(fits func(*Effect) bool) bool {
	for i := range p.effects {
		if fits(&p.effects[i].Effect) {
			return true
		}
	}
	return false
}

func (p *inflight) isHeld() bool { return p.hasEffect(func(e *Effect) bool { return e.Held }) }

// isByHand reports whether a user has to deliver p.
func (p *inflight) isByHand() bool { return p.hasEffect(func(e *Effect) bool { return e.byHand }) }

func (p *inflight) isReordered() bool {
	return p.hasEffect(func(e *Effect) bool { return e.Reordered })
}

// isLate reports whether p is a copy with a delay of its own.
func (p *inflight) isLate() bool { return p.hasEffect(func(e *Effect) bool { return e.late }) }

// blocksOwnKind reports whether only packets of the same kind wait behind p.
func (p *inflight) blocksOwnKind() bool {
	return p.hasEffect(func(e *Effect) bool { return e.limited || e.Held })
}

// blockedKinds returns the kinds of packets that must not overtake p.
func (p *inflight) blockedKinds() kindSet {
	switch {
	case len(p.effects) == 0:
		return everyKind
	case p.isReordered(), p.isLate():
		return 0
	case p.blocksOwnKind():
		return setOf(p.Kind)
	default:
		return everyKind
	}
}

// reader returns what the receiver of a request reads: its own view of the snapshot, or
// nil for other requests.
func (p *inflight) reader() io.Reader {
	if p.Kind != KindSnapshot {
		return nil
	}
	return bytes.NewReader(p.data)
}
