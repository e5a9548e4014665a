package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// unavailableIn returns the nodes that are not up or have a disk fault.
func unavailableIn(s *trace.State) (unavailable []string) {
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Process != trace.Removed && (n.Process != trace.Up || n.DiskFault != "") {
			unavailable = append(unavailable, n.ID)
		}
	}
	return unavailable
}

func TestChaosSparesAMajorityAndHealsItsFaults(t *testing.T) {
	for _, test := range []struct {
		nodes int
		kinds string
	}{{5, "network nodes disk membership"}, {5, "nodes"}, {5, "disk"}, {3, "nodes disk"}, {4, "nodes membership"}, {7, "network nodes"}} {
		for seed := range 3 {
			name := fmt.Sprintf("%d %s %d", test.nodes, test.kinds, seed)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				// A disk that fails can leave a pipeline stuck for ever (scenario stale-pipeline).
				s := parse(t, fmt.Sprintf("nodes %d\nseed %d\nset pipeline off\nload 5/s\nchaos %s every 1s\n", test.nodes, seed, test.kinds))
				worst, injected := 0, 0
				for range 120 {
					s.steps = append(s.steps, step{do: func(r *run) error {
						r.sleep(pollEvery * 103) // out of step with the nemesis
						state := r.state()
						unavailable := len(unavailableIn(state))
						worst = max(worst, unavailable)
						if most := minority(len(state.Voters())); unavailable > most {
							return fmt.Errorf("of voters %v, %v are unavailable", state.Voters(), unavailableIn(state))
						}
						return nil
					}})
				}
				s.steps = append(s.steps, step{do: func(r *run) error {
					counts := r.nemesis.counts
					r.stopNemesis()
					for _, n := range counts {
						injected += n
					}
					state := r.state()
					if len(state.Faults) > 0 || len(unavailableIn(state)) > 0 || len(r.c.Names()) != test.nodes {
						return fmt.Errorf("left behind: link faults %v, unavailable nodes %v, members %v", state.Faults, unavailableIn(state), r.c.Names())
					}
					return nil
				}})
				s.steps = append(s.steps, parse(t, "load off\nwait converged within 2m\nexpect log all same\nexpect ops ok > 100").steps...)
				if failures := unattended(t, s); len(failures) > 0 {
					t.Fatalf("%v", failures)
				}
				if injected < 20 || worst == 0 && test.kinds != "network" {
					t.Errorf("%d faults, at most %d nodes unavailable", injected, worst)
				}
			})
		}
	}
}

// chaosEvents returns what chaos does with a seed, in order.
func chaosEvents(t *testing.T, seed int) (done []string) {
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

func TestChaosDependsOnTheSeed(t *testing.T) {
	first, again, other := chaosEvents(t, 1), chaosEvents(t, 1), chaosEvents(t, 2)
	if len(first) < 5 || !slices.Equal(first, again) {
		t.Errorf("one seed does\n%s\nand then\n%s", strings.Join(first, "\n"), strings.Join(again, "\n"))
	}
	if slices.Equal(first, other) {
		t.Error("two seeds do the same")
	}
}
