package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// harmedIn returns the nodes that are not up or have a broken disk.
func harmedIn(s *trace.State) (harmed []string) {
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Process != trace.Removed && (n.Process != trace.Up || n.DiskFault != "") {
			harmed = append(harmed, n.ID)
		}
	}
	return harmed
}

func TestChaosHarmsAMinorityAtMostAndHealsAllItDid(t *testing.T) {
	for _, test := range []struct {
		nodes int
		kinds string
	}{{5, "network nodes disk membership"}, {5, "nodes"}, {5, "disk"}, {3, "nodes disk"}, {4, "nodes membership"}, {7, "network nodes"}} {
		for seed := range 3 {
			name := fmt.Sprintf("%d %s %d", test.nodes, test.kinds, seed)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := parse(t, fmt.Sprintf("nodes %d\nseed %d\nload 5/s\nchaos %s every 1s\n", test.nodes, seed, test.kinds))
				worst, strikes := 0, 0
				for range 120 {
					s.steps = append(s.steps, step{do: func(r *run) error {
						r.sleep(pollEvery * 103) // not in step with the chaos
						state := r.state()
						harmed := len(harmedIn(state))
						worst = max(worst, harmed)
						if most := minority(len(state.Voters())); harmed > most {
							return fmt.Errorf("of %v, %v are out of action", state.Voters(), harmedIn(state))
						}
						return nil
					}})
				}
				s.steps = append(s.steps, step{do: func(r *run) error {
					counts := r.nemesis.counts
					r.stopNemesis()
					for _, n := range counts {
						strikes += n
					}
					state := r.state()
					if len(state.Faults) > 0 || len(harmedIn(state)) > 0 || len(r.c.Names()) != test.nodes {
						return fmt.Errorf("links %v, nodes %v of %v", state.Faults, harmedIn(state), r.c.Names())
					}
					return nil
				}})
				s.steps = append(s.steps, parse(t, "load off\nwait converged within 2m\nexpect log all same\nexpect ops ok > 100").steps...)
				if failures := unattended(t, s); len(failures) > 0 {
					t.Fatalf("%v", failures)
				}
				if strikes < 20 || worst == 0 && test.kinds != "network" {
					t.Errorf("%d strikes, %d nodes out of action at worst", strikes, worst)
				}
			})
		}
	}
}

// struck returns what chaos does with a seed, in the order in which it does it.
func struck(t *testing.T, seed int) (done []string) {
	t.Helper()
	watching := false
	carryOut(t, parse(t, fmt.Sprintf("seed %d\nchaos network nodes every 1s\nwait 25s\nexpect term > 0", seed)), noPresenter{}, func(e trace.Event) {
		switch e.Kind {
		case trace.KindCommand:
			watching = strings.HasPrefix(e.Text, "wait")
		case trace.KindProcess, trace.KindShape:
			if watching {
				done = append(done, fmt.Sprint(e.Node, e.Process, e.Text))
			}
		default:
		}
	})
	return done
}

func TestChaosComesFromTheSeed(t *testing.T) {
	first, again, other := struck(t, 1), struck(t, 1), struck(t, 2)
	if len(first) < 5 || !slices.Equal(first, again) {
		t.Errorf("the same seed does\n%s\nthen\n%s", strings.Join(first, "\n"), strings.Join(again, "\n"))
	}
	if slices.Equal(first, other) {
		t.Error("two seeds do the same")
	}
}
