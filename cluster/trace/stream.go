package trace

import (
	"sync"
	"time"
)

// Stream takes the events of a cluster as they happen and holds the state they add
// up to. It is safe for use by many goroutines on both sides of virtual time:
// nothing waits while its lock is held.
type Stream struct {
	mu          sync.Mutex
	state       State
	sinks       []Sink
	subscribers []func(Event)
	checker     func(*Event) []Event

	// The event being added, so that most events need no memory of their own. carrier
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
func (l *Stream) AddSink(sink Sink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sink.Start(&l.state)
	l.sinks = append(l.sinks, sink)
}

// Subscribe has f see every later event, in order. F must be quick, must not
// wait, and must not call back into the log.
func (l *Stream) Subscribe(f func(Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscribers = append(l.subscribers, f)
}

// SetChecker has f see every later event, in order. The verdicts it returns become the
// events right after that one; f does not see them. F must be quick, must not
// wait, must not keep the pointer, and must not call back into the log.
func (l *Stream) SetChecker(f func(*Event) []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checker = f
}

// Emit numbers the event and adds it. Its fields must not change afterwards.
func (l *Stream) Emit(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.event = e
	l.add(&l.event)
	if l.checker != nil && e.Kind != KindVerdict {
		l.addVerdicts(l.checker(&l.event))
	}
}

// add numbers the event, applies it and passes it on. The log is locked.
func (l *Stream) add(e *Event) {
	e.Seq = l.state.Seq + 1
	// Goroutines that run at the same time may arrive in another order than they
	// looked at the clock; time in a trace never goes back.
	e.At = max(e.At, l.state.At)
	l.state.Apply(e)
	for _, sink := range l.sinks {
		sink.Add(e, &l.state)
	}
	for _, f := range l.subscribers {
		f(*e)
	}
}

// addVerdicts adds verdicts. The log is locked.
func (l *Stream) addVerdicts(verdicts []Event) {
	for i := range verdicts {
		l.add(&verdicts[i])
	}
}

// EmitPacket is Emit for an event of [KindPacket]. There are many of those, so it
// needs no memory where nobody keeps the event.
func (l *Stream) EmitPacket(at time.Duration, p *Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Seq++
	l.state.At = max(at, l.state.At)
	l.packet = *p
	l.state.applyPacket(&l.packet)
	for _, sink := range l.sinks {
		sink.AddPacket(&l.packet, &l.state)
	}
	if len(l.subscribers) > 0 || l.checker != nil {
		l.forwardPacket()
	}
}

// forwardPacket shows the packet to the subscribers, which may keep their copy, and to the checker.
func (l *Stream) forwardPacket() {
	e := &l.carrier
	e.Seq, e.At, e.Kind, e.Packet = l.state.Seq, l.state.At, KindPacket, &l.packet
	if len(l.subscribers) > 0 {
		kept, p := *e, l.packet
		kept.Packet = &p
		for _, f := range l.subscribers {
			f(kept)
		}
	}
	if l.checker != nil {
		l.addVerdicts(l.checker(e))
	}
}

// State returns a copy of the present state.
func (l *Stream) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Clone()
}

// CopyTo makes c a copy of the present state, in the memory that c has.
func (l *Stream) CopyTo(c *State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.CopyTo(c)
}

// Read calls f with the present state, without a copy. F must be quick, must
// not wait, must not keep the pointer, and must not call back into the log.
func (l *Stream) Read(f func(*State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
}
