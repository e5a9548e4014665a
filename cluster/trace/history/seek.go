package history

import (
	"slices"
	"sort"
	"time"

	"capsize/cluster/trace"
)

// StateAt copies the state right after event seq to into; if that event is missing, the
// state after the last one before it. It returns false and changes nothing if the history
// does not hold that moment.
func (h *History) StateAt(seq uint64, into *trace.State) bool {
	where, ok := h.chunkAt(func(start trace.Position) bool { return start.Seq <= seq })
	if !ok || seq > where.last.Seq {
		return false
	}
	h.cursorMu.Lock()
	defer h.cursorMu.Unlock()
	s := h.cursorBefore(&where, seq)
	for e := s.replay.next(seq); e != nil; e = s.replay.next(seq) {
		s.state.Apply(e)
	}
	s.state.CopyTo(into)
	return true
}

// SeqAt returns the number of the last event at or before a time, or of the nearest one if
// the history does not hold that time.
func (h *History) SeqAt(at time.Duration) uint64 {
	where, ok := h.chunkAt(func(start trace.Position) bool { return start.At <= at })
	if !ok {
		first, _ := h.Span()
		return first.Seq
	}
	after := sort.Search(len(where.times), func(i int) bool { return where.times[i].At > at })
	if after == 0 {
		return where.start.Seq
	}
	return where.times[after-1].Seq
}

// Next returns the number of the next significant event after seq, and whether there is
// one.
func (h *History) Next(seq uint64) (next uint64, ok bool) {
	h.Significant(seq+1, ^uint64(0), func(e *trace.Event) bool {
		next, ok = e.Seq, true
		return false
	})
	return next, ok
}

// Prev returns the number of the last significant event before seq, and whether there is
// one.
func (h *History) Prev(seq uint64) (prev uint64, ok bool) {
	return h.FindLast(seq, func(*trace.Event) bool { return true })
}

// FindLast returns the number of the last significant event before another one for which a
// predicate holds, and whether there is one. The predicate must not keep the event or its
// packet. FindLast searches backwards chunk by chunk, which takes about a tenth of a
// second for some million events.
func (h *History) FindLast(before uint64, is func(*trace.Event) bool) (seq uint64, ok bool) {
	if before == 0 {
		return 0, false
	}
	for _, c := range slices.Backward(h.chunksFor(0, before-1)) {
		r := c.replay(significantStream)
		for e := r.next(before - 1); e != nil; e = r.next(before - 1) {
			if is(e) {
				seq, ok = e.Seq, true
			}
		}
		if ok {
			break
		}
	}
	return seq, ok
}

// Event returns event seq, and whether the history holds it.
func (h *History) Event(seq uint64) (found trace.Event, ok bool) {
	h.Events(seq, seq, func(e *trace.Event) bool {
		found, ok = *e, true
		if e.Packet != nil {
			packet := *e.Packet
			found.Packet = &packet
		}
		return false
	})
	return found, ok
}

// Events calls f with each event from one number to another, both included, in order,
// until f returns false. f must not keep the event or its packet.
func (h *History) Events(from, to uint64, f func(*trace.Event) bool) {
	h.each(from, to, f, otherStream, significantStream)
}

// Significant is Events for significant events alone, which takes much less time.
func (h *History) Significant(from, to uint64, f func(*trace.Event) bool) {
	h.each(from, to, f, significantStream)
}

func (h *History) each(from, to uint64, f func(*trace.Event) bool, streams ...int) {
	for _, c := range h.chunksFor(from, to) {
		r := c.replay(streams...)
		for e := r.next(to); e != nil; e = r.next(to) {
			if e.Seq >= from && !f(e) {
				return
			}
		}
	}
}

// chunkAt returns the last chunk for whose start notAfter holds.
func (h *History) chunkAt(notAfter func(start trace.Position) bool) (chunk, bool) {
	defer h.lockFlushed()()
	after := sort.Search(len(h.chunks), func(i int) bool { return !notAfter(h.chunks[i].start) })
	if after == 0 {
		return chunk{}, false
	}
	return h.chunks[after-1], true
}

// chunksFor returns the chunks that hold the events from one number to another.
func (h *History) chunksFor(from, to uint64) []chunk {
	defer h.lockFlushed()()
	first := sort.Search(len(h.chunks), func(i int) bool { return h.chunks[i].last.Seq >= from })
	end := sort.Search(len(h.chunks), func(i int) bool { return h.chunks[i].start.Seq >= to })
	// A first chunk that starts at event to may still hold it.
	if end < len(h.chunks) && end == 0 {
		end = 1
	}
	return slices.Clone(h.chunks[first:max(first, end)])
}

// keyframe returns the state at the start of a chunk.
func (c *chunk) keyframe() (s trace.State) {
	r := deltaCodec{reading: true, buf: c.key, names: c.names}
	r.state(&s)
	return s
}

// replay decodes the events of a chunk in order, merging its streams.
type replay struct {
	decoders [streams]deltaCodec
	ahead    [streams]trace.Event // the next event of each stream, where known
	known    [streams]bool
}

// replay returns a replay of some streams of the chunk, from its start.
func (c *chunk) replay(which ...int) *replay {
	r := &replay{}
	for i := range r.decoders {
		r.decoders[i] = deltaCodec{reading: true, last: last{seq: c.start.Seq, at: uint64(c.start.At)}, packet: new(trace.Packet)}
	}
	for _, i := range which {
		r.decoders[i].buf, r.decoders[i].names = c.events[i], c.names
	}
	return r
}

// extend makes the replay continue through events that were added to the chunk since.
func (r *replay) extend(c *chunk) {
	for i := range r.decoders {
		r.decoders[i].buf, r.decoders[i].names = c.events[i], c.names
	}
}

// next returns the next event if its number is at most to, else nil. The event is valid
// until the next call.
func (r *replay) next(to uint64) *trace.Event {
	first := -1
	for i := range r.decoders {
		if c := &r.decoders[i]; !r.known[i] && c.at < len(c.buf) {
			r.ahead[i] = trace.Event{}
			c.event(&r.ahead[i], false)
			r.known[i] = true
		}
		if r.known[i] && (first < 0 || r.ahead[i].Seq < r.ahead[first].Seq) {
			first = i
		}
	}
	if first < 0 || r.ahead[first].Seq > to {
		return nil
	}
	r.known[first] = false
	return &r.ahead[first]
}

// cursorsMax is how many of the moments read last are remembered.
const cursorsMax = 3

// cursor is a moment that was read: its state, and the replay of what comes after.
type cursor struct {
	key     *byte // identifies the chunk: the first byte of its keyframe
	lastUse uint64
	replay  *replay
	state   trace.State
}

// cursorBefore returns the nearest cursor in a chunk at or before event seq; without one,
// a new cursor at the keyframe takes the place of the one unused for longest. The caller
// holds h.cursorMu.
func (h *History) cursorBefore(c *chunk, seq uint64) *cursor {
	h.uses++
	best, oldest := -1, 0
	for i := range h.cursors {
		s := &h.cursors[i]
		if s.key == &c.key[0] && s.state.Seq <= seq && (best < 0 || s.state.Seq > h.cursors[best].state.Seq) {
			best = i
		}
		if s.lastUse < h.cursors[oldest].lastUse {
			oldest = i
		}
	}
	if best < 0 {
		best = oldest
		h.cursors[best] = cursor{key: &c.key[0], replay: c.replay(otherStream, significantStream), state: c.keyframe()}
	}
	s := &h.cursors[best]
	s.lastUse = h.uses
	s.replay.extend(c)
	return s
}
