// Package enginetest is what every engine must do, as tests.
package enginetest

import (
	"errors"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Config is a cluster of three nodes, in memory, with a history.
func Config() cluster.Config {
	settings := cluster.DefaultSettings()
	settings.Storage, settings.Seed = cluster.Memory, 7
	return cluster.Config{Nodes: 3, Settings: settings, HistoryBudget: 16 << 20}
}

// Run tests an implementation of a mode. Open starts an engine with attended steps; one that takes
// orders, which a recording does not, runs the cluster of [Config], and starts at time 0.
func Run(t *testing.T, mode engine.Mode, open func(testing.TB) engine.Engine) {
	t.Helper()
	suite := []struct {
		name    string
		live    bool // needs an engine that takes orders
		virtual bool // needs a clock that stands still
		test    func(*testing.T, engine.Engine)
	}{
		{"starts standing still", false, true, standsStill},
		{"shows one state", false, true, showsOneState},
		{"answers each order once", false, false, answersOnce},
		{"names a mistake", true, false, namesMistakes},
		{"advances exactly", true, true, advances},
		{"runs at a speed", true, true, runs},
		{"reports events in order", true, false, reports},
		{"waits at a step", true, false, waitsAtStep},
		{"waits at a question", true, false, waitsAtQuestion},
		{"moves messages by hand", true, true, movesByHand},
		{"continues at once", true, true, continuesAtOnce},
		{"saves and concludes", true, false, savesAndConcludes},
		{"branches", false, false, branches},
		{"closes", false, false, closes},
	}
	for _, c := range suite {
		if c.live && mode == engine.RecordingMode || c.virtual && mode == engine.ProcessesMode {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			e := open(t)
			if e.Mode() != mode {
				t.Errorf("the mode is %s, want %s", e.Mode(), mode)
			}
			c.test(t, e)
			if err := e.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// state returns the present state.
func state(e engine.Engine) (s trace.State) {
	e.CopyTo(&s)
	return s
}

// do gives a line, lets time pass until its answer, and returns that.
func do(t *testing.T, e engine.Engine, order engine.Order) engine.Answer {
	t.Helper()
	answers := make(chan engine.Answer, 2)
	e.Submit(order, func(a engine.Answer) { answers <- a })
	for range 3000 {
		select {
		case a := <-answers:
			return a
		default:
			if err := e.Advance(20 * time.Millisecond); err != nil {
				t.Fatalf("%+v: %v", order, err)
			}
		}
	}
	t.Fatalf("%+v: no answer within a minute", order)
	return engine.Answer{}
}

func standsStill(t *testing.T, e engine.Engine) {
	t.Helper()
	before, at := state(e), e.Now()
	if e.Speed() != 0 || e.Mode() == "" || e.History() == nil {
		t.Errorf("speed %g, mode %q, history %v", e.Speed(), e.Mode(), e.History())
	}
	select {
	case <-e.Done():
		t.Error("it is done")
	default:
	}
	if after := state(e); after.Seq != before.Seq || e.Now() != at || e.Err() != nil {
		t.Errorf("event %d came after %d, at %s after %s; %v", after.Seq, before.Seq, e.Now(), at, e.Err())
	}
}

func showsOneState(t *testing.T, e engine.Engine) {
	t.Helper()
	copied := state(e)
	e.Read(func(s *trace.State) {
		if s.Seq != copied.Seq || len(s.Nodes) != 3 {
			t.Errorf("read event %d with %d nodes, copied event %d", s.Seq, len(s.Nodes), copied.Seq)
		}
	})
	if _, last := e.History().Span(); last.Seq != copied.Seq {
		t.Errorf("the history ends with event %d, the state with %d", last.Seq, copied.Seq)
	}
}

func answersOnce(t *testing.T, e engine.Engine) {
	t.Helper()
	for _, line := range []string{"heal", "nonsense", "kill n9", "increment 0"} {
		answers := make(chan engine.Answer, 2)
		e.Submit(engine.Order{Line: line}, func(a engine.Answer) { answers <- a })
		a := <-answers
		switch {
		case e.Mode() == engine.RecordingMode && !errors.Is(a.End.Err, engine.ErrRecorded):
			t.Errorf("%s: a recording answers %v", line, a.End.Err)
		case (a.End.Err == nil) != (line == "heal" && e.Mode() != engine.RecordingMode):
			t.Errorf("%s: the answer is %v", line, a.End.Err)
		case len(answers) > 0:
			t.Errorf("%s: two answers", line)
		}
	}
}

func namesMistakes(t *testing.T, e engine.Engine) {
	t.Helper()
	var mistake *scenario.Error
	if _, err := e.Prompt().Parse("kil n1"); !errors.As(err, &mistake) {
		t.Errorf("parsing gave %v", err)
	}
	if line, err := e.Prompt().Parse("kill n1"); err != nil || line.Verb != "kill" {
		t.Errorf("parsing gave %v", err)
	}
	if a := do(t, e, engine.Order{Line: "let x = n2"}); a.End.Err != nil {
		t.Fatal(a.End.Err)
	}
	if _, err := e.Prompt().Parse("kill $x"); err != nil {
		t.Errorf("the prompt does not know the name: %v", err)
	}
	var failure *scenario.Failure
	if a := do(t, e, engine.Order{Line: "expect value 5"}); !errors.As(a.End.Err, &failure) || failure.Want == "" {
		t.Errorf("an expectation that does not hold gave %v", a.End.Err)
	}
	if a := do(t, e, engine.Order{Line: "try restart n1"}); !scenario.IsTried(a.End.Err) {
		t.Errorf("a refusal behind try gave %v", a.End.Err)
	}
}

func advances(t *testing.T, e engine.Engine) {
	t.Helper()
	for _, d := range []time.Duration{20 * time.Millisecond, 7 * time.Millisecond, time.Second} {
		before := e.Now()
		if err := e.Advance(d); err != nil || e.Now() != before+d || e.Speed() != 0 {
			t.Errorf("%v: from %s by %s to %s, speed %g", err, before, d, e.Now(), e.Speed())
		}
	}
	if !engine.AwaitLeader(e, engine.FirstElection) {
		t.Fatal("no leader")
	}
	if a := do(t, e, engine.Order{Line: "increment"}); a.End.Err != nil || a.End.Op.Outcome != trace.OK || a.End.Op.Value != 1 {
		t.Errorf("the increment gave %+v", a.End)
	}
}

func runs(t *testing.T, e engine.Engine) {
	t.Helper()
	reached := make(chan struct{})
	var once bool
	e.Subscribe(func(event trace.Event) {
		if event.At > 2*time.Second && !once {
			once = true
			close(reached)
		}
	})
	e.Run(1000)
	if e.Speed() != 1000 {
		t.Errorf("the speed is %g", e.Speed())
	}
	<-reached
	e.Run(0)
	if e.Speed() != 0 || e.Now() < 2*time.Second {
		t.Errorf("speed %g at %s", e.Speed(), e.Now())
	}
}

func reports(t *testing.T, e engine.Engine) {
	t.Helper()
	before, wrong, commands := state(e).Seq, 0, 0
	e.Subscribe(func(event trace.Event) {
		if before++; event.Seq != before {
			wrong++
		}
		if event.Kind == trace.KindCommand {
			commands++
		}
	})
	do(t, e, engine.Order{Line: "isolate n2"})
	if err := e.Advance(3 * time.Second); err != nil {
		t.Fatal(err)
	}
	e.Read(func(*trace.State) { // no event comes meanwhile
		if wrong > 0 || commands != 1 || before < 50 {
			t.Errorf("%d events up to %d out of order, %d commands", wrong, before, commands)
		}
	})
}

func waitsAtStep(t *testing.T, e engine.Engine) {
	t.Helper()
	script, err := scenario.Parse("steps", []byte("nodes 3\nwait 100ms\nstep first\nwait 100ms\nstep second\nspeed 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { answers <- a })
	for _, want := range []string{"first", "second"} {
		waits := func() bool { step, waits := e.Stage().Waiting(); return waits && step == want }
		advanceUntil(t, e, waits)
		if !waits() || len(answers) > 0 {
			t.Fatalf("%q does not wait", want)
		}
		if !e.Stage().Next() || waits() { // where time is real, the next one may wait already
			t.Error("the step does not continue")
		}
	}
	advanceUntil(t, e, func() bool { return len(answers) > 0 })
	if len(answers) == 0 {
		t.Fatal("the scenario does not end")
	}
	if a := <-answers; a.End.Err != nil || !a.Performed || a.State == nil || a.State.Seq == 0 || e.Stage().TakeSpeed() != 3 {
		t.Errorf("the scenario ended with %+v", a)
	}
}

func savesAndConcludes(t *testing.T, e engine.Engine) {
	t.Helper()
	do(t, e, engine.Order{Line: "load 5/s"})
	limit := time.Second
	if a := do(t, e, engine.Order{Conclude: &limit}); a.End.Err != nil || len(a.Failures) > 0 {
		t.Errorf("concluding gave %+v", a)
	}
	if a := do(t, e, engine.Order{Save: true}); a.End.Err != nil || a.Text == "" {
		t.Errorf("saving gave %+v", a)
	} else if script, err := scenario.Parse("saved", []byte(a.Text)); err != nil || script.Nodes != 3 {
		t.Errorf("saved what does not parse: %v\n%s", err, a.Text)
	}
}

func branches(t *testing.T, e engine.Engine) {
	t.Helper()
	if e.Mode() != engine.RecordingMode {
		engine.AwaitLeader(e, engine.FirstElection)
		do(t, e, engine.Order{Line: "increment 3"})
	}
	s := state(e)
	at := trace.Position{Seq: s.Seq, At: max(s.At, e.Now())}
	b, err := e.Branch(at)
	if err != nil {
		t.Fatal(err)
	}
	if b.Now() != at.At || b.Speed() != 0 || b.Mode() == engine.RecordingMode {
		t.Errorf("the branch stands at %s, speed %g, mode %s; want %s", b.Now(), b.Speed(), b.Mode(), at.At)
	}
	if got := state(b); len(got.Nodes) != len(s.Nodes) || got.Nodes[0].LastIndex() != s.Nodes[0].LastIndex() {
		t.Errorf("the branch has %d nodes, log up to %d; want %d, %d", len(got.Nodes), got.Nodes[0].LastIndex(), len(s.Nodes), s.Nodes[0].LastIndex())
	}
	if err := b.Advance(time.Second); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func closes(t *testing.T, e engine.Engine) {
	t.Helper()
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	<-e.Done()
	if e.Err() != nil {
		t.Errorf("it ended because of %v", e.Err())
	}
	answers := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Line: "heal"}, func(a engine.Answer) { answers <- a })
	if a := <-answers; a.End.Err == nil {
		t.Error("it carries out orders after the end")
	}
}
