package shrink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
)

const (
	// seedsSearched is with how many seeds a scenario is tried that does not fail with its own.
	seedsSearched = 20
	// seedsExplicit is the same for a scenario whose random faults have been written out.
	seedsExplicit = 30
	// seedsCounted is with how many seeds the result is tried.
	seedsCounted = 20
)

// Config says how to shrink.
type Config struct {
	Run      Runner
	Jobs     int       // runs at once
	Check    string    // the check whose violation to keep, "" for the first one that is violated
	Terminal io.Writer // shows the progress; may be nil
}

// Result is a scenario that was shrunk.
type Result struct {
	Text          string // of the scenario, with comments
	Goal          Goal   // how it fails
	Before, After int    // commands, without captions
	Fails, Seeds  int    // it fails with so many of so many seeds; Seeds is 0 if that was not counted
	Tried         int    // runs
	Interrupted   bool   // it may not be the shortest
}

// String says in one line what came of it.
func (r *Result) String() string {
	text := fmt.Sprintf("%d commands, %d before, after %d runs; fails with %s", r.After, r.Before, r.Tried, r.Goal)
	if r.Seeds > 0 {
		text += fmt.Sprintf(" with %d of %d seeds", r.Fails, r.Seeds)
	}
	return text
}

var (
	// ErrPasses is the error of a scenario that does not fail.
	ErrPasses = errors.New("does not fail")
	// ErrFixed is the error of a scenario of which nothing can be removed.
	ErrFixed = errors.New("nothing can be removed")
)

// Shrink reduces a scenario. When ctx ends, it returns the best scenario so far, or
// [headless.ErrInterrupted] if there is none yet.
func Shrink(ctx context.Context, cfg Config, script *scenario.Script) (*Result, error) {
	s := &search{ctx: ctx, run: cfg.Run, jobs: max(cfg.Jobs, 1), known: map[string]Outcome{}}
	s.status.started = time.Now()
	s.phase("first run")
	s.until = 0
	defer headless.ShowProgress(cfg.Terminal, s.status.line)()
	start, expected := newDraft(script)
	commands := start.withoutCaptions().commands
	s.status.before = len(commands)
	s.status.commands.Store(int64(len(commands)))
	r := &Result{Before: len(commands)}
	err := s.begin(cfg, script, start, expected)
	if err == nil {
		err = s.work()
	}
	if err == nil {
		r.Fails, r.Seeds, err = s.finish()
	}
	switch {
	case isInterrupted(err) && s.best.commands != nil:
		r.Interrupted = true
	case isInterrupted(err):
		return nil, headless.ErrInterrupted
	case err != nil:
		return nil, err
	}
	r.Goal, r.After, r.Tried = s.goal, len(s.best.commands), int(s.status.tried.Load())
	r.Text = r.comment(script.Name) + s.best.text()
	return r, nil
}

