package trace

import (
	"sync"
	"time"
)

// Stream numbers the events of a running cluster and holds the state they add up to. It is
// safe for use by many goroutines on both sides of virtual time, because nothing waits
// while its lock is held. The zero Stream is ready for use.
type Stream struct {
	mu          sync.Mutex
	state       State
	sinks       []Sink
	subscribers []func(Event)
	checker     func(*Event) []Event

	// The event being added, so most events need no memory of their own. carrier
	// is the event of packet.
	event   Event
	carrier Event
	packet  Packet
}

// Sink stores events, in memory or in a file. Its methods run while the stream is
// locked: they must be quick, must not wait, must not keep the pointers, and must
// not call back into the stream.
type Sink interface {
	// Start takes the state at the moment at which the sink is added.
	Start(s *State)
	// Add takes an event and the state right after it.
	Add(e *Event, s *State)
	// AddPacket is Add for an event of [KindPacket] that is numbered s.Seq and
	// carries nothing but the packet.
	AddPacket(p *Packet, s *State)
}

// AddSink passes the present state and every later event to a sink.
func (s *Stream) AddSink(sink Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sink.Start(&s.state)
	s.sinks = append(s.sinks, sink)
}

// Subscribe makes the stream call f with every later event, in order. f must be quick, must
// not wait, and must not call back into the stream.
func (s *Stream) Subscribe(f func(Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, f)
}

// SetChecker makes the stream call f with every later event, in order. The verdicts f
// returns become the events right after that one; f does not see them. f must be quick,
// must not wait, must not keep the pointer, and must not call back into the stream.
func (s *Stream) SetChecker(f func(*Event) []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checker = f
}

// Emit numbers an event and adds it. What it points to must not change afterwards.
func (s *Stream) Emit(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.event = e
	s.add(&s.event)
	if s.checker != nil && e.Kind != KindVerdict {
		s.addVerdicts(s.checker(&s.event))
	}
}

// add numbers the event, applies it and passes it on. The caller holds s.mu.
func (s *Stream) add(e *Event) {
	e.Seq = s.state.Seq + 1
	// Concurrent goroutines may arrive in another order than they read the clock; time in a
	// trace never goes back.
	e.At = max(e.At, s.state.At)
	s.state.Apply(e)
	for _, sink := range s.sinks {
		sink.Add(e, &s.state)
	}
	for _, f := range s.subscribers {
		f(*e)
	}
}

// addVerdicts adds verdicts. The caller holds s.mu.
func (s *Stream) addVerdicts(verdicts []Event) {
	for i := range verdicts {
		s.add(&verdicts[i])
	}
}

// EmitPacket is Emit for an event of [KindPacket], of which there are many: it allocates
// nothing unless there are subscribers.
func (s *Stream) EmitPacket(at time.Duration, p *Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Seq++
	s.state.At = max(at, s.state.At)
	s.packet = *p
	s.state.applyPacket(&s.packet)
	for _, sink := range s.sinks {
		sink.AddPacket(&s.packet, &s.state)
	}
	if len(s.subscribers) > 0 || s.checker != nil {
		s.forwardPacket()
	}
}

// forwardPacket passes the packet to the subscribers, which may keep their copy, and to the
// checker.
func (s *Stream) forwardPacket() {
	e := &s.carrier
	e.Seq, e.At, e.Kind, e.Packet = s.state.Seq, s.state.At, KindPacket, &s.packet
	if len(s.subscribers) > 0 {
		kept, p := *e, s.packet
		kept.Packet = &p
		for _, f := range s.subscribers {
			f(kept)
		}
	}
	if s.checker != nil {
		s.addVerdicts(s.checker(e))
	}
}

// State returns a copy of the present state.
func (s *Stream) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Clone()
}

// CopyTo copies the present state to c, reusing the memory of c.
func (s *Stream) CopyTo(c *State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.CopyTo(c)
}

// Read calls f with the present state, without a copy. f must be quick, must not wait, must
// not keep the pointer, and must not call back into the stream.
func (s *Stream) Read(f func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

// Restore sets the state of a stream to which nothing has been added. The events that led to it
// are not part of the stream.
func (s *Stream) Restore(state *State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state.Clone()
}
