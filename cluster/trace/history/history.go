package history

import (
	"slices"
	"sync"

	"capsize/cluster/trace"
)

// DefaultBudget is how many bytes a history may take unless it is told otherwise.
const DefaultBudget = 256 << 20

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
	waiting batch

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
	eventsMax       = 1 << 15
	chunksPerBudget = 8
)

// The streams of a chunk: the events that matter are apart from the others, so
// that they can be gone through without those.
const (
	rest = iota
	marks
	streams
)

// momentBytes is what a moment takes.
const momentBytes = 16

// chunk is a keyframe and what happened after it. Bytes, times and names are only
// ever added at the end: a copy of a chunk stays what it is.
type chunk struct {
	start  trace.Position // of the keyframe
	last   trace.Position // of the last event, or start
	key    []byte         // the state
	events [streams][]byte
	times  []trace.Position // of each event
	names  []string
	bytes  int64
}

// New returns a history that takes about so many bytes at most.
func New(budgetBytes int64) *History { return &History{budget: budgetBytes} }

// Start opens the first chunk, whose keyframe is a state.
func (h *History) Start(s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open(s)
}

// batchSize is how many events wait until they are put into the chunk: to do that
// for several in a row takes half the time, because the processor still knows how.
const batchSize = 32

// batch are events that wait, and the packets that they carry.
type batch struct {
	events  [batchSize]trace.Event
	packets [batchSize]trace.Packet
	plain   [batchSize]bool // it carries nothing but a packet
	count   int
}

// Add adds an event, after which the state is s.
func (h *History) Add(e *trace.Event, s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.waiting
	w.events[w.count], w.plain[w.count] = *e, false
	if e.Packet != nil {
		w.packets[w.count] = *e.Packet
		w.events[w.count].Packet = &w.packets[w.count]
	}
	w.count++
	h.added(s)
}

// AddPacket adds an event of a packet, after which the state is s.
func (h *History) AddPacket(p *trace.Packet, s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.waiting
	w.packets[w.count], w.plain[w.count] = *p, true
	w.events[w.count] = trace.Event{Seq: s.Seq, At: s.At, Kind: trace.KindPacket, Packet: &w.packets[w.count]}
	w.count++
	h.added(s)
}

// added sees to the chunk after an event was added, with which the state is s. H.mu
// is held.
func (h *History) added(s *trace.State) {
	if h.waiting.count < batchSize {
		return
	}
	h.settle()
	now := &h.chunks[len(h.chunks)-1]
	if len(now.times) >= eventsMin || now.bytes > h.budget/chunksPerBudget {
		key := int64(len(now.key))
		if now.bytes >= 3*key || len(now.times) >= eventsMax {
			h.open(s)
		}
	}
	h.trim()
}

// settle puts the events that wait into the chunk. H.mu is held.
func (h *History) settle() {
	if h.waiting.count == 0 {
		return
	}
	now := &h.chunks[len(h.chunks)-1]
	for i := range h.waiting.count {
		e := &h.waiting.events[i]
		stream := rest
		if trace.IsSignificant(e) {
			stream = marks
		}
		h.writers[stream].event(e, h.waiting.plain[i])
		now.last = trace.Position{Seq: e.Seq, At: e.At}
		now.times = append(now.times, now.last)
	}
	h.waiting.count = 0
	for stream := range streams {
		now.events[stream] = h.writers[stream].buf
	}
	now.names = h.names.all
	now.bytes = int64(cap(now.key)+cap(now.events[rest])+cap(now.events[marks])+cap(now.times)*momentBytes) + h.names.size
}

// Flush encodes the events that still wait in the batch. What they point to is not
// needed any more afterwards.
func (h *History) Flush() { h.lock()() }

// lock locks the history and returns what unlocks it. All events are in chunks then.
func (h *History) lock() (unlock func()) {
	h.mu.Lock()
	h.settle()
	h.trim()
	return h.mu.Unlock
}

// trim lets the oldest chunks go until the rest is within the budget, but never
// the last one. H.mu is held.
func (h *History) trim() {
	for len(h.chunks) > 1 && h.bytes+h.chunks[len(h.chunks)-1].bytes > h.budget {
		h.bytes -= h.chunks[0].bytes
		h.dropped += uint64(len(h.chunks[0].times))
		h.chunks = slices.Delete(h.chunks, 0, 1)
	}
}

// open closes the last chunk and opens another. H.mu is held.
func (h *History) open(s *trace.State) {
	now := trace.Position{Seq: s.Seq, At: s.At}
	next := chunk{start: now, last: now}
	var room [streams]int // the next chunk is likely to need as much as this one
	if len(h.chunks) > 0 {
		closed := &h.chunks[len(h.chunks)-1]
		for i := range room {
			room[i] = len(closed.events[i]) * 17 / 16
		}
		next.times = make([]trace.Position, 0, len(closed.times))
		h.bytes += closed.bytes
	}
	h.names = names{}
	key := coder{numbers: &h.names}
	key.state(s)
	next.key, next.names = slices.Clone(key.buf), h.names.all
	next.bytes = int64(cap(next.key)+cap(next.times)*momentBytes) + h.names.size
	for i := range h.writers {
		h.writers[i] = coder{numbers: &h.names, buf: make([]byte, 0, room[i]), last: last{seq: s.Seq, at: uint64(s.At)}}
	}
	h.chunks = append(h.chunks, next)
}

// Bytes returns about how much memory the history takes.
func (h *History) Bytes() int64 {
	defer h.lock()()
	if len(h.chunks) == 0 {
		return 0
	}
	return h.bytes + h.chunks[len(h.chunks)-1].bytes
}

// Dropped returns how many events the history had to let go.
func (h *History) Dropped() uint64 {
	defer h.lock()()
	return h.dropped
}

// Span returns the first moment that can be looked at and the last one. Both are
// zero as long as nothing has happened.
func (h *History) Span() (first, last trace.Position) {
	defer h.lock()()
	if len(h.chunks) == 0 {
		return first, last
	}
	return h.chunks[0].start, h.chunks[len(h.chunks)-1].last
}
