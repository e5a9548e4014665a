package trace

import (
	"fmt"
	"strings"
	"testing"
)

// told returns the story in a language.
func told(s *State, language string) string {
	var all []string
	for _, line := range s.Story {
		all = append(all, line.In.In(language, line.Text))
	}
	return strings.Join(all, " | ")
}

func TestQuestionIsToldWithItsAnswer(t *testing.T) {
	var l Stream
	ask := func(q Question) { l.Emit(Event{Kind: KindQuestion, Question: &q, At: 5}) }
	q := Question{
		Number: 2, Text: "Who wins?", In: Localized{"zh": "谁赢？"},
		Choices: []Choice{{Text: "n1 wins"}, {Text: "n2 wins", In: Localized{"zh": "n2 赢"}}},
	}
	ask(q)
	asked := l.State()
	if !asked.Question.Waits() || !asked.QuestionShown || asked.QuestionAt != 5 {
		t.Errorf("the question asked is %+v at %s", asked.Question, asked.QuestionAt)
	}
	q.Picked = []int{0, 1}
	ask(q)
	answered := l.State()
	if answered.Question.Waits() || answered.Question.Pick() != 1 || answered.Question.Votes() != 1 || len(answered.Story) != 1 {
		t.Errorf("the question answered is %+v, the story %q", answered.Question, told(&answered, ""))
	}
	judged := q
	judged.Judged, judged.Because, judged.BecauseIn = true, "it has the longest log", Localized{"zh": "它的日志最长"}
	judged.Choices = []Choice{q.Choices[0], {Text: "n2 wins", In: q.Choices[1].In, True: true}}
	ask(judged)
	now := l.State()
	if got := told(&now, ""); got != "Q2: Who wins? | A2: n2 wins | it has the longest log" {
		t.Errorf("the story is %q", got)
	}
	if got := told(&now, "zh-TW"); got != "Q2: 谁赢？ | A2: n2 赢 | 它的日志最长" {
		t.Errorf("the story in Chinese is %q", got)
	}
	if asked.Question.Judged || fmt.Sprint(now.Question.True()) != "[1]" {
		t.Errorf("the older state has %+v, the new one %+v", asked.Question, now.Question)
	}
}

func TestQuestionWithoutOneAnswerIsToldAsSuch(t *testing.T) {
	for want, truths := range map[string][]bool{
		"A1: no choice came true":       {false, false, false},
		"A1: 2 choices came true: a; c": {true, false, true},
	} {
		var s State
		q := Question{Number: 1, Judged: true, Choices: []Choice{{Text: "a"}, {Text: "b"}, {Text: "c"}}}
		for i, is := range truths {
			q.Choices[i].True = is
		}
		s.Apply(&Event{Kind: KindQuestion, Question: &q})
		if got := told(&s, ""); got != want {
			t.Errorf("%v: the story is %q, want %q", truths, got, want)
		}
	}
}

func TestOnlyOnePersonHasAPick(t *testing.T) {
	for _, test := range []struct {
		picked      []int
		pick, votes int
	}{{nil, -1, 0}, {[]int{0, 0}, -1, 0}, {[]int{0, 1}, 1, 1}, {[]int{1, 1}, -1, 2}, {[]int{12, 0}, -1, 12}} {
		q := Question{Picked: test.picked}
		if q.Pick() != test.pick || q.Votes() != test.votes {
			t.Errorf("%v: pick %d of %d", test.picked, q.Pick(), q.Votes())
		}
	}
}

func TestQuestionIsShownUntilSomethingElseIsSaid(t *testing.T) {
	var s State
	s.Apply(&Event{At: 1, Kind: KindQuestion, Question: &Question{Number: 1}})
	s.Apply(&Event{At: 1, Kind: KindQuestion})
	s.Apply(&Event{At: 1, Kind: KindCaption, Peer: "zh", Text: "之前"})
	if !s.QuestionShown {
		t.Error("a translation hides it")
	}
	s.Apply(&Event{At: 1, Kind: KindCaption, Text: "and now"})
	if s.QuestionShown {
		t.Error("a caption leaves the question on the screen")
	}
}

func TestExportsSayWhatTheAudienceHears(t *testing.T) {
	q := Question{Number: 1, Text: "who?", Because: "so", Choices: []Choice{{Text: "a"}, {Text: "b"}}}
	answered, judged := q, q
	answered.Picked = []int{0, 0}
	judged.Judged, judged.Choices = true, []Choice{{Text: "a"}, {Text: "b", True: true}}
	for _, test := range []struct {
		e    Event
		want string
	}{
		{Event{Kind: KindCaption, Text: "look"}, "look"},
		{Event{Kind: KindChapter, Text: "one"}, "one"},
		{Event{Kind: KindCaption, Peer: "zh", Text: "看"}, ""},
		{Event{Kind: KindCommand, Text: "kill n1"}, ""},
		{Event{Kind: KindQuestion, Question: &q}, "Q1: who?"},
		{Event{Kind: KindQuestion, Question: &answered}, ""},
		{Event{Kind: KindQuestion, Question: &judged}, "A1: b: so"},
		{Event{Kind: KindQuestion}, ""},
	} {
		if got := test.e.Said(); got != test.want {
			t.Errorf("%+v says %q, want %q", test.e, got, test.want)
		}
	}
}
