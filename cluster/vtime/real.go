package vtime

import (
	"fmt"
	"sync"
	"time"
)

// endTimeout is how long, in real time, goroutines may run on after the closers of a clock in real
// time have returned.
const endTimeout = 15 * time.Second

// realTime is what a clock in real time has instead of a pacer.
type realTime struct {
	bubble  *Bubble
	serving sync.Mutex     // held by Do
	running sync.WaitGroup // goroutines started by Bubble.Go
}

// StartReal is Start for code that must live in real time, because it speaks with other processes.
// The code is the same, but its clock never stands still: Speed is always 1, Run and Pause do
// nothing, Advance waits, and Do returns while what it has set off may still go on. A goroutine
// that never ends makes Close fail only if [Bubble.Go] has started it.
func StartReal(setup func(*Bubble)) *Clock {
	c := &Clock{
		ending: make(chan struct{}),
		ended:  make(chan struct{}),
		real:   &realTime{},
	}
	c.real.bubble = &Bubble{clock: c, started: time.Now()}
	ready := make(chan struct{})
	go c.runReal(setup, ready)
	<-ready
	return c
}

// runReal runs the code of a clock in real time from start to end. It closes ready after setup.
func (c *Clock) runReal(setup func(*Bubble), ready chan struct{}) {
	defer close(c.ended)
	b := c.real.bubble
	_ = b.guard(func() { setup(b) })
	close(ready)
	<-c.ending
	c.real.serving.Lock() // a call that has begun ends before the closers run, and none follows
	closers := b.closers
	c.real.serving.Unlock()
	for i := len(closers) - 1; i >= 0; i-- {
		_ = b.guard(closers[i])
	}
	gone := make(chan struct{})
	go func() { c.real.running.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(endTimeout):
		c.fail(&LeakError{cause: fmt.Sprintf("they still run %s after the end", endTimeout)})
	}
}

// doReal is Do in real time.
func (c *Clock) doReal(f func()) error {
	c.real.serving.Lock()
	defer c.real.serving.Unlock()
	select {
	case <-c.ending:
		return ErrClosed
	default:
		return c.real.bubble.guard(f)
	}
}

// waitReal waits until a channel is closed, or for d.
func (c *Clock) waitReal(d time.Duration, until <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-until:
		return nil
	case <-timer.C:
		return nil
	case <-c.ended:
		return ErrClosed
	}
}
