package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
)

const (
	// soakSettle is the virtual time that the nodes get to converge after the faults.
	soakSettle = 2 * time.Minute
	// soakPollEvery is how often, in virtual time, the soak checks for convergence.
	soakPollEvery = 100 * time.Millisecond
)

// settle restores the cluster and waits for convergence. It heals all faults,
// starts nodes that are down, and removes nodes that were added. Raft can leave a follower
// stuck forever, so settle restarts a node that stays behind for long, once (see the
// scenario stuck-follower), and then the leader (see the scenario stale-pipeline).
func (s *soak) settle() {
	if err := s.c.HealEverything(); err != nil {
		s.fail("heal", "all faults healed", err.Error())
	}
	instead := ""
	start, restarted := s.c.Now(), map[string]bool{}
	for ; s.c.Now() < start+soakSettle && !s.c.Closed(); s.c.Sleep(soakPollEvery) {
		state := s.c.Trace().State()
		if instead = unsettled(&state, s.nodes); instead == "" {
			return
		}
		for i := range state.Nodes {
			// An error is ignored because the next round tries again: a node that is still
			// stopping, for one, cannot start yet.
			switch n := &state.Nodes[i]; {
			case n.Process == trace.Removed:
			case !slices.Contains(s.nodes, n.ID):
				_ = s.c.RemoveNode(n.ID) // added by a membership change that got no reply
			case n.Process == trace.Paused:
				_ = s.c.Resume(n.ID)
			case n.Process.Down():
				_ = s.c.Restart(n.ID)
			case restarted[n.ID]:
			case s.c.Now() > start+soakSettle/2 && n.Commit < state.Commit,
				s.c.Now() > start+soakSettle*3/4 && n.Role == trace.Leader:
				restarted[n.ID] = true
				_ = s.c.Kill(n.ID)
			}
		}
	}
	s.fail("wait converged", fmt.Sprintf("convergence within %s", soakSettle), instead)
}

// unsettled returns "" if exactly the given nodes are members, all of them are up,
// and they have converged. Otherwise it says what is missing.
func unsettled(s *trace.State, nodes []string) string {
	var wrong []string
	for i := range s.Nodes {
		switch n := &s.Nodes[i]; {
		case n.Process == trace.Removed:
		case !slices.Contains(nodes, n.ID):
			wrong = append(wrong, n.ID+" is still a member")
		case n.Process != trace.Up:
			wrong = append(wrong, fmt.Sprintf("%s is %s", n.ID, n.Process))
		}
	}
	if len(wrong) > 0 {
		return strings.Join(wrong, ", ")
	}
	return NotConverged(s)
}
