package recording

import (
	"slices"
	"time"

	"capsize/cluster/trace"
)

// queue holds events until somebody has the time for them. To put one into it
// takes as little time as can be. Packets, which most events are, stand apart from
// the others, because they need less room.
type queue struct {
	packets []queuedPacket
	events  []trace.Event
}

// queuedPacket is a packet that has an event of its own.
type queuedPacket struct {
	seq    uint64
	at     time.Duration
	packet trace.Packet
}

// count returns how many events the queue holds.
func (q *queue) count() int { return len(q.packets) + len(q.events) }

// add adds an event.
func (q *queue) add(e *trace.Event) {
	q.events = append(q.events, *e)
	if e.Packet != nil {
		packet := *e.Packet
		q.events[len(q.events)-1].Packet = &packet
	}
}

// AddPacket adds the event of a packet, after which the state is s.
func (q *queue) addPacket(p *trace.Packet, s *trace.State) {
	if len(q.packets) == cap(q.packets) {
		q.packets = slices.Grow(q.packets, max(len(q.packets), 1<<8))
	}
	q.packets = q.packets[:len(q.packets)+1]
	last := &q.packets[len(q.packets)-1]
	last.seq, last.at, last.packet = s.Seq, s.At, *p
}

// drain calls f with each event, in order, and takes it out. F must not keep the
// event, nor its packet.
func (q *queue) drain(f func(*trace.Event)) {
	next := 0
	packet := trace.Event{Kind: trace.KindPacket}
	packetsTo := func(seq uint64) {
		for ; next < len(q.packets) && q.packets[next].seq <= seq; next++ {
			p := &q.packets[next]
			packet.Seq, packet.At, packet.Packet = p.seq, p.at, &p.packet
			f(&packet)
		}
	}
	for i := range q.events {
		packetsTo(q.events[i].Seq)
		f(&q.events[i])
	}
	packetsTo(^uint64(0))
	clear(q.events) // what they hold may be large
	q.packets, q.events = q.packets[:0], q.events[:0]
}
