package trace

import (
	"slices"
	"sync"
	"time"
)

// HistoryBudget is how many bytes a history may take unless it is told otherwise.
const HistoryBudget = 256 << 20

// History keeps what happened, so that any moment can be looked at again. It
// holds as many of the latest events as a budget of bytes allows: the oldest go
// first. It is safe for use by many goroutines; whoever looks back does not hold
// up what goes on.
//
// Events are kept in chunks of some ten thousand. A chunk begins with a keyframe,
// which is the whole state before its first event, and can be read without any
// other: a moment is reached by folding the events of one chunk at most.
type History struct {
	budget int64 // bytes

	mu      sync.Mutex
	chunks  []chunk // oldest first; events are added to the last one
	bytes   int64   // that the chunks before the last one take
	dropped uint64
	writers [streams]coder // of the last chunk
	names   names          // of the last chunk
	packet  Event          // what an event of a packet is put into

	// Where somebody looked last: to go on from there is quicker.
	looks sync.Mutex
	spots [spotsMax]spot
	turn  uint64
}

// A chunk is closed when it holds eventsMin events and its keyframe is a small
// part of it, but in any case when it holds eventsMax: to reach a moment takes
// time in proportion to that. It takes no more than a part of the budget, so that
// little is lost when the oldest one goes.
const (
	eventsMin       = 1 << 14
	eventsMax       = 1 << 16
	chunksPerBudget = 8
)

// The streams of a chunk: the events that matter are apart from the others, so
// that they can be gone through without those.
const (
	rest = iota
	marks
	streams
)

// Moment is a place in a history: just after an event.
type Moment struct {
	Seq uint64
	At  time.Duration
}

// chunk is a keyframe and what happened after it. Bytes and names are only ever
// added at the end: a copy of a chunk stays what it is.
type chunk struct {
	start  Moment // of the keyframe
	last   Moment // of the last event, or start
	key    []byte // the state
	events [streams][]byte
	names  []string
	count  int // of events
	bytes  int64
}

// NewHistory returns a history that takes about so many bytes at most.
func NewHistory(budgetBytes int64) *History { return &History{budget: budgetBytes} }

// Keep has h keep all that happens from now on.
func (l *Log) Keep(h *History) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.begin(&l.state)
	l.history = h
}

// begin begins a chunk with a keyframe.
func (h *History) begin(s *State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open(s)
}

// add adds an event, after which the state is s.
func (h *History) add(e *Event, s *State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(e, false, s)
}

// addPacket adds an event of a packet, after which the state is s.
func (h *History) addPacket(p *Packet, s *State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.packet.Seq, h.packet.At, h.packet.Kind, h.packet.Packet = s.Seq, s.At, KindPacket, p
	h.put(&h.packet, true, s)
	h.packet.Packet = nil
}

// put adds an event, which may carry nothing but a packet. H.mu is held.
func (h *History) put(e *Event, plain bool, s *State) {
	stream := rest
	if Matters(e) {
		stream = marks
	}
	now := &h.chunks[len(h.chunks)-1]
	w := &h.writers[stream]
	w.event(e, plain)
	now.events[stream], now.names = w.buf, h.names.all
	now.last = Moment{e.Seq, e.At}
	now.count++
	now.bytes = int64(cap(now.key)+cap(now.events[rest])+cap(now.events[marks])) + h.names.size
	if now.count >= eventsMin || now.bytes > h.budget/chunksPerBudget {
		key := int64(len(now.key))
		if now.bytes >= 3*key || now.count >= eventsMax {
			h.open(s)
		}
	}
	h.trim()
}

// trim lets the oldest chunks go until the rest is within the budget, but never
// the last one. H.mu is held.
func (h *History) trim() {
	for len(h.chunks) > 1 && h.bytes+h.chunks[len(h.chunks)-1].bytes > h.budget {
		h.bytes -= h.chunks[0].bytes
		h.dropped += uint64(h.chunks[0].count)
		h.chunks = slices.Delete(h.chunks, 0, 1)
	}
}

// open closes the last chunk and opens another. H.mu is held.
func (h *History) open(s *State) {
	next := chunk{start: Moment{s.Seq, s.At}, last: Moment{s.Seq, s.At}}
	var room [streams]int // the next chunk is likely to need as much as this one
	if len(h.chunks) > 0 {
		closed := &h.chunks[len(h.chunks)-1]
		for i := range room {
			room[i] = len(closed.events[i]) * 17 / 16
		}
		h.bytes += closed.bytes
	}
	h.names = names{}
	key := coder{numbers: &h.names}
	key.state(s)
	next.key, next.names = slices.Clone(key.buf), h.names.all
	next.bytes = int64(cap(next.key)) + h.names.size
	for i := range h.writers {
		h.writers[i] = coder{numbers: &h.names, buf: make([]byte, 0, room[i]), last: last{seq: s.Seq, at: uint64(s.At)}}
	}
	h.chunks = append(h.chunks, next)
}

// Bytes returns about how much memory the history takes.
func (h *History) Bytes() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.chunks) == 0 {
		return 0
	}
	return h.bytes + h.chunks[len(h.chunks)-1].bytes
}

// Dropped returns how many events the history had to let go.
func (h *History) Dropped() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped
}

// Span returns the first moment that can be looked at and the last one. Both are
// zero as long as nothing has happened.
func (h *History) Span() (first, last Moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.chunks) == 0 {
		return first, last
	}
	return h.chunks[0].start, h.chunks[len(h.chunks)-1].last
}
