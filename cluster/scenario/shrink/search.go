package shrink

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"capsize/cluster/scenario"
)

const (
	// seedsFragile is with how many seeds a candidate is tried until one makes it fail, while the best
	// scenario depends on its seed.
	seedsFragile = 3
	// seedsRobust is with how many seeds a scenario must fail to be robust.
	seedsRobust = 5
)

// slack is the virtual time that a candidate may take longer than the best scenario did, besides
// twice its time: other chance can delay an election.
const slack = 5 * time.Second

// search is the state of a reduction: the best scenario so far, and what was tried.
type search struct {
	ctx  context.Context
	run  Runner
	goal Goal
	jobs int

	known map[string]Outcome // of the candidates that were run, by their text
	until time.Duration      // limit of a run; it only changes between passes
	best  draft
	last  Outcome // of the best draft
	// robust is set once the best draft fails with seedsRobust seeds: what replaces it must, too.
	robust bool

	status status
}

// edit is a candidate: a draft that is simpler than the best one.
type edit struct {
	draft
	at int // the command that it changes, from 0
}

// seeds returns n seeds to try a draft with, its own first.
func (d draft) seeds(n int) []int64 {
	all := []int64{d.seed}
	for s := int64(1); len(all) < n; s++ {
		if s != d.seed {
			all = append(all, s)
		}
	}
	return all
}

// trial is a candidate that is being tried. Its outcomes are only shared once it is known that no
// candidate before it is taken, so what is known never depends on how fast runs are.
type trial struct {
	draft
	outcomes map[string]Outcome // of the runs of this trial
	fails    bool
	as       draft // with the seed that makes it fail
	of       Outcome
	err      error
}

// outcome returns the outcome of a draft.
func (s *search) outcome(ctx context.Context, d draft, t *trial) (Outcome, error) {
	text := d.text()
	if o, ok := s.known[text]; ok {
		return o, nil
	}
	if o, ok := t.outcomes[text]; ok {
		return o, nil
	}
	o, err := s.run(ctx, Trial{Text: text, Goal: s.goal, Until: s.until})
	if err == nil {
		s.status.tried.Add(1)
		t.outcomes[text] = o
	}
	return o, err
}

// try runs a candidate with seeds until it is known whether it can replace the best draft: with all of
// them if that is robust, with any of them if not.
func (s *search) try(ctx context.Context, t *trial) {
	n := seedsFragile
	if s.robust {
		n = seedsRobust
	}
	failed := 0
	for _, d := range withSeeds(t.draft, n) {
		o, err := s.outcome(ctx, d, t)
		switch {
		case err != nil:
			t.err = err
			return
		case !o.Fails && s.robust:
			return
		case !o.Fails:
			continue
		case failed == 0:
			t.as, t.of = d, o
		}
		if failed++; !s.robust || failed == n {
			t.fails = true
			return
		}
	}
}

// take tries candidates side by side, and makes the first one in order that can replace the best
// draft the best one. It returns its number, -1 for none. Candidates with a mistake are skipped.
func (s *search) take(candidates []draft) (int, error) {
	return s.takeBy(candidates, s.try)
}

func (s *search) takeBy(candidates []draft, try func(context.Context, *trial)) (int, error) {
	trials, contexts, cancels := make([]*trial, len(candidates)), make([]context.Context, len(candidates)), make([]context.CancelFunc, len(candidates))
	for i, c := range candidates {
		trials[i] = &trial{draft: c, outcomes: map[string]Outcome{}}
		contexts[i], cancels[i] = context.WithCancel(s.ctx)
		defer cancels[i]()
	}
	var mu sync.Mutex
	next, first := 0, len(candidates) // the next one to try, and the first that is known to fail
	var workers sync.WaitGroup
	for range min(s.jobs, len(candidates)) {
		workers.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				over := i >= first
				mu.Unlock()
				if over {
					return
				}
				if _, err := scenario.Parse("", []byte(candidates[i].text())); err == nil {
					try(contexts[i], trials[i])
				}
				if trials[i].fails || trials[i].err != nil {
					mu.Lock()
					first = min(first, i)
					for _, cancel := range cancels[first+1:] {
						cancel()
					}
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	for i, t := range trials {
		for text, o := range t.outcomes {
			s.known[text] = o
		}
		switch {
		case t.err != nil:
			return -1, t.err
		case t.fails:
			return i, s.improve(t.as, t.of)
		}
	}
	return -1, s.ctx.Err()
}

// improve makes a draft that fails the best one.
func (s *search) improve(d draft, o Outcome) error {
	s.best, s.last = d, o
	s.status.commands.Store(int64(len(d.commands)))
	if s.robust {
		return nil
	}
	n, err := s.count(seedsRobust)
	s.robust = n == seedsRobust
	return err
}

// count returns with how many of n seeds the best draft fails, up to the first with which it does not.
func (s *search) count(n int) (int, error) {
	t := &trial{outcomes: s.known}
	for i, d := range withSeeds(s.best, n) {
		if o, err := s.outcome(s.ctx, d, t); err != nil || !o.Fails {
			return i, err
		}
	}
	return n, nil
}

// sweep takes edits of the best draft until none of them can replace it. After each one that can, it
// goes on from the command that it changed, with what edits then returns. It reports whether it took one.
func (s *search) sweep(edits func(draft) []edit) (bool, error) {
	changed, from := false, 0
	for {
		all := edits(s.best)
		// What lies before from comes last: it was tried a moment ago.
		slices.SortStableFunc(all, func(a, b edit) int {
			return cmp.Or(compareBool(a.at < from, b.at < from), cmp.Compare(a.at, b.at))
		})
		drafts := make([]draft, len(all))
		for i := range all {
			drafts[i] = all[i].draft
		}
		i, err := s.take(drafts)
		if err != nil || i < 0 {
			return changed, err
		}
		changed, from = true, all[i].at
	}
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// phase says what the search does now, and limits the runs by what the best draft takes now.
func (s *search) phase(name string) {
	s.status.phase.Store(&name)
	s.until = 2*s.last.At + slack
}
