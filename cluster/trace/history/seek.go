package history

import (
	"slices"
	"sort"
	"time"

	"capsize/cluster/trace"
)

// StateAt makes into the state right after the event of that number, or the last
// one before it. It returns false, and changes nothing, if the history does not
// hold that moment.
func (h *History) StateAt(seq uint64, into *trace.State) bool {
	where, ok := h.chunkAt(func(start trace.Position) bool { return start.Seq <= seq })
	if !ok || seq > where.last.Seq {
		return false
	}
	h.looks.Lock()
	defer h.looks.Unlock()
	s := h.spot(&where, seq)
	for e := s.replay.next(seq); e != nil; e = s.replay.next(seq) {
		s.state.Apply(e)
	}
	s.state.CopyTo(into)
	return true
}

// SeqAt returns the last event at or before a time, or the nearest one if the
// history does not hold that time.
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

// Next returns the next event after seq that matters, and whether there is one.
func (h *History) Next(seq uint64) (next uint64, ok bool) {
	h.Significant(seq+1, ^uint64(0), func(e *trace.Event) bool {
		next, ok = e.Seq, true
		return false
	})
	return next, ok
}

// Prev returns the last event before seq that matters, and whether there is one.
func (h *History) Prev(seq uint64) (prev uint64, ok bool) {
	return h.FindLast(seq, func(*trace.Event) bool { return true })
}

// FindLast returns the last event before another one that matters and for which a
// predicate holds, and whether there is one. Is must not keep the event, nor its
// packet. It looks backwards chunk by chunk until it is found, which takes about a
// tenth of a second for some million events.
func (h *History) FindLast(before uint64, is func(*trace.Event) bool) (seq uint64, ok bool) {
	if before == 0 {
		return 0, false
	}
	for _, c := range slices.Backward(h.held(0, before-1)) {
		r := c.replay(marks)
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

// Event returns the event of that number, and whether the history holds it.
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

// Events calls f with each event from one number to another, both included, in
// order, until f says false. F must not keep the event, nor its packet.
func (h *History) Events(from, to uint64, f func(*trace.Event) bool) {
	h.each(from, to, f, rest, marks)
}

// Significant is Events for those that matter alone, which takes much less time.
func (h *History) Significant(from, to uint64, f func(*trace.Event) bool) {
	h.each(from, to, f, marks)
}

func (h *History) each(from, to uint64, f func(*trace.Event) bool, streams ...int) {
	for _, c := range h.held(from, to) {
		r := c.replay(streams...)
		for e := r.next(to); e != nil; e = r.next(to) {
			if e.Seq >= from && !f(e) {
				return
			}
		}
	}
}

// chunkAt returns the last chunk whose start is not after a moment.
func (h *History) chunkAt(notAfter func(start trace.Position) bool) (chunk, bool) {
	defer h.lock()()
	after := sort.Search(len(h.chunks), func(i int) bool { return !notAfter(h.chunks[i].start) })
	if after == 0 {
		return chunk{}, false
	}
	return h.chunks[after-1], true
}

// held returns the chunks that hold the events from one number to another.
func (h *History) held(from, to uint64) []chunk {
	defer h.lock()()
	first := sort.Search(len(h.chunks), func(i int) bool { return h.chunks[i].last.Seq >= from })
	end := sort.Search(len(h.chunks), func(i int) bool { return h.chunks[i].start.Seq >= to })
	// One that starts with the event to may hold it if there is no other.
	if end < len(h.chunks) && end == 0 {
		end = 1
	}
	return slices.Clone(h.chunks[first:max(first, end)])
}

// keyframe returns the state at the start of a chunk.
func (c *chunk) keyframe() (s trace.State) {
	r := coder{reading: true, buf: c.key, names: c.names}
	r.state(&s)
	return s
}

// replay goes through the events of a chunk.
type replay struct {
	readers [streams]coder
	ahead   [streams]trace.Event // the next event of each stream, if it is known
	known   [streams]bool
}

// replay returns what goes through some streams of a chunk from its start.
func (c *chunk) replay(which ...int) *replay {
	r := &replay{}
	for i := range r.readers {
		r.readers[i] = coder{reading: true, last: last{seq: c.start.Seq, at: uint64(c.start.At)}, packet: new(trace.Packet)}
	}
	for _, i := range which {
		r.readers[i].buf, r.readers[i].names = c.events[i], c.names
	}
	return r
}

// extend lets it go on through what has been added to the chunk since.
func (r *replay) extend(c *chunk) {
	for i := range r.readers {
		r.readers[i].buf, r.readers[i].names = c.events[i], c.names
	}
}

// next returns the next event if it comes no later than a number, and nil if
// there is none. The event is good until the next call.
func (r *replay) next(to uint64) *trace.Event {
	first := -1
	for i := range r.readers {
		if c := &r.readers[i]; !r.known[i] && c.at < len(c.buf) {
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

// spotsMax is how many places are remembered at which somebody looked last.
const spotsMax = 3

// spot is a place at which somebody looked: a state, and what comes after it.
type spot struct {
	key    *byte // of the chunk's keyframe
	used   uint64
	replay *replay
	state  trace.State
}

// spot returns a place in a chunk that is not after an event, from which it is
// not far to it. H.looks is held.
func (h *History) spot(c *chunk, seq uint64) *spot {
	h.turn++
	best, oldest := -1, 0
	for i := range h.spots {
		s := &h.spots[i]
		if s.key == &c.key[0] && s.state.Seq <= seq && (best < 0 || s.state.Seq > h.spots[best].state.Seq) {
			best = i
		}
		if s.used < h.spots[oldest].used {
			oldest = i
		}
	}
	if best < 0 {
		best = oldest
		h.spots[best] = spot{key: &c.key[0], replay: c.replay(rest, marks), state: c.keyframe()}
	}
	s := &h.spots[best]
	s.used = h.turn
	s.replay.extend(c)
	return s
}
