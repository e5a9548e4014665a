package headless

import (
	"fmt"
	"strings"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// describeQuestion returns a question as it is asked, or as it is judged, as lines.
func describeQuestion(q *trace.Question) (lines []string) {
	if q == nil || q.Picked != nil && !q.Judged {
		return nil // without a screen, nobody answers
	}
	for i, c := range q.Choices {
		mark := "  "
		if q.Judged {
			mark = "- "
			if c.True {
				mark = "+ "
			}
		}
		lines = append(lines, fmt.Sprintf("  %s%d %s", mark, i+1, c.Text))
	}
	return lines
}

// outcomes counts how often each choice of a question was true.
type outcomes struct {
	scenario  string
	number    int // of the question, from 1
	text      string
	counts    []int // by choice
	runs      int   // that have judged it
	different bool  // not every run had the same answer
	first     string
}

// writeOutcomes writes one line for each question of the scenarios that ran more than once.
func writeOutcomes(to *strings.Builder, results []Result) {
	var all []*outcomes
	known := map[string]*outcomes{}
	runs := map[string]int{}
	for i := range results {
		r := &results[i]
		runs[r.Scenario]++
		for n, q := range r.Questions {
			key := fmt.Sprintf("%s %d", r.Scenario, n)
			o := known[key]
			if o == nil {
				o = &outcomes{scenario: r.Scenario, number: n + 1, text: q.Text, counts: make([]int, len(q.Choices)), first: fmt.Sprint(q.True)}
				known[key], all = o, append(all, o)
			}
			o.add(q)
		}
	}
	for _, o := range all {
		if of := runs[o.scenario]; of > 1 {
			o.write(to, of)
		}
	}
}

func (o *outcomes) add(q Question) {
	o.runs++
	o.different = o.different || fmt.Sprint(q.True) != o.first
	for _, choice := range q.True {
		if choice <= len(o.counts) {
			o.counts[choice-1]++
		}
	}
}

// write writes the line of a question, of so many runs of its scenario.
func (o *outcomes) write(to *strings.Builder, runs int) {
	var counts []string
	for i, n := range o.counts {
		counts = append(counts, fmt.Sprintf("choice %d: %d", i+1, n))
	}
	fmt.Fprintf(to, "%s: question %d: true in %d runs: %s", o.scenario, o.number, runs, strings.Join(counts, ", "))
	switch {
	case o.different:
		to.WriteString(" (the answer differs between runs)")
	case o.runs < runs:
		reached := "runs"
		if o.runs == 1 {
			reached = "run"
		}
		fmt.Fprintf(to, " (only %d %s reached it)", o.runs, reached)
	}
	fmt.Fprintf(to, "  %s\n", o.text)
}

// collectQuestions returns the questions of a script, which are added as they are judged.
func collectQuestions(e engine.Engine, s *scenario.Script) *[]Question {
	questions := new([]Question)
	if s.QuestionLine(1) == 0 {
		return questions // a subscriber costs time
	}
	e.Subscribe(func(event trace.Event) {
		if q := event.Question; q != nil && q.Judged {
			*questions = append(*questions, questionOf(s, q))
		}
	})
	return questions
}
