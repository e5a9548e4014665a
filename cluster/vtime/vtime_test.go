package vtime

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// manual is a clock whose real time the test drives, tick by tick.
type manual struct {
	*Clock
	ticks chan time.Time
	now   time.Time
}

func startManual(t *testing.T, setup func(*Bubble)) *manual {
	t.Helper()
	m := &manual{ticks: make(chan time.Time), now: time.Unix(0, 0)}
	m.Clock = start(setup, func() <-chan time.Time { return m.ticks })
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// real lets d of real time pass in ticks, and waits until it has had its effect.
func (m *manual) real(d time.Duration) {
	for range d / tick {
		m.now = m.now.Add(tick)
		m.ticks <- m.now
	}
	// The driver takes ticks in order: once it takes this one, the last tick has had
	// its effect. No real time has passed since, so this one changes nothing.
	m.ticks <- m.now
}

// metronome returns a setup function that counts the seconds of virtual time.
func metronome(beats *atomic.Int64) func(*Bubble) {
	return func(b *Bubble) {
		stop := make(chan struct{})
		b.OnClose(func() { close(stop) })
		b.Go(func() {
			t := time.NewTicker(time.Second)
			defer t.Stop()
			for {
				select {
				case <-t.C:
					beats.Add(1)
				case <-stop:
					return
				}
			}
		})
	}
}

func TestPausedClockStandsStill(t *testing.T) {
	var beats atomic.Int64
	c := Start(metronome(&beats))
	defer func() { _ = c.Close() }()
	for range 1000 {
		if err := c.Do(func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if c.Now() != 0 || beats.Load() != 0 {
		t.Fatalf("now %v, %d beats; want a clock that has not moved", c.Now(), beats.Load())
	}
	if err := c.Advance(10*time.Second + time.Millisecond); err != nil {
		t.Fatal(err)
	}
	c.Pause()
	at := c.Now()
	_ = c.Do(func() {})
	if c.Now() != at || beats.Load() != 10 {
		t.Fatalf("now %v, %d beats; want %v and 10", c.Now(), beats.Load(), at)
	}
}

func TestClockHoldsEverySpeed(t *testing.T) {
	for _, speed := range []float64{0.01, 1.0 / 30, 0.1, 1.0 / 3, 1, 3, 10, 30, 100} {
		var beats atomic.Int64
		m := startManual(t, metronome(&beats))
		m.Run(speed)
		m.real(tick) // the first tick after a change of speed only starts the measurement
		from := m.Now()
		m.real(20 * time.Second)
		_ = m.Do(func() {}) // waits until a beat due at this moment has been counted
		_ = m.Do(func() {})
		want := 20 * speed
		if got := (m.Now() - from).Seconds(); math.Abs(got-want) > want/1000 {
			t.Errorf("speed %v: %v s of virtual time in 20 s of real time, want %v s", speed, got, want)
		}
		if got := beats.Load(); got != int64(m.Now().Seconds()) {
			t.Errorf("speed %v: %d beats at %v", speed, got, m.Now())
		}
		_ = m.Close()
	}
}

func TestSlowMachineFallsBehind(t *testing.T) {
	p := pace{speed: 10}
	if got := p.due(time.Hour); got != 10*tickMax {
		t.Fatalf("after an hour without a tick the clock jumps by %v, want %v", got, 10*tickMax)
	}
}

func TestDoWaitsForTheGoroutinesItStarts(t *testing.T) {
	var order []string
	c := Start(func(*Bubble) {})
	defer func() { _ = c.Close() }()
	_ = c.Do(func() {
		ch := make(chan string)
		go func() { order = append(order, <-ch) }()
		go func() { ch <- "sent" }()
	})
	if strings.Join(order, "") != "sent" {
		t.Fatalf("got %q: Do returned before the goroutines it started were done", order)
	}
}

func TestDoWorksAtEverySpeed(t *testing.T) {
	var beats atomic.Int64
	c := Start(metronome(&beats))
	defer func() { _ = c.Close() }()
	for _, speed := range []float64{0, 0.01, 1, 100, Max} {
		c.Run(speed)
		ran := false
		if err := c.Do(func() { ran = true }); err != nil || !ran {
			t.Fatalf("speed %v: ran %v, error %v", speed, ran, err)
		}
	}
	c.Pause()
	at := c.Now()
	_ = c.Do(func() {})
	if c.Now() != at {
		t.Fatal("time passed while the clock was paused")
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	var beats atomic.Int64
	c := Start(metronome(&beats))
	c.Run(Max)
	_ = c.Advance(time.Minute)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(func() {}); !errors.Is(err, ErrClosed) {
		t.Fatalf("Do after Close: %v", err)
	}
	if err := c.Advance(time.Second); !errors.Is(err, ErrClosed) {
		t.Fatalf("Advance after Close: %v", err)
	}
	goleak.VerifyNone(t, ignore)
}

func TestCloseReportsLeakedGoroutines(t *testing.T) {
	other := Start(func(b *Bubble) { b.Go(func() { time.Sleep(time.Hour) }) })
	defer func() { _ = other.Close() }()
	c := Start(func(b *Bubble) {
		b.Go(func() { <-make(chan int) })
	})
	var leak *LeakError
	if err := c.Close(); !errors.As(err, &leak) || !strings.Contains(err.Error(), "1 goroutines leaked") {
		t.Fatalf("got %v, want an error about the leaked goroutine", err)
	}
	if len(leak.Stacks) != 1 || !strings.Contains(leak.Stacks[0], "TestCloseReportsLeakedGoroutines") {
		t.Errorf("got the stacks %q, want that of the test's goroutine", leak.Stacks)
	}
}

func TestPanicInTheBubbleIsReported(t *testing.T) {
	var asPanic *PanicError
	places := map[string]func(*Clock) error{
		"setup": nil,
		"Do":    func(c *Clock) error { return c.Do(func() { panic("boom") }) },
		"Go": func(c *Clock) error {
			_ = c.Advance(time.Hour)
			<-c.Done()
			return c.Err()
		},
	}
	for name, provoke := range places {
		c := Start(func(b *Bubble) {
			switch name {
			case "setup":
				panic("boom")
			case "Go":
				b.Go(func() { time.Sleep(time.Second); panic("boom") })
			}
		})
		var err error
		if provoke != nil {
			err = provoke(c)
		} else {
			<-c.Done()
			err = c.Err()
		}
		if !errors.As(err, &asPanic) || asPanic.Value != "boom" || len(asPanic.Stack) == 0 {
			t.Errorf("%s: got %v, want the panic with its stack", name, err)
		}
		if err := c.Close(); !errors.As(err, &asPanic) {
			t.Errorf("%s: Close returned %v, want the panic", name, err)
		}
	}
}

// TestZeroTStillWorks guards the one assumption that no documentation promises:
// testing/synctest runs with a T that no test runner has made.
func TestZeroTStillWorks(t *testing.T) {
	c := Start(func(*Bubble) {})
	if err := c.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkIdleHour(b *testing.B) {
	var beats atomic.Int64
	c := Start(metronome(&beats))
	defer func() { _ = c.Close() }()
	for b.Loop() {
		_ = c.Advance(time.Hour)
	}
}
