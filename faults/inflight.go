package faults

import (
	"bytes"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// inflight is a packet under way, with its load.
type inflight struct {
	Packet
	call        *call
	command     any              // request: a copy of its own
	data        []byte           // request: the snapshot; shared with duplicates, never written
	answer      raft.RPCResponse // reply
	sentAt      time.Time
	latency     time.Duration // the link's own
	newestFault uint64        // the newest fault that has judged it
	inline      bool          // in a queue: its caller calls finishInline when it is due, so that the link needs no timer for it
	effects     []faultEffect // what the link's faults do to it
}

// faultEffect is what one fault does to one packet, for as long as the fault is set.
type faultEffect struct {
	id uint64
	Effect
}

func (p *inflight) deliveryTime() time.Time {
	d := p.latency
	for i := range p.effects {
		d += p.effects[i].Delay
	}
	return p.sentAt.Add(d)
}

func (p *inflight) hasEffect(what func(*Effect) bool) bool {
	for i := range p.effects {
		if what(&p.effects[i].Effect) {
			return true
		}
	}
	return false
}

func (p *inflight) isHeld() bool { return p.hasEffect(func(v *Effect) bool { return v.Held }) }
func (p *inflight) isReordered() bool {
	return p.hasEffect(func(v *Effect) bool { return v.Reordered })
}
func (p *inflight) apart() bool {
	return p.hasEffect(func(v *Effect) bool { return v.limited || v.Held })
}

// blockedKinds returns the kinds of packets that must not pass p.
func (p *inflight) blockedKinds() kindSet {
	switch {
	case len(p.effects) == 0:
		return everyKind
	case p.isReordered():
		return 0
	case p.apart():
		return setOf(p.Kind)
	default:
		return everyKind
	}
}

// reader returns what the receiver of a request reads: its own view of the snapshot, nil for other requests.
func (p *inflight) reader() io.Reader {
	if p.Kind != KindSnapshot {
		return nil
	}
	return bytes.NewReader(p.data)
}
