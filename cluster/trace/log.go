package trace

import (
	"sync"
	"time"
)

// Stream takes the events of a cluster as they happen and holds the state they add
// up to. It is safe for use by many goroutines on both sides of virtual time:
// nothing waits while its lock is held.
type Stream struct {
	mu    sync.Mutex
	state State
	sinks []func(Event)
	judge func(*Event) []Event

	// What is being added, so that most events need no memory of their own: carrier
	// is the event of packet.
	event   Event
	carrier Event
	packet  Packet
	keepers []keeper
}

// keeper is what keeps events. It sees each, and the state after it, but must not
// hold on to either.
type keeper interface {
	add(e *Event, s *State)
	addPacket(p *Packet, s *State)
}

// Subscribe has f see every later event, in order. F must be quick, must not
// wait, and must not call back into the log.
func (l *Stream) Subscribe(f func(Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sinks = append(l.sinks, f)
}

// SetChecker has f see every later event, in order. The verdicts it returns become the
// events right after that one; f does not see them. F must be quick, must not
// wait, must not keep the pointer, and must not call back into the log.
func (l *Stream) SetChecker(f func(*Event) []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judge = f
}

// Emit numbers the event and adds it. Its fields must not change afterwards.
func (l *Stream) Emit(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.event = e
	l.add(&l.event)
	if l.judge != nil && e.Kind != KindVerdict {
		l.pass(l.judge(&l.event))
	}
}

// add numbers the event, applies it and passes it on. The log is locked.
func (l *Stream) add(e *Event) {
	e.Seq = l.state.Seq + 1
	// Goroutines that run at the same time may arrive in another order than they
	// looked at the clock; time in a trace never goes back.
	e.At = max(e.At, l.state.At)
	l.state.apply(e)
	for _, k := range l.keepers {
		k.add(e, &l.state)
	}
	for _, sink := range l.sinks {
		sink(*e)
	}
}

// pass adds verdicts. The log is locked.
func (l *Stream) pass(verdicts []Event) {
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
	for _, k := range l.keepers {
		k.addPacket(&l.packet, &l.state)
	}
	if len(l.sinks) > 0 || l.judge != nil {
		l.passOn()
	}
}

// passOn has the sinks and the judge see the packet. The sinks may keep theirs.
func (l *Stream) passOn() {
	e := &l.carrier
	e.Seq, e.At, e.Kind, e.Packet = l.state.Seq, l.state.At, KindPacket, &l.packet
	if len(l.sinks) > 0 {
		kept, p := *e, l.packet
		kept.Packet = &p
		for _, sink := range l.sinks {
			sink(kept)
		}
	}
	if l.judge != nil {
		l.pass(l.judge(e))
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
