package shrink

import "slices"

// reduce makes the best draft simpler until nothing changes.
func (s *search) reduce() error {
	for {
		before := s.best.text()
		for _, phase := range []struct {
			name string
			run  func() error
		}{
			{"commands", s.removeCommands},
			{"settings", s.removeSettings},
			{"nodes", s.sweeps(fewerNodes)},
			{"operands", s.sweeps(simplerCommands)},
			{"durations", s.sweeps(simplerDurations)},
			{"waits", s.sweeps(mergedWaits)},
			{"pairs", s.sweeps(withoutPairs)},
		} {
			s.phase(phase.name)
			if err := phase.run(); err != nil {
				return err
			}
		}
		if s.best.text() == before {
			return nil
		}
	}
}

// sweeps returns a phase that sweeps over edits.
func (s *search) sweeps(edits func(draft) []edit) func() error {
	return func() error {
		_, err := s.sweep(edits)
		return err
	}
}

// removeCommands removes as many commands as it can, by delta debugging.
func (s *search) removeCommands() error {
	return s.minimize(func(d draft) []string { return d.commands }, draft.withCommands)
}

// removeSettings removes as many settings as it can.
func (s *search) removeSettings() error {
	return s.minimize(func(d draft) []string { return d.setup }, func(d draft, setup []string) draft {
		d.setup = setup
		return d
	})
}

// minimize is ddmin of Zeller and Hildebrandt over lines of the best draft, with complements only:
// what fails without most of its commands is found as fast by removing one half after the other, and
// a subset that is tried in vain costs a run. It goes on where it has removed something.
func (s *search) minimize(lines func(draft) []string, with func(draft, []string) draft) error {
	for chunks, from := 2, 0; len(lines(s.best)) > 0; {
		all := lines(s.best)
		chunks = min(chunks, len(all))
		var candidates []draft
		for k := range chunks {
			k = (k + from) % chunks
			first, last := k*len(all)/chunks, (k+1)*len(all)/chunks
			candidates = append(candidates, with(s.best, slices.Concat(all[:first], all[last:])))
		}
		i, err := s.take(candidates)
		switch {
		case err != nil:
			return err
		case i >= 0:
			from = (i + from) % chunks
			chunks = max(chunks-1, 2)
		case chunks == len(all):
			return nil
		default:
			chunks, from = chunks*2, 0
		}
	}
	return nil
}

// pairsMax is the number of commands up to which pairs of them are removed.
const pairsMax = 24

// withoutPairs returns the draft without two of its commands: a fault and the command that heals it
// may matter to each other only.
func withoutPairs(d draft) (all []edit) {
	if len(d.commands) > pairsMax {
		return nil
	}
	for i := range d.commands {
		for k := i + 1; k < len(d.commands); k++ {
			all = append(all, edit{d.withCommand(k).withCommand(i), i})
		}
	}
	return all
}
