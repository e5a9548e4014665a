package engine

import (
	"errors"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// A goroutine that raft leaves hanging never ends its order.
func TestOrderThatHangsIsAnsweredWhenTheClusterEnds(t *testing.T) {
	n := openNative(t, memoryConfig())
	answers := make(chan Answer, 1)
	n.answerAtEnd(make(chan struct{}), func(a Answer) { answers <- a })
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-answers:
		if !errors.Is(a.End.Err, vtime.ErrClosed) {
			t.Errorf("the answer is %v", a.End.Err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
	}
}

func TestSessionIsJudgedWithoutBeingStopped(t *testing.T) {
	n := openNative(t, memoryConfig())
	if end := Do(n, Order{Line: "load 20/s"}).End; end.Err != nil {
		t.Fatal(end.Err)
	}
	grows := func() bool {
		var before, after trace.State
		n.CopyTo(&before)
		if err := n.Advance(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		n.CopyTo(&after)
		return after.Commit > before.Commit+20
	}
	limit := time.Duration(0)
	if a := Do(n, Order{Conclude: &limit}); a.End.Err != nil || len(a.Failures) > 0 || !grows() {
		t.Errorf("a session that is only judged stops its load: %+v", a)
	}
	limit = time.Second
	n.Run(vtime.Max)
	a := Do(n, Order{Conclude: &limit})
	if n.Run(0); a.End.Err != nil || grows() {
		t.Errorf("a session that ends keeps its load: %+v", a)
	}
}

// The screen may ask for a speed before it knows of the step.
func TestClockStandsUntilTheStepIsSeen(t *testing.T) {
	n := openNative(t, memoryConfig())
	n.Stage().Begin("look")
	n.Run(1)
	if n.Stage().Waits(); n.Speed() != 0 {
		t.Error("the clock runs while nobody has seen the step")
	}
	n.Stage().See()
	if n.Run(1); n.Speed() != 1 {
		t.Error("the presenter cannot run the clock")
	}
	n.Run(0)
	if n.Stage().Answer(Votes{1}) || !n.Stage().Waits() {
		t.Error("an answer ends the step")
	}
	if !n.Stage().Next() || n.Stage().Waits() {
		t.Error("the step still waits")
	}
}
