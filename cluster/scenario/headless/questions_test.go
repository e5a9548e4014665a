package headless

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
)

const asking = `nodes 3
# the lines of a question are those of the file
wait leader
let old = leader
ask Who leads after a crash?
choice the old leader when leader $old
choice another node when term > 2 within 5s
kill leader
because the others elect one of them
`

func TestResultHoldsTheQuestions(t *testing.T) {
	var steps bytes.Buffer
	b := Batch{Scripts: []*scenario.Script{script(t, "asking", asking), script(t, "silent", "nodes 1\nwait 1s")}, Open: engine.OpenNative, Repeat: 1}
	results, err := b.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(results[0].Questions)
	if want := `[{"line":5,"text":"Who leads after a crash?","choices":["the old leader","another node"],"true":[2]}]`; err != nil || string(text) != want {
		t.Errorf("%v: the questions are\n%s, want\n%s", err, text, want)
	}
	var all bytes.Buffer
	if err := WriteJSON(&all, results); err != nil || strings.Count(all.String(), `"questions":`) != 1 {
		t.Errorf("%v: only one scenario asks:\n%s", err, &all)
	}
	b.Scripts, b.Steps = b.Scripts[:1], &steps
	if _, err := b.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var told []string
	for line := range strings.Lines(steps.String()) {
		if _, text, ok := strings.Cut(line, "s    "); ok {
			told = append(told, strings.TrimRight(text, "\n"))
		}
	}
	if want := []string{"  1 the old leader", "  2 another node", "- 1 the old leader", "+ 2 another node"}; !slices.Equal(told, want) {
		t.Errorf("-v tells %q, want %q, in\n%s", told, want, &steps)
	}
}

func TestRepetitionsCountTheAnswers(t *testing.T) {
	run := func(answers ...[]int) Result {
		r := Result{Scenario: "a", OK: true}
		for _, answer := range answers {
			r.Questions = append(r.Questions, Question{Text: "who?", Choices: []string{"x", "y"}, True: answer})
		}
		return r
	}
	for name, test := range map[string]struct {
		results []Result
		want    string
	}{
		"once":    {[]Result{run([]int{1})}, ""},
		"alike":   {[]Result{run([]int{2}), run([]int{2})}, "a: question 1: true in 2 runs: choice 1: 0, choice 2: 2  who?\n"},
		"differ":  {[]Result{run([]int{2}), run([]int{1})}, "a: question 1: true in 2 runs: choice 1: 1, choice 2: 1 (the answer differs between runs)  who?\n"},
		"none":    {[]Result{run([]int{2}), run([]int{})}, "a: question 1: true in 2 runs: choice 1: 0, choice 2: 1 (the answer differs between runs)  who?\n"},
		"stopped": {[]Result{run([]int{2}), run()}, "a: question 1: true in 2 runs: choice 1: 0, choice 2: 1 (only 1 run reached it)  who?\n"},
		"two": {
			[]Result{run([]int{1}, []int{2}), run([]int{1}, []int{2}), {Scenario: "b"}},
			"a: question 1: true in 2 runs: choice 1: 2, choice 2: 0  who?\na: question 2: true in 2 runs: choice 1: 0, choice 2: 2  who?\n",
		},
	} {
		var below strings.Builder
		if writeOutcomes(&below, test.results); below.String() != test.want {
			t.Errorf("%s: got\n%s, want\n%s", name, &below, test.want)
		}
	}
}

// Equal exact runs share a row of the table, but each of them counts.
func TestTableCountsEveryRun(t *testing.T) {
	one := Result{Scenario: "a", OK: true, Identity: Identity{Fingerprint: "sha256:1"}}
	one.Questions = []Question{{Text: "who?", Choices: []string{"x", "y"}, True: []int{1}}}
	var table bytes.Buffer
	if err := WriteTable(&table, []Result{one, one, one}); err != nil || !strings.Contains(table.String(), "true in 3 runs: choice 1: 3, choice 2: 0") {
		t.Errorf("%v:\n%s", err, &table)
	}
}