// comment is the head of the result.
func (r *Result) comment(name string) string {
	text := fmt.Sprintf("# Shrunk from %s: %d commands became %d.\n# Fails with %s", oneLine(name), r.Before, r.After, oneLine(r.Goal.String()))
	switch {
	case r.Seeds > 0:
		text += fmt.Sprintf(", with %d of %d seeds", r.Fails, r.Seeds)
	case r.Interrupted:
		text += "; interrupted before it was as short as it gets"
	}
	return text + ".\n"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// withoutCaptions returns the draft without what only an audience sees.
func (d draft) withoutCaptions() draft {
	return d.withCommands(slices.DeleteFunc(slices.Clone(d.commands), func(line string) bool { return isCaption(scenario.SplitCommand(line)) }))
}

// begin finds out how a scenario fails, and makes it the best draft.
func (s *search) begin(cfg Config, script *scenario.Script, start draft, expected []string) error {
	o, err := s.run(s.ctx, Trial{Text: original(script), Goal: Goal{Check: cfg.Check}})
	if err != nil {
		return err
	}
	s.status.tried.Add(1)
	fails := func(o Outcome) (Goal, bool) {
		if cfg.Check != "" {
			return Goal{Check: cfg.Check}, o.Fails
		}
		return o.goal(expected)
	}
	goal, ok := fails(o)
	if !ok {
		s.phase("other seeds")
		s.until = 0
		if start.seed, goal, err = s.otherSeed(start, cfg.Check, fails); err != nil {
			return err
		}
	}
	s.goal = goal
	if goal.Check != "" {
		start.expected = []string{goal.Check}
	}
	s.last = o
	s.phase("captions")
	for _, d := range []draft{start.withoutCaptions(), start} {
		i, err := s.takeBy(withSeeds(d, seedsSearched), s.tryOnce)
		if err != nil || i >= 0 {
			return err
		}
	}
	return fmt.Errorf("%w: it fails with %s, but not without its expectations", ErrFixed, goal)
}

// original returns the text of a script that repeats its run: as it is, unless its seed is another.
func original(script *scenario.Script) string {
	text := script.Text()
	if parsed, err := scenario.Parse("", []byte(text)); err == nil && parsed.Settings.Seed == script.Settings.Seed {
		return text
	}
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(text)), func(line string) bool { return scenario.SplitCommand(line).Verb == "seed" })
	return fmt.Sprintf("seed %d\n", script.Settings.Seed) + strings.Join(lines, "")
}

// withSeeds returns a draft with each of n seeds.
func withSeeds(d draft, n int) (all []draft) {
	for _, seed := range d.seeds(n) {
		all = append(all, d.withSeed(seed))
	}
	return all
}

// tryOnce is try with the candidate's own seed only.
func (s *search) tryOnce(ctx context.Context, t *trial) {
	o, err := s.outcome(ctx, t.draft, t)
	t.as, t.of, t.fails, t.err = t.draft, o, o.Fails, err
}

// otherSeed returns a seed with which a scenario fails that does not fail with its own, and how.
func (s *search) otherSeed(start draft, check string, fails func(Outcome) (Goal, bool)) (int64, Goal, error) {
	seeds := start.seeds(seedsSearched)
	outcomes, errs := make([]Outcome, len(seeds)), make([]error, len(seeds))
	s.each(len(seeds), func(i int) {
		if i > 0 {
			outcomes[i], errs[i] = s.run(s.ctx, Trial{Text: start.withSeed(seeds[i]).text(), Goal: Goal{Check: check}})
			s.status.tried.Add(1)
		}
	})
	for i, seed := range seeds {
		if errs[i] != nil {
			return 0, Goal{}, errs[i]
		}
		if goal, ok := fails(outcomes[i]); ok {
			return seed, goal, nil
		}
	}
	what := "every check is ok and every command succeeds"
	if check != "" {
		what = check + " is not violated"
	}
	return 0, Goal{}, fmt.Errorf("%w: %s, with its own seed (%d) and %d others", ErrPasses, what, start.seed, len(seeds)-1)
}

