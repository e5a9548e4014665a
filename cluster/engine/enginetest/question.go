package enginetest

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Asking asks three questions.
const Asking = `nodes 3
wait 100ms
ask first?
choice a when term > 0
choice b when value 9
choice c when value 8
wait 100ms
because so
ask second?
choice a when term > 0
choice b when value 9
because so
ask third?
choice a when value 9 within 1s
choice b when term > 0 within 1s
because so
`

func waitsAtQuestion(t *testing.T, e engine.Engine) {
	t.Helper()
	script, err := scenario.Parse("asking", []byte(Asking))
	if err != nil {
		t.Fatal(err)
	}
	if a := do(t, e, engine.Order{Answer: &engine.Votes{1}}); a.End.Err == nil || a.End.Err.Error() != engine.ErrNoQuestion.Error() {
		t.Errorf("an answer without a question gave %v", a.End.Err)
	}
	if e.Stage().Answer(engine.Votes{1}) {
		t.Error("the stage takes an answer without a question")
	}
	var picked []string
	e.Subscribe(func(event trace.Event) {
		if q := event.Question; q != nil && q.Judged {
			picked = append(picked, fmt.Sprint(q.Picked, q.True()))
		}
	})
	done := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
	for _, test := range []struct {
		choices int
		answer  func() bool
	}{
		{3, func() bool { return e.Stage().Answer(engine.Votes{12, 30}) }},
		{2, func() bool { return e.Stage().Next() }}, // skips it
		{2, func() bool { return do(t, e, engine.Order{Answer: &engine.Votes{0, 1}}).End.Err == nil }},
	} {
		advanceUntil(t, e, func() bool { return e.Stage().Choices() == test.choices })
		s := state(e)
		if e.Stage().Choices() != test.choices || !e.Stage().Waits() || s.Question == nil || !s.Question.Waits() || len(s.Question.Choices) != test.choices || len(done) > 0 {
			t.Fatalf("%d choices wait, want %d, for %+v", e.Stage().Choices(), test.choices, s.Question)
		}
		if !test.answer() || e.Stage().Choices() != 0 { // where time is real, its answer may wait already
			t.Error("the question still waits")
		}
		advanceUntil(t, e, e.Stage().Waits) // for the audience to read the answer
		if s := state(e); !s.Question.Judged || e.Stage().Choices() != 0 || !e.Stage().Next() {
			t.Errorf("%+v does not wait to be read", s.Question)
		}
	}
	advanceUntil(t, e, func() bool { return len(done) > 0 })
	if a := <-done; a.End.Err != nil || len(a.Failures) > 0 {
		t.Errorf("the scenario ended with %+v", a)
	}
	if want := []string{"[12 30 0] [0]", "[0 0] [0]", "[0 1] [1]"}; !slices.Equal(picked, want) {
		t.Errorf("judged %q, want %q", picked, want)
	}
}

// advanceUntil advances the clock until something is the case, for at most a minute.
func advanceUntil(t *testing.T, e engine.Engine, is func() bool) {
	t.Helper()
	for range 6000 {
		if is() {
			return
		}
		if err := e.Advance(10 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

// continuesAtOnce holds that the steps of a scenario take no virtual time: held messages have
// deadlines, and their sender a lease.
func continuesAtOnce(t *testing.T, e engine.Engine) {
	t.Helper()
	script, err := scenario.Parse("steps", []byte("nodes 3\nwait 100ms\nstep 1\nsay one\nstep 2\nask a?\nchoice b when value 0\nchoice c when value 1\nbecause d\nstep 3\nstep 4"))
	if err != nil {
		t.Fatal(err)
	}
	e.Submit(engine.Order{Scenario: script}, func(engine.Answer) {})
	advanceUntil(t, e, e.Stage().Waits)
	at := e.Now()
	for _, want := range []string{"2", "", "3", "4"} {
		if !e.Stage().Next() {
			t.Fatalf("nothing waits before step %q", want)
		}
		for !e.Stage().Waits() {
			runtime.Gosched()
		}
		if step, _ := e.Stage().Waiting(); step != want || e.Now() != at {
			t.Errorf("step %q waits at %s, want %q at %s", step, e.Now(), want, at)
		}
	}
}
