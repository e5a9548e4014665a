package exact

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/enginetest"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

func parse(t *testing.T, text string) *scenario.Script {
	t.Helper()
	script, err := scenario.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func TestQuestionsRepeatExactly(t *testing.T) {
	var ends []string
	for range 2 {
		script := parse(t, enginetest.Asking)
		e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, engine.Options{Ends: true})
		done := make(chan engine.Answer, 1)
		e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
		e.Run(vtime.Max)
		a := <-done
		if len(a.Failures) > 0 {
			t.Errorf("it fails: %v", a.Failures)
		}
		ends = append(ends, a.Fingerprint)
	}
	if ends[0] != ends[1] || ends[0] == "" {
		t.Errorf("the runs differ: %s", ends)
	}
}

// Up to the moment at which the first question waits, an audience sees what happens without one.
func TestAudienceChangesNothingUpToTheFirstQuestion(t *testing.T) {
	script := parse(t, "nodes 3\nload 20/s\nkill leader\nwait 2s\nask who?\nchoice a when term > 2 within 3s\nchoice b when value 9\nrestart down\nwait 2s\nbecause so")
	var runs [2][]trace.Event
	for i, attended := range []bool{false, true} {
		e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, engine.Options{Attended: attended})
		asked := make(chan struct{})
		var all []trace.Event
		e.Subscribe(func(event trace.Event) {
			if len(all) == 0 || all[len(all)-1].Kind != trace.KindQuestion {
				if all = append(all, event); event.Kind == trace.KindQuestion {
					close(asked)
				}
			}
		})
		engine.AwaitLeader(e, engine.FirstElection)
		e.Submit(engine.Order{Scenario: script}, func(engine.Answer) {})
		e.Run(vtime.Max)
		<-asked
		runs[i] = all
	}
	if len(runs[0]) < 50 || len(runs[0]) != len(runs[1]) {
		t.Fatalf("%d events before the question, %d in front of an audience", len(runs[0]), len(runs[1]))
	}
	for i := range runs[0] {
		alone, _ := json.Marshal(runs[0][i])
		if watched, _ := json.Marshal(runs[1][i]); string(alone) != string(watched) {
			t.Fatalf("%s is in front of an audience\n%s", alone, watched)
		}
	}
}

// A branch repeats the answer, and one from before it can get another.
func TestAnswerIsPartOfTheRun(t *testing.T) {
	script := parse(t, "nodes 3\nwait 12s\nask who?\nchoice a when term > 0\nchoice b when value 9\nwait 12s\nbecause so\nwait 1s")
	e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings, HistoryBudget: 64 << 20}, engine.Options{Attended: true})
	advance := func(e engine.Engine, d time.Duration) {
		t.Helper()
		if err := e.Advance(d); err != nil {
			t.Fatal(err)
		}
	}
	e.Submit(engine.Order{Scenario: script}, func(engine.Answer) {})
	advance(e, 13*time.Second)
	if e.Stage().Choices() != 2 {
		t.Fatalf("%d choices wait", e.Stage().Choices())
	}
	s := e.State()
	before := trace.Position{Seq: s.Seq, At: e.Now()}
	e.Stage().Answer(engine.Votes{3, 4})
	advance(e, 14*time.Second)
	s = e.State()
	if s.Question == nil || !s.Question.Judged || !slices.Equal(s.Question.Picked, []int{3, 4}) {
		t.Fatalf("the question is %+v", s.Question)
	}
	for name, test := range map[string]struct {
		at   trace.Position
		then func(engine.Engine)
		want []int
	}{
		"from its end":             {trace.Position{Seq: s.Seq, At: e.Now()}, func(engine.Engine) {}, []int{3, 4}},
		"from before, left alone":  {before, func(engine.Engine) {}, []int{3, 4}},
		"from before, another one": {before, func(b engine.Engine) { b.Stage().Answer(engine.Votes{0, 9}) }, []int{0, 9}},
		"from before, skipped":     {before, func(b engine.Engine) { b.Stage().Next() }, []int{0, 0}},
	} {
		b, err := e.Branch(test.at)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if test.at == before && b.Stage().Choices() != 2 {
			t.Errorf("%s: %d choices wait in the branch", name, b.Stage().Choices())
		}
		test.then(b)
		advance(b, 14*time.Second)
		var got trace.State
		if b.CopyTo(&got); got.Question == nil || !got.Question.Judged || !slices.Equal(got.Question.Picked, test.want) {
			t.Errorf("%s: the question is %+v, want %v", name, got.Question, test.want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
