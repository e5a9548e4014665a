package faults

import (
	"bytes"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// parcel is a packet under way, with its load.
type parcel struct {
	Packet
	call    *call
	command any              // request: a copy of its own
	data    []byte           // request: the snapshot; shared with duplicates, never written
	answer  raft.RPCResponse // reply
	sentAt  time.Time
	latency time.Duration // the link's own
	judged  uint64        // the newest fault that has judged it
	carried bool          // in a queue: its caller calls putDown when it is due, so that the link needs no timer for it
	marks   []mark        // what the link's faults do to it
}

// mark is what one fault does to one packet, for as long as the fault is set.
type mark struct {
	id uint64
	Effect
}

func (p *parcel) due() time.Time {
	d := p.latency
	for i := range p.marks {
		d += p.marks[i].Delay
	}
	return p.sentAt.Add(d)
}

func (p *parcel) is(what func(*Effect) bool) bool {
	for i := range p.marks {
		if what(&p.marks[i].Effect) {
			return true
		}
	}
	return false
}

func (p *parcel) held() bool      { return p.is(func(v *Effect) bool { return v.Held }) }
func (p *parcel) overtaken() bool { return p.is(func(v *Effect) bool { return v.Overtaken }) }
func (p *parcel) apart() bool     { return p.is(func(v *Effect) bool { return v.apart || v.Held }) }

// line returns the kinds of packets that must not pass p.
func (p *parcel) line() kindSet {
	switch {
	case len(p.marks) == 0:
		return everyKind
	case p.overtaken():
		return 0
	case p.apart():
		return setOf(p.Kind)
	default:
		return everyKind
	}
}

// reader returns what the receiver of a request reads: its own view of the snapshot, nil for other requests.
func (p *parcel) reader() io.Reader {
	if p.Kind != KindSnapshot {
		return nil
	}
	return bytes.NewReader(p.data)
}
