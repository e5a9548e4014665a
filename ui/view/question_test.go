package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// sampleQuestion is a question with a number of choices, the second of which is true.
func sampleQuestion(choices int) trace.Question {
	q := trace.Question{
		Number: 2, Text: "The leader crashes. Who takes over?", In: trace.Localized{"zh": "领导者崩溃了。谁来接替？"},
		Because: "Two of three nodes are a majority: they elect one of them.", BecauseIn: trace.Localized{"zh": "三个节点中的两个就是多数派。"},
	}
	for _, text := range []string{
		"Nobody: the cluster is stuck", "One of the followers, once it has heard nothing for an election timeout and a majority votes for it",
		"The old leader", "Whoever has the longest log", "The node with the lowest number",
	}[:choices] {
		q.Choices = append(q.Choices, trace.Choice{Text: text, In: trace.Localized{"zh": "其中一个跟随者"}})
	}
	return q
}

// judged marks the true choices, counted from 0.
func judged(q trace.Question, picked []int, right ...int) trace.Question {
	q.Picked, q.Judged, q.Choices = picked, true, slices.Clone(q.Choices)
	for _, i := range right {
		q.Choices[i].True = true
	}
	return q
}

// asking returns the picture of a question on stage.
func asking(q trace.Question, w, h int) *picture {
	s := uitest.Samples()["five"]
	s.Emit(trace.Event{Kind: trace.KindChapter, Text: "A chapter"})
	s.Emit(trace.Event{Kind: trace.KindQuestion, Question: &q})
	f := full(frameOf(s, w, h))
	f.Presenting, f.ScenarioTitle, f.Toast, f.Paused = true, "A tale", pane.Toast{}, true
	if q.Waits() {
		f.Asking = &pane.Asking{}
	}
	f.StepWaiting = q.Waits() || q.Judged
	return f
}

func TestQuestionMatchesGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		q    trace.Question
		w, h int
	}{
		{"waits", sampleQuestion(3), 80, 24},
		{"waits", sampleQuestion(3), 120, 36},
		{"waits", sampleQuestion(5), 200, 60},
		{"five", sampleQuestion(5), 80, 24},
		{"five", sampleQuestion(5), 60, 18},
		{"wrong", judged(sampleQuestion(3), []int{1, 0, 0}, 1), 80, 24},
		{"right", judged(sampleQuestion(3), []int{0, 1, 0}, 1), 120, 36},
		{"skipped", judged(sampleQuestion(3), []int{0, 0, 0}, 1), 80, 24},
		{"votes", judged(sampleQuestion(3), []int{12, 30, 0}, 1), 80, 24},
		{"votes", judged(sampleQuestion(3), []int{12, 30, 0}, 1), 120, 36},
		{"none", judged(sampleQuestion(2), []int{1, 0}), 80, 24},
		{"two", judged(sampleQuestion(2), []int{1, 0}, 0, 1), 80, 24},
	} {
		t.Run(fmt.Sprintf("%s-%dx%d", c.name, c.w, c.h), func(t *testing.T) {
			golden.RequireEqual(t, plain(asking(c.q, c.w, c.h)))
		})
	}
	t.Run("ascii", func(t *testing.T) {
		f := asking(judged(sampleQuestion(3), []int{1, 0, 0}, 1), 120, 36)
		f.Glyphs, f.Theme = style.ASCII, style.Mono
		golden.RequireEqual(t, plain(f))
	})
	t.Run("chinese", func(t *testing.T) {
		f := asking(judged(sampleQuestion(3), []int{12, 30, 0}, 1), 80, 24)
		f.Language = "zh_CN"
		golden.RequireEqual(t, plain(f))
	})
	t.Run("colour", func(t *testing.T) {
		text, _ := asking(judged(sampleQuestion(3), []int{1, 0, 0}, 1), 80, 24).render()
		golden.RequireEqual(t, text)
	})
	t.Run("runs", func(t *testing.T) {
		q := sampleQuestion(5)
		q.Picked = []int{0, 0, 0, 1, 0}
		golden.RequireEqual(t, plain(asking(q, 80, 24)))
	})
}

