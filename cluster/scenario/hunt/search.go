package hunt

import (
	"context"
	"math/rand/v2"
)

const (
	// batch is how many inputs a search makes from one state of its corpus. They run side by
	// side, and are judged in order: so an exact search does not depend on how many run at once.
	batch = 16
	// freshEvery is how often, in inputs, a search tries one that comes from no other.
	freshEvery = 8
)

// search is one search of a hunt.
type search struct {
	hunt     *Hunt
	progress *Progress // guarded by hunt.mu
	rng      *rand.Rand
	grammar  grammar
	corpus   corpus
	known    map[string]bool // the kinds of failures found
}

// outcome is what came of an input.
type outcome struct {
	coverage
	died    error // why the cluster has ended by itself, otherwise nil
	skipped bool  // the input cannot be parsed
}

// failure names the way in which the input failed, "" if it has not.
func (o *outcome) failure() string {
	if o.died != nil {
		return crash
	}
	return o.violated
}

// crash is the failure of a cluster that has ended by itself.
const crash = "crash"

// run runs batches until ctx ends. What it finds, it keeps until keeping ends.
func (s *search) run(ctx, keeping context.Context) error {
	for {
		inputs := s.inputs()
		outcomes := s.hunt.tryAll(ctx, s.hunt.cfg.Open, inputs)
		ended := ctx.Err() != nil
		for i := range inputs {
			if ended && outcomes[i].failure() == "" {
				continue // it may not have run to its end
			}
			if err := s.judge(keeping, inputs[i], outcomes[i]); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		s.hunt.mu.Lock()
		s.progress.Best, s.progress.Signals = s.corpus.weigh()
		s.progress.States, s.progress.Corpus = len(s.corpus.hits), len(s.corpus.entries)
		s.hunt.mu.Unlock()
	}
}

// inputs makes the inputs of a batch.
func (s *search) inputs() []schedule {
	inputs := make([]schedule, batch)
	for i := range inputs {
		if len(s.corpus.entries) < batch || s.rng.IntN(freshEvery) == 0 {
			inputs[i] = s.grammar.random(s.rng)
		} else {
			inputs[i] = s.grammar.mutate(s.rng, s.corpus.choose(s.rng).schedule, s.corpus.choose(s.rng).schedule)
		}
	}
	return inputs
}

// judge takes an input and its outcome into the corpus, or to the findings.
func (s *search) judge(ctx context.Context, input schedule, o outcome) error {
	s.hunt.mu.Lock()
	s.progress.Schedules++
	schedules := s.progress.Schedules
	s.hunt.mu.Unlock()
	failure := o.failure()
	switch {
	case o.skipped:
		return nil
	case failure == "":
		s.corpus.add(input, o.coverage)
		return nil
	case s.known[failure]:
		s.hunt.mu.Lock()
		defer s.hunt.mu.Unlock()
		s.progress.Again++
		return nil
	}
	s.known[failure] = true
	f := Finding{
		Failure: failure, Schedules: schedules, Seconds: s.hunt.Elapsed().Seconds(), Signals: o.worst,
		search: s.progress.Seed, schedule: input, died: o.died,
	}
	err := s.hunt.keep(ctx, &f)
	s.hunt.mu.Lock()
	defer s.hunt.mu.Unlock()
	s.progress.Findings = append(s.progress.Findings, f)
	return err
}
