package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// goodQuestion is a question with everything that one can have.
const goodQuestion = `ask Who wins? # really
ask.zh 谁赢？
  choice n1, when it is up when leader n1 # a comment
choice.zh n1 赢 when leader n1
choice #2 wins when leader n2 within 5s
choice.de n2 gewinnt, when der Wind gut steht
choice nobody when leader none
wait 1s
say look
because n1 is as good as any
because.zh 都一样
because.de alle sind gleich gut
`

// questionMistakes are questions with one mistake, and the error for it.
var questionMistakes = []mistake{
	{"ask", "f:1:4: expected text"},
	{"ring\nask who?\nchoice a when leader n1\nchoice b when leader n2\nring", "f:2:1: ask without because: end the question with because TEXT"},
	{"choice a when leader n1", "f:1:1: choice without a question: write ask TEXT above it"},
	{"because so", "f:1:1: because without a question: write ask TEXT and its choices above it"},
	{"ask who?\nbecause so", "f:2:1: the question in line 1 has no choice: give it two to five, directly below ask"},
	{"ask who?\nchoice a when leader n1\n  because so", "f:3:3: the question in line 1 has one choice: give it two to five, directly below ask"},
	{"ask who?\nchoice a when leader n1\nring\n", "f:3:1: the question in line 1 has one choice: give it two to five, directly below ask"},
	{"ask who?" + strings.Repeat("\nchoice a when leader n1", 6), "f:7:1: the question in line 1 has 5 choices already, as many as it can have: leave this one out"},
	{"ask who?\nchoice a when leader n1\nchoice b when leader n2\nask why?", "f:4:1: the question in line 1 has no because yet: end it before you ask the next one"},
	{"ask who?\nchoice a when leader n1\nchoice b when leader n2\nring\nchoice c when leader n3", "f:5:1: choice comes too late: put it directly below the ask in line 1"},
	{"ask who?\nchoice a", "f:2:9: expected when EXPECTATION: what must hold in the cluster for this choice to be right"},
	{"ask who?\nchoice whenever", "f:2:16: expected when EXPECTATION: what must hold in the cluster for this choice to be right"},
	{"ask who?\nchoice when leader n1", "f:2:8: expected the text of the choice before when"},
	{"ask who?\nchoice a when", "f:2:14: expected an expectation: value, leader, role, term, commit, log, last, ops, checks or violation"},
	{"ask who?\nchoice 你好 when leder n1", `f:2:16: "leder" is not an expectation (did you mean leader?); use value, leader, role, term, commit, log, last, ops, checks or violation`},
	{"ask who?\nchoice a when leader n9 # when it can", `f:2:22: unknown node "n9" (did you mean n1?); use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"ask who?\nchoice a when refused kill n1", "f:2:15: a choice must not run a command: put the command below the choices, and say here what it brings about"},
	{"ask who?\nchoice a when leader n1 within 2h", `f:2:32: "2h" is not a time limit; use a duration from 0s to 1h0m0s, like 250ms or 2s`},
	{"ask who?\nchoice a when value 3 n1", `f:2:23: unexpected "n1": the command ends before it`},
	{"ask.zh 谁？\nring", "f:1:1: ask.zh translates nothing: put it directly below its ask"},
	{"ask who?\nchoice a when leader n1\nask.zh 谁？", "f:3:1: ask.zh translates nothing: put it directly below its ask"},
	{"ask who?\nchoice.zh 一", "f:2:1: choice.zh translates nothing: put it directly below its choice"},
	{"ask who?\nchoice a when leader n1\nchoice b when leader n2\nring\nchoice.zh 二", "f:5:1: choice.zh translates nothing: put it directly below its choice"},
	{"ask who?\nchoice a when leader n1\nchoice b when leader n2\nbecause so\nring\nbecause.zh 因为", "f:6:1: because.zh translates nothing: put it directly below its because"},
	{"ask who?\nchoice a when leader n1\nchoice.zh 一 when leader n2", "f:3:1: the translation says when leader n2, its original when leader n1: write it only once, or the same"},
	{"ask.! who?", `f:1:1: "ask.!" names no language; use ask, or ask.zh`},
	{"try ask who?", "f:1:5: ask is part of a question: write it without try"},
	{"expect refused because so", "f:1:16: because is part of a question: write it without expect refused"},
	{"ask who?\nchoice a when violation vote-once\nchoice b when checks ok\nbecause so\nnodes 3", "f:5:1: nodes comes too late: put it before the first command that runs"},
}

func TestQuestionIsGrouped(t *testing.T) {
	s := parse(t, goodQuestion+"ask again?\nchoice a when checks ok\nchoice b when term > 9\nbecause so\n")
	if len(s.questions) != 2 || len(s.steps) != 6 || s.QuestionLine(1) != 1 || s.QuestionLine(2) != 13 || s.QuestionLine(3) != 0 {
		t.Fatalf("%d questions, %d steps, in lines %d and %d", len(s.questions), len(s.steps), s.QuestionLine(1), s.QuestionLine(2))
	}
	q := s.questions[0]
	want := trace.Question{Number: 1, Text: "Who wins? # really", In: trace.Localized{"zh": "谁赢？"}, Choices: []trace.Choice{
		{Text: "n1, when it is up", In: trace.Localized{"zh": "n1 赢"}},
		{Text: "#2 wins", In: trace.Localized{"de": "n2 gewinnt, when der Wind gut steht"}},
		{Text: "nobody"},
	}}
	if fmt.Sprintf("%+v", q.asked) != fmt.Sprintf("%+v", want) || q.because != "n1 is as good as any" || len(q.becauseIn) != 2 {
		t.Errorf("got %+v because %q %v\nwant %+v", q.asked, q.because, q.becauseIn, want)
	}
	if !slices.Equal(q.wheres, []string{"leader n1", "leader n2 within 5s", "leader none"}) || q.conditions[1].limit != 5*time.Second || q.conditions[0].timed {
		t.Errorf("the expectations are %q", q.wheres)
	}
}

// A choice that speaks of a violation does not allow it: expect violation does.
func TestChoiceAllowsNoViolation(t *testing.T) {
	s := parse(t, "ask what breaks?\nchoice a when violation vote-once\nchoice b when checks ok\nbecause so\nexpect violation acked-durable\n")
	if got := s.ExpectedViolations(); !slices.Equal(got, []string{"acked-durable"}) {
		t.Errorf("the script expects %q", got)
	}
}

func TestQuestionIsRefusedAtThePrompt(t *testing.T) {
	for _, line := range []string{"ask who?", "choice a when leader n1", "because so", "because.zh 因为"} {
		name, _, _ := strings.Cut(strings.Fields(line)[0], ".")
		want := name + " is part of a question, and only a scenario asks: write ask, its choices and because into a file, and open that"
		if _, err := ParseLine(line, []string{"n1"}, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// asked runs a script, with an answer for each question, and returns the failures and the questions
// in each of their states.
func asked(t *testing.T, text string, answer ...int) (failures []Failure, all []trace.Question, at []time.Duration) {
	t.Helper()
	failures, _ = carryOut(t, parse(t, text), &recorder{answer: answer}, func(e trace.Event) {
		if e.Question != nil {
			all, at = append(all, *e.Question), append(at, e.At)
		}
	})
	return failures, all, at
}

// The author says n1 and is wrong, so that the choice of a learner who believes it is wrong, too.
func TestClusterDecidesWhichChoiceIsRight(t *testing.T) {
	failures, all, _ := asked(t, `nodes 3
transfer n1
wait leader n1
ask Who leads after this?
choice n1, of course when leader n1
choice n2 when leader n2
transfer n2
wait leader n2
because n1 is the best leader
`, 1)
	if len(failures) > 0 || len(all) != 3 {
		t.Fatalf("%v, %d events", failures, len(all))
	}
	first, answered, last := all[0], all[1], all[2]
	if !first.Waits() || first.Because != "" || first.Choices[0].True || first.Choices[1].True {
		t.Errorf("asked as %+v", first)
	}
	if answered.Judged || answered.Pick() != 0 || len(answered.Picked) != 2 {
		t.Errorf("answered as %+v", answered)
	}
	if !last.Judged || !slices.Equal(last.True(), []int{1}) || last.Pick() != 0 || last.Because != "n1 is the best leader" {
		t.Errorf("judged as %+v", last)
	}
}

func TestQuestionNeedsExactlyOneTrueChoice(t *testing.T) {
	const end = "wait 1s\nbecause so\nincrement\nexpect value 9\n"
	for _, test := range []struct{ choices, want string }{
		{
			"choice a when leader n2\nchoice b when value 7 on n1\n",
			"test:7:1: because so: wanted exactly one true choice, got none: a (leader n1); b (0 on n1)",
		},
		{
			"choice a when leader n1\nchoice b when leader n2\nchoice c when term > 1\n",
			"test:8:1: because so: wanted exactly one true choice, got 2: a; c; not b (leader n1)",
		},
	} {
		failures, all, _ := asked(t, "nodes 3\ntransfer n1\nask who?\n"+test.choices+end)
		// The run goes on, as after an expectation that does not hold.
		if len(failures) != 2 || failures[0].Error() != test.want || !strings.HasPrefix(failures[1].Text, "expect value 9") {
			t.Errorf("got %v\nwant %s", failures, test.want)
		}
		if !all[2].Judged || len(all[2].True()) == 1 {
			t.Errorf("judged as %+v", all[2])
		}
	}
}

// A choice with within is true if it was at any moment of that time, however much the script does
// meanwhile; one without is true if it is at because.
func TestWithinLooksFromTheAnswerOn(t *testing.T) {
	const before = "nodes 3\ntransfer n1\nwait leader n1\n"
	for name, test := range map[string]struct {
		choices, body string
		want          []int
		takes         time.Duration
	}{
		"held for a while":   {"choice a when role n2 down within 2s\nchoice b when role n2 down", "kill n2\nwait 50ms\nrestart n2\nwait 300ms", []int{0}, 2 * time.Second},
		"held too late":      {"choice a when role n2 down within 1s\nchoice b when role n2 down", "wait 1100ms\nkill n2", []int{1}, 1100 * time.Millisecond},
		"waits for the last": {"choice a when role n2 down within 500ms\nchoice b when role n3 down within 3s", "kill n3", []int{1}, 3 * time.Second},
		"held at once":       {"choice a when role n2 follower within 0s\nchoice b when role n2 follower", "kill n2", []int{0}, 0},
		"no within":          {"choice a when role n2 follower\nchoice b when role n2 down", "kill n2", []int{1}, 0},
	} {
		failures, all, at := asked(t, before+"ask who?\n"+test.choices+"\n"+test.body+"\nbecause so\n", 0, 1)
		if len(failures) > 0 || !slices.Equal(all[2].True(), test.want) {
			t.Errorf("%s: %v true, want %v: %v", name, all[2].True(), test.want, failures)
		}
		if took := at[2] - at[1]; took < test.takes || took > test.takes+100*time.Millisecond {
			t.Errorf("%s: judged after %s, want %s", name, took, test.takes)
		}
	}
}

func TestUnfinishedQuestionLeavesNothingRunning(t *testing.T) {
	failures, all, _ := asked(t, "nodes 3\nask who?\nchoice a when role n2 down within 1h\nchoice b when leader n1\nkill n2\nkill n2\nbecause so\n")
	if len(failures) != 1 || failures[0].Line != 6 || len(all) != 2 {
		t.Errorf("%v, %d events", failures, len(all))
	}
}

func TestCountsAreKeptWithinTheirLimits(t *testing.T) {
	for _, test := range []struct{ picked, want []int }{
		{nil, []int{0, 0}}, {[]int{3}, []int{3, 0}}, {[]int{-1, 1 << 40, 7}, []int{0, trace.PickedMax}},
	} {
		if got := countsOf(test.picked, 2); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v", test.picked, got)
		}
	}
}

func TestSavedSessionKeepsItsQuestions(t *testing.T) {
	script := parse(t, "nodes 3\nask who?\nask.zh 谁？\nchoice a when leader none\nchoice b when value 9\nwait 1s\nbecause so\nbecause.zh 因为\nask open?\nchoice a when checks ok\nchoice b when value 9\nrestart n1\nbecause so\n")
	settings := script.Settings
	c, err := cluster.Open(cluster.Config{Nodes: 3, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.AwaitLeader(10 * time.Second)
	session := NewSession(c, 1, nil)
	done := make(chan []Failure, 1)
	if err := c.Go(func(inside *cluster.Inside) {
		failures, _ := session.Perform(inside, script)
		done <- failures
	}); err != nil {
		t.Fatal(err)
	}
	c.Clock().Run(1e9)
	if failures := <-done; len(failures) != 2 {
		t.Errorf("the failures are %v", failures)
	}
	text := session.Save(3, nil)
	saved, err := Parse("saved", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// The second question was never judged.
	if len(saved.questions) != 1 || saved.questions[0].asked.In["zh"] == "" || saved.questions[0].becauseIn["zh"] == "" {
		t.Errorf("it asks %d questions:\n%s", len(saved.questions), text)
	}
}

// The audience reads the answer before the show goes on, but does not press two keys for it.
func TestAnswerWaitsForTheAudience(t *testing.T) {
	const question = "nodes 1\nask who?\nchoice a when checks ok\nchoice b when value 9\nbecause so\nbecause.zh 因为\n"
	for after, want := range map[string]string{
		"":                           "ask 2|step ",
		"say next\nstep over\n":      "ask 2|step |step over",
		"step over\n":                "ask 2|step over",
		"# a comment\n\nstep over\n": "ask 2|step over",
	} {
		stage := &recorder{}
		carryOut(t, parse(t, question+after), stage, func(trace.Event) {})
		if got := strings.Join(stage.calls, "|"); got != want {
			t.Errorf("%q: %s, want %s", after, got, want)
		}
	}
}
