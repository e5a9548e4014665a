package shrink

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"capsize/cluster/scenario"
)

const (
	// seedsHardened is with how many seeds scenarios are compared.
	seedsHardened = 10
	// hardenMax is how many changes are made one after the other.
	hardenMax = 4
)

// harden looks for a scenario like the best one that fails with more seeds, if that fails only with
// some, and violates a check: which node leads is chance, and a scenario often only fails if a fault strikes the leader. It
// reports whether it found one that fails with all seeds: then commands may have become needless.
func (s *search) harden() (bool, error) {
	if s.robust || s.goal.Check == "" {
		return false, nil
	}
	for n := 0; n < hardenMax && !s.robust; n++ {
		s.phase("seeds")
		s.until += longestWait // some candidates wait longer
		if better, err := s.hardenOnce(); err != nil || !better {
			return false, err
		}
	}
	return s.robust, nil
}

// hardenOnce makes the candidate that fails with most seeds the best draft, if it fails with more than
// that.
func (s *search) hardenOnce() (bool, error) {
	var drafts []draft
	for _, d := range append([]draft{s.best}, s.best.hardened()...) {
		if _, err := scenario.Parse("", []byte(d.text())); err == nil {
			drafts = append(drafts, d)
		}
	}
	most, best := 0, -1
	outcomes := make([][]Outcome, len(drafts))
	for i, d := range drafts {
		var err error
		if outcomes[i], err = s.outcomes(withSeeds(d, seedsHardened)); err != nil {
			return false, err
		}
		if n := failing(outcomes[i]); n > most {
			most, best = n, i
		}
	}
	if best <= 0 {
		return false, nil
	}
	first := slices.IndexFunc(outcomes[best], func(o Outcome) bool { return o.Fails })
	return true, s.improve(withSeeds(drafts[best], seedsHardened)[first], outcomes[best][first])
}

// outcomes runs drafts side by side.
func (s *search) outcomes(all []draft) ([]Outcome, error) {
	outcomes, errs := make([]Outcome, len(all)), make([]error, len(all))
	s.each(len(all), func(i int) {
		outcomes[i], errs[i] = s.run(s.ctx, Trial{Text: all[i].text(), Goal: s.goal, Until: s.until})
		s.status.tried.Add(1)
	})
	return outcomes, cmp.Or(errs...)
}

// failing returns how many of the outcomes fail.
func failing(all []Outcome) (n int) {
	for i := range all {
		if all[i].Fails {
			n++
		}
	}
	return n
}

// longestWait is the longest wait that hardening sets.
const longestWait = 10 * time.Second

// hardened returns the draft with the leader in the place of one of its nodes, with a longer wait, and
// after a transfer of leadership to one of its nodes.
func (d draft) hardened() (all []draft) {
	names := d.nodeNames()
	for i, line := range d.commands {
		if wait, ok := waitOf(line); ok {
			for _, longer := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, longestWait} {
				if wait < longer {
					all = append(all, d.withCommand(i, "wait "+shortDuration(longer)))
				}
			}
		}
		words := strings.Fields(line)
		for k, word := range words {
			if slices.Contains(names, word) {
				other := slices.Clone(words)
				other[k] = "leader"
				all = append(all, d.withCommand(i, strings.Join(other, " ")))
			}
		}
	}
	for _, name := range names {
		all = append(all, d.withCommands(append([]string{"transfer " + name}, d.commands...)))
	}
	return all
}
