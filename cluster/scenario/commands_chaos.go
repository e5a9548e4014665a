package scenario

import (
	"slices"
	"time"
)

// minChaosEvery is the shortest interval at which chaos acts.
const minChaosEvery = 10 * time.Millisecond

// chaosCommands start and stop the nemesis.
func chaosCommands() []declaration {
	return []declaration{{
		name: "chaos", syntax: "chaos [network] [nodes] [disk] [membership] [every D] | chaos off",
		help: "inject random faults within what Raft survives, from the seed", parse: parseChaos,
	}}
}

func parseChaos(p *lineParser) (action, error) {
	if p.accept("off") {
		return func(r *run) error { r.stopNemesis(); return nil }, nil
	}
	var kinds []string
	every := NemesisEvery
	for p.hasMore() {
		if p.accept("every") {
			var err error
			if every, err = p.duration("an interval"); err != nil {
				return nil, err
			}
			if every < minChaosEvery {
				return nil, p.fail(p.words[p.pos-1], "an interval of %s is too short; use %s or more", every, minChaosEvery)
			}
			break
		}
		allowed := slices.Concat(nemesisKinds, []string{"every"})
		if len(kinds) == 0 {
			allowed = append(allowed, "off")
		}
		kind, err := p.choice("a kind of fault", allowed...)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		kinds = []string{"network", "nodes"}
	}
	return func(r *run) error {
		r.stopNemesis()
		r.nemesis = StartNemesis(r.c, r.rng, kinds, every)
		return nil
	}, nil
}

// stopNemesis stops the nemesis, if there is one, after it has healed its faults.
func (r *run) stopNemesis() {
	if r.nemesis != nil {
		r.nemesis.Stop()
		r.nemesis = nil
	}
}
