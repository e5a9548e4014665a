package course

import (
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/scenario"
)

func lessons(t *testing.T) []Lesson {
	t.Helper()
	all, err := Lessons()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// commands returns the commands of a lesson, in order.
func commands(l Lesson) (all []scenario.Command) {
	for line := range strings.Lines(l.Script.Text()) {
		all = append(all, scenario.SplitCommand(strings.TrimRight(line, "\n")))
	}
	return all
}

func TestLessonsTakeThreeToSixMinutes(t *testing.T) {
	all := lessons(t)
	if len(all) != 10 {
		t.Errorf("%d lessons, want 10", len(all))
	}
	for i, l := range all {
		if l.Length < 3*time.Minute || l.Length > 6*time.Minute {
			t.Errorf("%s takes %s", l.Name(), l.Length)
		}
		if l.Questions < 3 || l.Questions > 5 {
			t.Errorf("%s asks %d questions", l.Name(), l.Questions)
		}
		if l.Number != i+1 || l.Script.Summary == "" {
			t.Errorf("%s is number %d, its summary %q", l.Name(), l.Number, l.Script.Summary)
		}
	}
}

// What the learner may have delivered already is delivered for those who have not, right after the
// step that asks for it.
func TestEachLessonHasMessagesToDeliverByHand(t *testing.T) {
	for _, l := range lessons(t) {
		byHand := 0
		all := commands(l)
		for i := range all[:len(all)-1] {
			next := all[i+1]
			if all[i].IsStep() && next.Verb == "try" && next.Args[0] == "deliver" && next.Args[1] != "all" {
				byHand++
			}
		}
		if byHand == 0 {
			t.Errorf("%s: the learner delivers nothing", l.Name())
		}
	}
}

func TestEachTextOfALessonIsTranslated(t *testing.T) {
	for _, l := range lessons(t) {
		all := commands(l)
		for i, c := range all {
			if !slices.Contains([]string{"title", "summary", "say", "ask", "choice", "because", "chapter"}, c.Verb) {
				continue
			}
			if i+1 == len(all) || all[i+1].Verb != c.Verb+".zh" {
				t.Errorf("%s: no Chinese for %q", l.Name(), c.Text)
			}
		}
		for _, text := range []string{l.Script.TitleIn.In("zh", ""), l.Script.SummaryIn.In("zh-TW", "")} {
			if text == "" {
				t.Errorf("%s has no Chinese title or summary", l.Name())
			}
		}
	}
}

func TestLessonIsFoundByNumberAndName(t *testing.T) {
	all := lessons(t)
	for what, want := range map[string]int{
		"1": 0, "10": 9, "02": 1, "lesson-2-election": 1, "lesson-2": 1, "lesson-10": 9,
	} {
		if i, err := Find(all, what); err != nil || i != want {
			t.Errorf("%q: %d, %v, want %d", what, i, err, want)
		}
	}
	for what, want := range map[string]string{
		"0": "no lesson 0: there are 1 to 10", "11": "there are 1 to 10", "": "use a number from 1 to 10",
		"lesson-1": "begins the name of 2 lessons", "first-steps": `no lesson "first-steps"`,
	} {
		if _, err := Find(all, what); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", what, err, want)
		}
	}
}

func TestLengthIsReadingAndWaiting(t *testing.T) {
	parse := func(text string) time.Duration {
		s, err := scenario.Parse("test", []byte("nodes 1\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		length, _ := measure(s)
		return length
	}
	say := "say A text that takes a while to read.\n"
	question := "ask what?\nchoice this when value 0\nchoice that when value 1\nbecause so\n"
	if parse("wait 3s\nwait leader") != 3*time.Second+conditionalWait || parse(say) < 2*time.Second || parse(say+"say.zh 要读一会儿\n") != parse(say) ||
		parse(question) < 4*time.Second || parse(question+say+"wait 1s") != parse(question)+parse(say)+time.Second {
		t.Errorf("%s, %s, %s", parse("wait 3s\nwait leader"), parse(say), parse(question))
	}
}
