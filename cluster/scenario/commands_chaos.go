package scenario

import (
	"slices"
	"time"
)

func parseChaos(r *reader) (action, error) {
	if r.skip("off") {
		return func(x *execution) error { x.stopNemesis(); return nil }, nil
	}
	var kinds []string
	every := NemesisEvery
	for r.more() {
		if r.skip("every") {
			var err error
			if every, err = r.duration("how often to strike"); err != nil {
				return nil, err
			}
			if every < 10*time.Millisecond {
				return nil, r.fail(r.words[r.next-1], "every %s: it must be at least 10ms", every)
			}
			break
		}
		allowed := slices.Concat(nemesisKinds, []string{"every"})
		if len(kinds) == 0 {
			allowed = append(allowed, "off")
		}
		kind, err := r.oneOf("a kind of harm", allowed...)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		kinds = []string{"network", "nodes"}
	}
	return func(x *execution) error {
		x.stopNemesis()
		x.nemesis = StartNemesis(x.c, x.rng, kinds, every)
		return nil
	}, nil
}

// stopNemesis stops the nemesis, if there is one, and waits until it has healed
// its faults.
func (x *execution) stopNemesis() {
	if x.nemesis != nil {
		x.nemesis.Stop()
		x.nemesis = nil
	}
}
