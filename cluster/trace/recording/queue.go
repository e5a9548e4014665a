package recording

import (
	"slices"
	"time"

	"capsize/cluster/trace"
)

// queue holds events until they are written. Adding one takes as little time as possible.
// Packets, which most events are, have a list of their own, because they need less memory.
type queue struct {
	packets []queuedPacket
	events  []trace.Event
}

// queuedPacket is an event that carries nothing but a packet.
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

// addPacket adds the event of a packet; s is the state after it.
func (q *queue) addPacket(p *trace.Packet, s *trace.State) {
	if len(q.packets) == cap(q.packets) {
		q.packets = slices.Grow(q.packets, max(len(q.packets), 1<<8))
	}
	q.packets = q.packets[:len(q.packets)+1]
	last := &q.packets[len(q.packets)-1]
	last.seq, last.at, last.packet = s.Seq, s.At, *p
}

// drain calls f with each event, in order, and empties the queue. f must not keep the
// event or its packet.
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
	clear(q.events) // events may point to large data
	q.packets, q.events = q.packets[:0], q.events[:0]
}
