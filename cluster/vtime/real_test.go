package vtime

import (
	"errors"
	"testing"
	"time"
)

func TestRealClockRunsByItself(t *testing.T) {
	ran, closed := make(chan struct{}), make(chan struct{})
	var b *Bubble
	c := StartReal(func(bubble *Bubble) {
		b = bubble
		b.OnClose(func() { close(closed) })
		b.Go(func() { close(ran) })
	})
	c.Pause() // does nothing
	<-ran
	if c.Speed() != 1 {
		t.Errorf("speed %g, want 1", c.Speed())
	}
	before := c.Now()
	if err := c.Advance(time.Millisecond); err != nil || c.Now() < before+time.Millisecond {
		t.Errorf("advanced from %s to %s: %v", before, c.Now(), err)
	}
	if err := c.DoUntil(time.Hour, func() <-chan struct{} {
		ended := make(chan struct{})
		b.Go(func() { close(ended) })
		return ended
	}); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	<-closed
	if err := c.Do(func() { t.Error("called after the end") }); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v after Close", err)
	}
}

func TestPanicEndsARealClock(t *testing.T) {
	c := StartReal(func(b *Bubble) { b.Go(func() { panic("boom") }) })
	<-c.Done()
	var panicked *PanicError
	if err := c.Close(); !errors.As(err, &panicked) || panicked.Value != "boom" {
		t.Errorf("got %v", err)
	}
}
