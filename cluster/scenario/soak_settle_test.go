package scenario

import (
	"strings"
	"testing"

	"capsize/cluster"
)

// A follower that raft has left stuck does not fail a soak, which restarts it.
func TestASoakRestartsWhoIsStuckInTheEnd(t *testing.T) {
	data, _ := Builtin("stuck-follower")
	stuck, _, found := strings.Cut(string(data), "\nwait 60s\n")
	if !found {
		t.Fatal("the scenario is another one by now")
	}
	script, err := Parse("stuck", []byte(stuck))
	if err != nil {
		t.Fatal(err)
	}
	r, err := flatOut(t.Context(), "stuck", cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, watch{}, func(c *cluster.Cluster) Result {
		if failures := newExecution(c, 1, nowhere{}).run(script); len(failures) > 0 {
			return Result{Failures: failures}
		}
		s := &soak{x: newExecution(c, 1, nowhere{}), c: c, nodes: c.Names()}
		s.settle()
		return Result{Failures: s.failures}
	})
	if err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
}
