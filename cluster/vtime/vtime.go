// Package vtime runs unmodified Go code in virtual time: its timers fire in
// order, but its clock moves only as far and as fast as the caller lets it.
//
// The code runs in a bubble of testing/synctest. The clock of a bubble moves
// only when every goroutine in it is durably blocked, and waiting for something
// outside the bubble is not a durable block. So one goroutine of the bubble, the
// pacer, waits for orders on channels made outside: while it waits, time stands
// still; when it is told to let time pass, it sleeps that long in virtual time.
//
// What belongs to whom: everything the world starts lives in the bubble and is
// reached from outside through one door, [Clock.Do]. Channels, timers and
// contexts of one side must never be touched from the other (Go panics); plain
// mutexes and atomics may be shared, if nobody sleeps while holding one: a
// goroutine that is blocked on a mutex keeps the clock still.
//
// The bubble can only end when all of its goroutines have ended, which makes
// [Clock.Close] a leak detector.
package vtime

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Max is the speed at which the clock runs as fast as the machine can.
const Max = 1e9

// quantum is how much virtual time passes before the pacer looks for calls and
// orders again. A quantum costs well under 8 ms of real time even with 99 busy
// nodes, so that calls and frames are never late, and its own timer costs little.
const quantum = 50 * time.Millisecond

// ErrClosed is returned by calls on a clock whose bubble has ended.
var ErrClosed = errors.New("virtual time has ended")

// PanicError is a panic in the bubble, caught where it could be.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in virtual time: %v", e.Value) }

// Bubble is the inside of virtual time, as the world sees it.
type Bubble struct {
	clock   *Clock
	started time.Time
	closers []func()
}

// Now returns how much virtual time has passed since the start, which was at 0 or
// where BeginAt put it.
func (b *Bubble) Now() time.Duration { return time.Since(b.started) }

// BeginAt has the clock begin at a later moment than 0. It is called by the world
// while that sets things up, and before anything else.
func (b *Bubble) BeginAt(at time.Duration) {
	b.started = time.Now().Add(-at)
	b.clock.now.Store(int64(at))
}

// Go runs f on a goroutine of the bubble. A panic in f ends the clock with a
// [PanicError] instead of the program.
func (b *Bubble) Go(f func()) {
	go func() { _ = b.guard(f) }()
}

// OnClose has f run in the bubble when it is about to end; f may take virtual
// time, and must end every goroutine that would go on for ever. The last one
// registered runs first.
func (b *Bubble) OnClose(f func()) { b.closers = append(b.closers, f) }

// Catch is to be deferred where code of others, on a goroutine that they
// started, calls back: a panic ends the clock with a [PanicError] instead of the
// program.
func (b *Bubble) Catch() {
	if v := recover(); v != nil {
		b.clock.fail(&PanicError{Value: v, Stack: debug.Stack()})
	}
}

// guard runs f; a panic is returned, and ends the clock.
func (b *Bubble) guard(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
			b.clock.fail(err)
		}
	}()
	f()
	return nil
}

// Clock is the outside of virtual time: it owns the clock of one bubble.
// Its methods may be called from any goroutine outside of the bubble.
type Clock struct {
	calls   chan call
	slices  chan slice
	ending  chan struct{} // closed to ask the bubble to end
	ended   chan struct{} // closed when it has
	wake    chan struct{} // tells the driver that the speed changed
	endOnce sync.Once
	now     atomic.Int64 // virtual nanoseconds, as Now returns them
	hurry   atomic.Bool  // asks the pacer to give back the slice it is in

	mu    sync.Mutex
	pace  pace
	cause error // why the bubble ended, nil after a clean Close
}

type call struct {
	f    func()
	done chan error
}

// slice is an order to let virtual time pass.
type slice struct {
	length time.Duration
	yields bool // may be cut short by hurry
	done   chan struct{}
}

// Start runs world in a new bubble and returns its clock, which stands still.
// World sets things up and returns; the goroutines it starts go on.
func Start(world func(*Bubble)) *Clock {
	t := time.NewTicker(tick)
	c := start(world, t.C)
	go func() {
		<-c.ended
		t.Stop()
	}()
	return c
}