// Whoever sees no colours sees which choice is true, which ones are not, and whether the own answer is.
func TestQuestionNeedsNoColour(t *testing.T) {
	for _, glyphs := range []*style.Glyphs{style.Unicode, style.ASCII} {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			f := asking(judged(sampleQuestion(3), []int{1, 0, 0}, 1), size[0], size[1])
			f.Glyphs, f.Theme = glyphs, style.Mono
			text := plain(f)
			for mark, choice := range map[string]string{glyphs.Killed: "Nobody", glyphs.Good: "One of the followers", glyphs.Killed + " ": "The old leader"} {
				if line := lineWith(text, choice); !strings.HasPrefix(strings.TrimSpace(line), strings.TrimSpace(mark)) {
					t.Errorf("%s %v: no %s before %q: %s", glyphs.Name, size, mark, choice, line)
				}
			}
			if !strings.Contains(lineWith(text, "Nobody"), "your answer") || !strings.Contains(lineWith(text, "One of the"), "true") || lineWith(text, "your answer is wrong") == "" {
				t.Errorf("%s %v: it does not say what is right:\n%s", glyphs.Name, size, text)
			}
			f.Theme = style.Dark
			coloured, _ := f.render()
			if !strings.Contains(coloured, ";9m") && !strings.Contains(coloured, ";9;") {
				t.Errorf("%s %v: nothing is struck out", glyphs.Name, size)
			}
		}
	}
}

// lineWith returns the first line that holds a text, "" if none does.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return strings.TrimRight(line, "\n")
		}
	}
	return ""
}

// While a room votes, the screen shows what is typed, what is wrong with it, and then bars.
func TestVotesAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		asking pane.Asking
		want   []string
	}{
		"a single person": {pane.Asking{}, []string{"1-3 answer     n skip"}},
		"nothing yet":     {pane.Asking{Room: true}, []string{"votes, like 1:12 2:30   enter     n skip"}},
		"typing":          {pane.Asking{Room: true, Typed: "1:12 2"}, []string{"1:12 2_   enter"}},
		"a mistake":       {pane.Asking{Room: true, Typed: "1:x", Problem: "1:x: write CHOICE:VOTES"}, []string{"! 1:x: write CHOICE:VOTES"}},
		"bars":            {pane.Asking{Room: true, Votes: []int{10, 30, 0}}, []string{"█ 30  75%", "█ 10  25%", "0  0%", "n go on"}},
		"no votes":        {pane.Asking{Room: true, Votes: []int{0, 0, 0}}, []string{"n go on"}},
	} {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			f := asking(sampleQuestion(3), size[0], size[1])
			f.Asking = &c.asking
			text := plain(f)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s: no %q in\n%s", name, want, text)
				}
			}
			checkFits(t, f)
		}
	}
}

func TestQuestionFitsEveryScreen(t *testing.T) {
	long := strings.Repeat("much to read ", 70)
	q := trace.Question{Number: 1, Text: long, Because: long}
	for range trace.ChoicesMax {
		q.Choices = append(q.Choices, trace.Choice{Text: long})
	}
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		for _, phase := range []trace.Question{q, judged(q, []int{1, 2, 3, 4, 5}, 4), judged(q, nil, 2)} {
			f := asking(phase, size[0], size[1])
			checkFits(t, f)
			text := plain(f)
			for i := range phase.Choices {
				if lineWith(text, fmt.Sprintf("%d  ", i+1)) == "" && size[1] < bigMinHeight {
					t.Errorf("%v: choice %d is missing:\n%s", size, i+1, text)
				}
			}
			if lineWith(text, "term 2") == "" {
				t.Errorf("%v: the header is covered:\n%s", size, text)
			}
			if want := "question 1"; lineWith(text, want) == "" {
				t.Errorf("%v: no %q:\n%s", size, want, text)
			}
		}
	}
}

func TestQuestionIsSanitized(t *testing.T) {
	q := sampleQuestion(2)
	q.Text, q.Because, q.Choices[1].Text, q.BecauseIn = uitest.HostileText, uitest.HostileText, uitest.HostileText, nil
	waits := q
	for _, phase := range []trace.Question{waits, judged(q, []int{0, 1}, 1)} {
		text, _ := asking(phase, 120, 36).render()
		uitest.CheckPrintable(t, "the screen", uitest.AllowedSequences.ReplaceAllString(text, ""))
	}
}

// A recording on the screen shows a question only as long as people need to read it.
func TestQuestionOfARecordingGoes(t *testing.T) {
	q := judged(sampleQuestion(3), []int{0, 0, 0}, 1)
	f := asking(q, 120, 36)
	f.Presenting, f.StepWaiting, f.Paused = false, false, false
	if lineWith(plain(f), q.Because) == "" {
		t.Error("it does not say why")
	}
	f.Now += 1 + 2*pane.ReadingTime(q.Because)
	if lineWith(plain(f), "The old leader") != "" {
		t.Error("it stays")
	}
}
