package headless

import (
	"strings"
	"testing"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// A follower that raft has left stuck does not fail a soak: the soak restarts it.
func TestSoakRestartsAStuckFollower(t *testing.T) {
	data, _ := scenario.Builtin("stuck-follower")
	text, _, found := strings.Cut(string(data), "\nwait 60s\n")
	if !found {
		t.Fatal("the scenario stuck-follower has changed")
	}
	stuck := script(t, "stuck", text)
	r, err := runCluster(t.Context(), "stuck", cluster.Config{Nodes: stuck.Nodes, Settings: stuck.Settings}, observers{}, func(c *cluster.Inside) Result {
		if failures := stuck.Perform(c, nil); len(failures) > 0 {
			return Result{Failures: failures}
		}
		s := &soak{c: c, nodes: c.Names()}
		s.settle()
		return Result{Failures: s.failures}
	})
	if err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
}