// start is Start with the real time given: each tick carries what time it is.
func start(world func(*Bubble), ticks <-chan time.Time) *Clock {
	c := &Clock{
		calls:  make(chan call),
		slices: make(chan slice),
		ending: make(chan struct{}),
		ended:  make(chan struct{}),
		wake:   make(chan struct{}, 1),
	}
	ready := make(chan struct{})
	go c.run(world, ready)
	select {
	case <-ready:
	case <-c.ended:
	}
	go c.drive(ticks)
	return c
}

// run is the bubble from its beginning to its end.
func (c *Clock) run(world func(*Bubble), ready chan struct{}) {
	defer close(c.ended)
	defer func() {
		// A bubble whose goroutines can never end panics here.
		if v := recover(); v != nil {
			c.fail(fmt.Errorf("goroutines were left behind in virtual time: %v", v))
		}
	}()
	// The zero T works in an ordinary program; TestTheZeroTStillWorks guards it.
	synctest.Test(new(testing.T), func(*testing.T) {
		b := &Bubble{clock: c, started: time.Now()}
		if b.guard(func() { world(b) }) == nil {
			close(ready)
			c.serve(b)
		}
		for i := len(b.closers) - 1; i >= 0; i-- {
			_ = b.guard(b.closers[i])
		}
	})
}

// serve is the pacer: time stands still while it waits for an order.
func (c *Clock) serve(b *Bubble) {
	for {
		select {
		case k := <-c.calls:
			k.serve(b)
		case s := <-c.slices:
			c.pass(b, s)
		case <-c.ending:
			return
		}
	}
}

// pass lets the time of a slice pass, a quantum at a time, serving calls between.
func (c *Clock) pass(b *Bubble, s slice) {
	defer close(s.done)
	for end := b.Now() + s.length; b.Now() < end; {
		if s.yields && c.hurry.Load() {
			return
		}
		time.Sleep(min(quantum, end-b.Now()))
		c.now.Store(int64(b.Now()))
		select {
		case k := <-c.calls:
			k.serve(b)
		case <-c.ending:
			return
		default:
		}
	}
	if !s.yields {
		synctest.Wait() // what was due at the last moment has happened too
	}
}

// serve runs the call at a quiet moment, and answers at the next one.
func (k call) serve(b *Bubble) {
	synctest.Wait()
	err := b.guard(k.f)
	synctest.Wait()
	k.done <- err
}

// Do runs f in the bubble while time stands still, and returns when f and all
// that it set off have done what they can without time passing. F must not wait
// for virtual time to pass: for that, have it start a goroutine with [Bubble.Go].
// The error is a [PanicError] if f panicked, or [ErrClosed].
func (c *Clock) Do(f func()) error {
	k := call{f: f, done: make(chan error, 1)}
	select {
	case c.calls <- k:
	case <-c.ended:
		return ErrClosed
	}
	select {
	case err := <-k.done:
		return err
	case <-c.ended:
	}
	select {
	case err := <-k.done: // f panicked and that ended the bubble
		return err
	default:
		return ErrClosed
	}
}

// Advance lets d of virtual time pass as fast as possible, whether the clock is
// paused or not, and returns when it has and all that was due is done. The error
// is [ErrClosed].
func (c *Clock) Advance(d time.Duration) error {
	return c.give(slice{length: d, done: make(chan struct{})})
}

func (c *Clock) give(s slice) error {
	select {
	case c.slices <- s:
	case <-c.ended:
		return ErrClosed
	}
	select {
	case <-s.done:
		return nil
	case <-c.ended:
		return ErrClosed
	}
}

// Now returns how much virtual time has passed since the start, as [Bubble.Now] does.
func (c *Clock) Now() time.Duration { return time.Duration(c.now.Load()) }

// Err returns why the bubble ended by itself: a [PanicError] or what was left
// behind at Close; nil while it runs and after a clean Close.
func (c *Clock) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Done is closed when the bubble has ended, by Close or by a panic.
func (c *Clock) Done() <-chan struct{} { return c.ended }

// fail ends the bubble because of err. The first cause is kept.
func (c *Clock) fail(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	c.mu.Unlock()
	c.end()
}

func (c *Clock) end() { c.endOnce.Do(func() { close(c.ending) }) }

// Close ends the bubble and waits until all of its goroutines have ended. It
// returns why the bubble ended if that was not Close, or what was left behind.
func (c *Clock) Close() error {
	c.end()
	<-c.ended
	return c.Err()
}
