package history

import (
	"slices"
	"sync"

	"capsize/cluster/trace"
)

// DefaultBudget is the budget of a history, in bytes, where none is configured.
const DefaultBudget = 256 << 20

// History holds the latest events, as many as its budget allows, and returns the state
// after each of them. It is safe for use by many goroutines. Reading does not block
// writing for long: readers decode copies of chunks outside the lock.
type History struct {
	budget int64 // bytes

	mu       sync.Mutex
	chunks   []chunk             // oldest first; only the last one grows
	bytes    int64               // taken by all chunks but the last one
	dropped  uint64              // events in chunks that were evicted
	encoders [streams]deltaCodec // of the last chunk
	table    stringTable         // of the last chunk
	batch    batch

	// The moments read last: later ones in the same chunk are reached faster from there.
	cursorMu sync.Mutex
	cursors  [cursorsMax]cursor
	uses     uint64
}

// A chunk is closed when it holds eventsMin events and its keyframe is a small part of
// it, at the latest when it holds eventsMax: reaching a moment takes time in proportion
// to that. It takes at most one part in chunksPerBudget of the budget, so evicting
// the oldest chunk loses little.
const (
	eventsMin       = 1 << 14
	eventsMax       = 1 << 15
	chunksPerBudget = 8
)

// The streams of a chunk. Significant events are apart from the others, so a search
// decodes them alone.
const (
	otherStream = iota
	significantStream
	streams
)

// positionBytes is the size of a [trace.Position].
const positionBytes = 16

// chunk is a keyframe and the events after it. Its slices only ever grow at the end, so
// that a copy of a chunk stays valid while the chunk grows.
type chunk struct {
	start  trace.Position // of the keyframe
	last   trace.Position // of the last event; start without one
	key    []byte         // the keyframe, encoded
	events [streams][]byte
	times  []trace.Position // of each event
	names  []string         // the table of strings for key and events
	bytes  int64
}

// New returns an empty history that takes at most about budgetBytes of memory.
func New(budgetBytes int64) *History { return &History{budget: budgetBytes} }

// Budget returns about how much memory the history may take, in bytes.
func (h *History) Budget() int64 { return h.budget }

// Start opens the first chunk, with s as its keyframe. It comes before any event.
func (h *History) Start(s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.openChunk(s)
}

// batchSize is how many events wait until they are encoded: encoding several in a row
// takes half the time, because the code is still in the processor's caches.
const batchSize = 32

// batch holds the events that wait to be encoded, and their packets.
type batch struct {
	events  [batchSize]trace.Event
	packets [batchSize]trace.Packet
	plain   [batchSize]bool // the event carries nothing but a packet
	count   int
}

// Add adds an event and implements [trace.Sink]; s is the state after it. The history
// keeps what the event points to until the next Flush.
func (h *History) Add(e *trace.Event, s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.batch
	w.events[w.count], w.plain[w.count] = *e, false
	if e.Packet != nil {
		w.packets[w.count] = *e.Packet
		w.events[w.count].Packet = &w.packets[w.count]
	}
	w.count++
	h.afterAdd(s)
}

// AddPacket adds the event of a packet and implements [trace.Sink]; s is the state after
// it.
func (h *History) AddPacket(p *trace.Packet, s *trace.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.batch
	w.packets[w.count], w.plain[w.count] = *p, true
	w.events[w.count] = trace.Event{Seq: s.Seq, At: s.At, Kind: trace.KindPacket, Packet: &w.packets[w.count]}
	w.count++
	h.afterAdd(s)
}

// afterAdd encodes a full batch and opens a new chunk when the last one is full. s is the
// state after the latest event. The caller holds h.mu.
func (h *History) afterAdd(s *trace.State) {
	if h.batch.count < batchSize {
		return
	}
	h.flushBatch()
	now := &h.chunks[len(h.chunks)-1]
	if len(now.times) >= eventsMin || now.bytes > h.budget/chunksPerBudget {
		key := int64(len(now.key))
		if now.bytes >= 3*key || len(now.times) >= eventsMax {
			h.openChunk(s)
		}
	}
	h.evict()
}

// flushBatch encodes the batch into the last chunk. The caller holds h.mu.
func (h *History) flushBatch() {
	if h.batch.count == 0 {
		return
	}
	now := &h.chunks[len(h.chunks)-1]
	for i := range h.batch.count {
		e := &h.batch.events[i]
		stream := otherStream
		if trace.IsSignificant(e) {
			stream = significantStream
		}
		h.encoders[stream].event(e, h.batch.plain[i])
		now.last = trace.Position{Seq: e.Seq, At: e.At}
		now.times = append(now.times, now.last)
	}
	h.batch.count = 0
	for stream := range streams {
		now.events[stream] = h.encoders[stream].buf
	}
	now.names = h.table.all
	now.bytes = int64(cap(now.key)+cap(now.events[otherStream])+cap(now.events[significantStream])+cap(now.times)*positionBytes) + h.table.size
}

// Flush encodes the events that wait. Afterwards the history needs nothing they point to.
func (h *History) Flush() { h.lockFlushed()() }

// lockFlushed locks the history with every event in a chunk, and returns the function
// that unlocks it.
func (h *History) lockFlushed() (unlock func()) {
	h.mu.Lock()
	h.flushBatch()
	h.evict()
	return h.mu.Unlock
}

// evict drops the oldest chunks until the rest is within the budget, but never the last
// one. The caller holds h.mu.
func (h *History) evict() {
	for len(h.chunks) > 1 && h.bytes+h.chunks[len(h.chunks)-1].bytes > h.budget {
		h.bytes -= h.chunks[0].bytes
		h.dropped += uint64(len(h.chunks[0].times))
		h.chunks = slices.Delete(h.chunks, 0, 1)
	}
}

// openChunk closes the last chunk and opens another one with s as its keyframe. The caller
// holds h.mu.
func (h *History) openChunk(s *trace.State) {
	now := trace.Position{Seq: s.Seq, At: s.At}
	next := chunk{start: now, last: now}
	var room [streams]int // chunks are about as large as the one before
	if len(h.chunks) > 0 {
		closed := &h.chunks[len(h.chunks)-1]
		for i := range room {
			room[i] = len(closed.events[i]) * 17 / 16
		}
		next.times = make([]trace.Position, 0, len(closed.times))
		h.bytes += closed.bytes
	}
	h.table = stringTable{}
	key := deltaCodec{table: &h.table}
	key.state(s)
	next.key, next.names = slices.Clone(key.buf), h.table.all
	next.bytes = int64(cap(next.key)+cap(next.times)*positionBytes) + h.table.size
	for i := range h.encoders {
		h.encoders[i] = deltaCodec{table: &h.table, buf: make([]byte, 0, room[i]), last: last{seq: s.Seq, at: uint64(s.At)}}
	}
	h.chunks = append(h.chunks, next)
}

// Bytes returns about how much memory the history takes.
func (h *History) Bytes() int64 {
	defer h.lockFlushed()()
	if len(h.chunks) == 0 {
		return 0
	}
	return h.bytes + h.chunks[len(h.chunks)-1].bytes
}

// Dropped returns how many events were evicted.
func (h *History) Dropped() uint64 {
	defer h.lockFlushed()()
	return h.dropped
}

// Span returns the first and the last moment that the history holds. Both are zero before
// Start.
func (h *History) Span() (first, last trace.Position) {
	defer h.lockFlushed()()
	if len(h.chunks) == 0 {
		return first, last
	}
	return h.chunks[0].start, h.chunks[len(h.chunks)-1].last
}
