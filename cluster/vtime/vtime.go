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

// quantum is how much virtual time passes before the pacer checks for calls and
// orders again. It takes well under 8 ms of real time even with 99 busy nodes, so
// calls and frames are never late, and it is long enough for its timer to cost
// little.
const quantum = 50 * time.Millisecond

// ErrClosed is returned by Do and Advance once the bubble has ended.
var ErrClosed = errors.New("virtual clock is closed")

// PanicError is a panic that was caught in the bubble.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in virtual time: %v", e.Value) }

// Bubble is virtual time seen from inside.
type Bubble struct {
	clock   *Clock
	started time.Time
	closers []func()
}

// Now returns the virtual time: 0 at the start, or what BeginAt has set, plus what
// has passed since.
func (b *Bubble) Now() time.Duration { return time.Since(b.started) }

// BeginAt makes the clock start at a later time than 0. The setup function may call
// it, before anything else.
func (b *Bubble) BeginAt(at time.Duration) {
	b.started = time.Now().Add(-at)
	b.clock.now.Store(int64(at))
}

// Go runs f on a goroutine of the bubble. A panic in f ends the clock with a
// [PanicError] instead of the program.
func (b *Bubble) Go(f func()) {
	if r := b.clock.real; r != nil {
		r.running.Go(func() { _ = b.guard(f) })
		return
	}
	go func() { _ = b.guard(f) }()
}

// OnClose registers f to run in the bubble before it ends. It may take virtual
// time, and must end every goroutine that would otherwise run forever. The last
// function registered runs first.
func (b *Bubble) OnClose(f func()) { b.closers = append(b.closers, f) }

// Catch recovers from a panic and ends the clock with a [PanicError] instead of
// the program. Defer it in callbacks that other code makes on its own goroutines.
func (b *Bubble) Catch() {
	if v := recover(); v != nil {
		b.clock.fail(&PanicError{Value: v, Stack: debug.Stack()})
	}
}

// guard runs f. If f panics, guard ends the clock and returns the panic.
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

// Clock is virtual time seen from outside: it owns the clock of one bubble. Any
// goroutine outside the bubble may call its methods.
type Clock struct {
	calls   chan call
	slices  chan slice
	ending  chan struct{} // closed to ask the bubble to end
	ended   chan struct{} // closed when it has
	wake    chan struct{} // tells the driver that the speed has changed
	endOnce sync.Once
	real    *realTime    // nil in virtual time
	now     atomic.Int64 // virtual nanoseconds, as Now returns them
	hurry   atomic.Bool  // asks the pacer to cut short the slice it is in

	mu    sync.Mutex
	pace  pace
	cause error // why the bubble ended, nil after a clean Close
}

type call struct {
	f    func()
	done chan error
}

// slice is an order to let some virtual time pass.
type slice struct {
	length time.Duration
	yields bool // may be cut short by hurry
	done   chan struct{}
}

// Start runs setup in a new bubble and returns its clock, which is paused. Setup
// starts the goroutines of the bubble and returns; they keep running.
//
// Until the first call of Run with a speed, nothing reads real time.
func Start(setup func(*Bubble)) *Clock {
	return start(setup, sync.OnceValue(func() <-chan time.Time { return time.NewTicker(tick).C }))
}

// start is Start, except that ticks provides the real time, once time is to pass.
func start(setup func(*Bubble), ticks func() <-chan time.Time) *Clock {
	c := &Clock{
		calls:  make(chan call),
		slices: make(chan slice),
		ending: make(chan struct{}),
		ended:  make(chan struct{}),
		wake:   make(chan struct{}, 1),
	}
	ready := make(chan struct{})
	go c.run(setup, ready)
	select {
	case <-ready:
	case <-c.ended:
	}
	go c.drive(ticks)
	return c
}

// run runs the bubble from start to end. It closes ready after setup.
func (c *Clock) run(setup func(*Bubble), ready chan struct{}) {
	defer close(c.ended)
	label := ""
	defer func() {
		// synctest panics here if goroutines of the bubble can never end.
		if v := recover(); v != nil {
			c.fail(&LeakError{Stacks: bubbleStacks(label), cause: v})
		}
	}()
	// The zero T works in an ordinary program; TestZeroTStillWorks guards that.
	synctest.Test(new(testing.T), func(*testing.T) {
		b := &Bubble{clock: c, started: time.Now()}
		label = bubbleLabel()
		if b.guard(func() { setup(b) }) == nil {
			close(ready)
			c.serve(b)
		}
		for i := len(b.closers) - 1; i >= 0; i-- {
			_ = b.guard(b.closers[i])
		}
	})
}

// serve is the pacer. Time stands still while it waits for an order.
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

// pass lets a slice of time pass, one quantum after another, and serves calls in
// between.
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
		synctest.Wait() // everything due at the last moment has happened too
	}
}

// serve runs the call once all goroutines are blocked, and answers once they are
// blocked again.
func (k call) serve(b *Bubble) {
	synctest.Wait()
	err := b.guard(k.f)
	synctest.Wait()
	b.clock.now.Store(int64(b.Now()))
	k.done <- err
}

// Do runs f in the bubble while time stands still. It returns when f and every
// goroutine it woke or started have done what they can without time passing. F must
// not wait for virtual time: start a goroutine with [Bubble.Go] for that. The error
// is a [PanicError] if f panicked, or [ErrClosed].
func (c *Clock) Do(f func()) error {
	if c.real != nil {
		return c.doReal(f)
	}
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
	case err := <-k.done: // f panicked, which ended the bubble
		return err
	default:
		return ErrClosed
	}
}

// DoUntil is Do for an f that starts something that takes virtual time: paused or not, time passes
// until the channel that f returns, one of the bubble, is closed, but for at most limit. Nothing
// else is served meanwhile.
func (c *Clock) DoUntil(limit time.Duration, f func() (ended <-chan struct{})) error {
	if c.real != nil {
		var ended <-chan struct{}
		if err := c.doReal(func() { ended = f() }); err != nil {
			return err
		}
		return c.waitReal(limit, ended)
	}
	return c.Do(func() {
		ended := f()
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		}
	})
}

// Advance lets d of virtual time pass as fast as possible, paused or not, and
// returns when everything due by then has happened. The error is [ErrClosed].
func (c *Clock) Advance(d time.Duration) error {
	if c.real != nil {
		return c.waitReal(d, nil)
	}
	return c.give(slice{length: d, done: make(chan struct{})})
}

// give hands a slice to the pacer and waits until it has passed.
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

// Now returns the virtual time, as [Bubble.Now] does.
func (c *Clock) Now() time.Duration {
	if c.real != nil {
		return c.real.bubble.Now()
	}
	return time.Duration(c.now.Load())
}

// Err returns why the bubble failed: a [PanicError] or a [LeakError]. It is nil while the
// bubble runs and after a clean Close.
func (c *Clock) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Done returns a channel that is closed when the bubble has ended, by Close or by a
// panic.
func (c *Clock) Done() <-chan struct{} { return c.ended }

// fail ends the bubble because of err. Clock keeps only the first cause.
func (c *Clock) fail(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	c.mu.Unlock()
	c.end()
}

func (c *Clock) end() { c.endOnce.Do(func() { close(c.ending) }) }

// Close ends the bubble and waits until all of its goroutines have ended. The error
// is that of Err: the panic that ended the bubble before, or leaked goroutines.
func (c *Clock) Close() error {
	c.end()
	<-c.ended
	return c.Err()
}
