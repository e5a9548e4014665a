package scenario

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// watch looks at the cluster from the answer to a question on, while the script goes on.
type watch struct {
	run      *run // it looks with; only one goroutine at a time uses it
	question *question
	answered trace.Question
	at       time.Duration // when the question was answered
	held     []bool        // by choice: it was true at some moment
	instead  []string      // by choice: what was the case when it was looked at last
	stop     chan struct{} // ends it early
	done     chan struct{} // closed when it has ended
}

// ask asks the question, and begins to watch once it is answered.
func (q *question) ask(r *run) error {
	r.shared.below(r.logged, q.below)
	asked := q.asked
	r.c.Ask(&asked)
	picked := r.presenter.Ask(r.c, len(asked.Choices))
	answered := q.asked
	answered.Picked = countsOf(picked, len(asked.Choices))
	r.c.Ask(&answered)

	look := newRun(r.c, 0, nil)
	look.rng = rand.New(rand.NewPCG(uint64(q.asked.Number), 3)) // looking must not change what the script draws
	look.names, look.shared = maps.Clone(r.names), r.shared
	r.watch = &watch{
		run: look, question: q, answered: answered, at: r.c.Now(), held: make([]bool, len(q.conditions)), instead: make([]string, len(q.conditions)),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	r.watch.lookOnTime() // before anything else happens
	r.c.Go(r.watch.follow)
	return nil
}

// countsOf returns how many people have picked each choice, within the limits.
func countsOf(picked []int, choices int) []int {
	counts := make([]int, choices)
	for i, n := range picked[:min(len(picked), choices)] {
		counts[i] = min(max(n, 0), trace.PickedMax)
	}
	return counts
}

// judge marks the choices that came true. The error says why they are not exactly one.
func (q *question) judge(r *run) error {
	w := r.watch
	r.shared.below(r.logged, q.belowBecause)
	<-w.done
	r.watch = nil
	if r.c.Closed() {
		return nil
	}
	w.look(func(c condition) bool { return !c.timed })
	judged := w.answered
	judged.Judged, judged.Because, judged.BecauseIn = true, q.because, q.becauseIn
	judged.Choices = slices.Clone(judged.Choices)
	for i := range judged.Choices {
		judged.Choices[i].True = w.held[i]
	}
	r.c.Ask(&judged)
	if !q.stepFollows {
		r.presenter.Step(r.c, "") // whatever comes next would take the answer off the screen
	}
	if len(judged.True()) == 1 {
		return nil
	}
	return &Failure{Want: "exactly one true choice", Got: w.describe(&judged)}
}

// describe says which choices came true, and what was the case instead of the others.
func (w *watch) describe(q *trace.Question) string {
	var held, others []string
	for i, c := range q.Choices {
		if c.True {
			held = append(held, c.Text)
		} else {
			others = append(others, fmt.Sprintf("%s (%s)", c.Text, w.instead[i]))
		}
	}
	if len(held) == 0 {
		return "none: " + strings.Join(others, "; ")
	}
	text := fmt.Sprintf("%d: %s", len(held), strings.Join(held, "; "))
	if len(others) > 0 {
		text += "; not " + strings.Join(others, "; ")
	}
	return text
}

// lookOnTime looks at the choices that may come true at this moment.
func (w *watch) lookOnTime() {
	now := w.run.c.Now()
	w.look(func(c condition) bool { return c.timed && now <= w.at+c.limit })
}

// follow looks until the longest time of the choices is over.
func (w *watch) follow() {
	defer close(w.done)
	for {
		now, next := w.run.c.Now(), time.Duration(-1)
		for _, c := range w.question.conditions {
			if end := w.at + c.limit; c.timed && end > now && (next < 0 || end < next) {
				next = end
			}
		}
		if next < 0 {
			return
		}
		select {
		case <-time.After(min(pollEvery, next-now)):
		case <-w.stop:
			return
		case <-w.run.c.Closing():
			return
		}
		w.lookOnTime()
	}
}

// look looks at some of the choices that have not held yet, all of them at one moment.
func (w *watch) look(at func(condition) bool) {
	var some []int
	onVerdicts := false
	for i, c := range w.question.conditions {
		if !w.held[i] && at(c) {
			some = append(some, i)
			onVerdicts = onVerdicts || c.isVerdict
		}
	}
	if len(some) == 0 {
		return
	}
	if onVerdicts {
		w.run.c.AwaitVerdicts()
	}
	w.run.c.Trace().Read(func(s *trace.State) {
		w.run.view = s // see run.wait
		defer func() { w.run.view = nil }()
		for _, i := range some {
			w.run.named = nil
			_, w.instead[i] = w.question.conditions[i].holds(w.run, s)
			w.held[i] = w.instead[i] == ""
		}
	})
}

// endWatch ends the watch of a question that the script does not get to judge.
func (r *run) endWatch() {
	if r.watch != nil {
		close(r.watch.stop)
		<-r.watch.done
		r.watch = nil
	}
}