// each calls f with the numbers below n, some at once.
func (s *search) each(n int, f func(int)) {
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(s.jobs, n) {
		workers.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

// work reduces the best draft.
func (s *search) work() error {
	if err := s.cutAfter(); err != nil {
		return err
	}
	if s.goal.Check != "" && s.best.contains("chaos", "soak") {
		if err := s.writeOut(); err != nil {
			return err
		}
	}
	if err := s.reduce(); err != nil {
		return err
	}
	for _, change := range []func() (bool, error){s.harden, s.endInTime} {
		changed, err := change()
		if err == nil && changed {
			err = s.reduce()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endInTime replaces a last wait for a condition that never holds, during which the check is violated,
// by a wait for that long: a scenario whose wait runs out does not pass. It reports whether it has.
func (s *search) endInTime() (bool, error) {
	s.phase("end")
	n := len(s.best.commands)
	if s.goal.Check == "" || n == 0 || s.last.Begun != n {
		return false, nil
	}
	end := s.best.commands[n-1]
	if _, isTimed := waitOf(end); isTimed || !strings.HasPrefix(end, "wait ") {
		return false, nil
	}
	o, err := s.run(s.ctx, Trial{Text: s.best.text()})
	if err != nil || !slices.ContainsFunc(o.Failures, func(f scenario.Failure) bool { return f.Text == end }) {
		return false, err
	}
	var candidates []draft
	for _, more := range []time.Duration{time.Millisecond, time.Second, 5 * time.Second} {
		candidates = append(candidates, s.best.withCommand(n-1, "wait "+shortDuration((s.last.At-s.last.BegunAt).Truncate(time.Millisecond)+more)))
	}
	i, err := s.take(candidates)
	return i >= 0, err
}

// cutAfter removes the commands that had not begun when the best draft failed.
func (s *search) cutAfter() error {
	s.phase("end")
	begun := min(s.last.Begun, len(s.best.commands))
	if s.goal.Check == "" || begun == 0 {
		return nil
	}
	shorter := s.best.withCommands(slices.Clone(s.best.commands[:begun]))
	candidates := []draft{s.best.withCommands(shorter.commands[:begun-1]), shorter}
	if d, ok := waitOf(shorter.commands[begun-1]); ok {
		if needed := (s.last.At - s.last.BegunAt).Truncate(time.Millisecond) + time.Millisecond; needed < d {
			candidates = slices.Insert(candidates, 1, shorter.withCommand(begun-1, "wait "+shortDuration(needed)))
		}
	}
	_, err := s.take(candidates)
	return err
}

const (
	// laterMax is the virtual time of a violation above which another seed is looked for, with which it
	// comes in half the time.
	laterMax = 20 * time.Second
	// soonerMax is how often that is done.
	soonerMax = 6
)

// writeOut replaces random faults by the commands that set them, if the scenario then still fails.
func (s *search) writeOut() error {
	s.phase("sooner")
	for n := 0; n < soonerMax && s.last.At > laterMax; n++ {
		s.until = s.last.At / 2
		i, err := s.takeBy(withSeeds(s.best, seedsSearched)[1:], s.tryOnce)
		clear(s.known) // these runs had another limit
		if err != nil {
			return err
		}
		if i < 0 {
			break
		}
	}
	if err := s.cutAfter(); err != nil {
		return err
	}
	s.phase("faults")
	o, err := s.run(s.ctx, Trial{Text: s.best.text(), Goal: s.goal, Until: s.until, Record: true})
	if err != nil {
		return err
	}
	for _, f := range forms {
		i, err := s.takeBy(withSeeds(s.best.explicit(o.Events, f), seedsExplicit), s.tryOnce)
		if err != nil {
			return err
		}
		if i >= 0 {
			return s.cutAfter()
		}
	}
	return nil
}

// finish makes the best draft pass, by expecting all that it violates, and counts with how many seeds
// it fails.
func (s *search) finish() (fails, seeds int, err error) {
	s.phase("seeds")
	if s.goal.Check != "" {
		if err := s.expectAll(); err != nil {
			return 0, 0, err
		}
	}
	outcomes, err := s.outcomes(withSeeds(s.best, seedsCounted))
	return failing(outcomes), len(outcomes), err
}

// expectAll adds the other checks that the best draft violates to what it expects. It takes another
// seed if the draft then passes with that only.
func (s *search) expectAll() error {
	for _, d := range withSeeds(s.best, seedsSearched) {
		for range 2 {
			o, err := s.run(s.ctx, Trial{Text: d.text()})
			if err != nil {
				return err
			}
			s.status.tried.Add(1)
			if len(o.Failures) == 0 && slices.Contains(o.Violated, s.goal.Check) {
				s.best = d
				return nil
			}
			for _, check := range o.Violated {
				if !slices.Contains(d.expected, check) {
					d.expected = append(slices.Clip(d.expected), check)
				}
			}
		}
	}
	return nil
}
