package scenario

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
)

// A follower that raft has left stuck does not fail a soak: the soak restarts it.
func TestSoakRestartsAStuckFollower(t *testing.T) {
	data, _ := Builtin("stuck-follower")
	text, _, found := strings.Cut(string(data), "\nwait 60s\n")
	if !found {
		t.Fatal("the scenario stuck-follower has changed")
	}
	stuck := parse(t, text)
	failures, _ := runIn(t, stuck, func(trace.Event) {}, func(c *cluster.Inside) []Failure {
		if failures := stuck.Perform(c, nil); len(failures) > 0 {
			return failures
		}
		s := &soak{c: c, nodes: c.Names()}
		s.settle()
		return s.failures
	})
	if len(failures) > 0 {
		t.Errorf("%+v", failures)
	}
}

func TestSoakWaitsForConvergence(t *testing.T) {
	leader := trace.Node{ID: "n1", Process: trace.Up, Role: trace.Leader}
	for _, other := range []trace.Node{{ID: "n2", Process: trace.Paused}, {ID: "n3", Process: trace.Up}, {ID: "n2", Process: trace.Up, First: 1, Value: 1}} {
		if unsettled(&trace.State{Nodes: []trace.Node{leader, other}}, []string{"n1", "n2"}) == "" {
			t.Errorf("a cluster with %+v counts as settled", other)
		}
	}
}

// forgeIn emits a verdict as if a check had reached it.
func forgeIn(c *cluster.Inside, name string, verdict trace.Verdict, text string) {
	c.AwaitVerdicts() // the forged verdict comes last
	c.Trace().Emit(trace.Event{Kind: trace.KindVerdict, At: c.Now(), Check: name, Verdict: verdict, Text: text})
}

// A soak that cannot fail proves nothing, so it is given verdicts it must reject.
func TestSoakAcceptsNoVerdictButOK(t *testing.T) {
	for name, test := range map[string]struct {
		check   string
		verdict trace.Verdict
		text    string
		want    string
	}{
		"violated":  {check.ExactlyOnce, trace.VerdictViolated, "it counted twice", "checks: wanted exactly-once ok, got violated: it counted twice"},
		"undecided": {check.ElectionSafety, trace.VerdictUndecided, "it takes too long", "checks: wanted election-safety ok, got undecided: " + "it takes too long"},
	} {
		var got []string
		for _, f := range soakAfter(t, func(c *cluster.Inside) { forgeIn(c, test.check, test.verdict, test.text) }) {
			got = append(got, f.Error())
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if failures := soakAfter(t, func(*cluster.Inside) {}); len(failures) > 0 {
		t.Errorf("a healthy cluster fails: %+v", failures)
	}
}

// soakAfter runs a short soak on a cluster to which something has happened, and returns its
// failures.
func soakAfter(t *testing.T, first func(*cluster.Inside)) []Failure {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	failures, _ := runIn(t, &Script{Nodes: 3, Settings: settings}, func(trace.Event) {}, func(c *cluster.Inside) []Failure {
		s := &soak{c: c, nodes: c.Names(), until: c.Now() + 2*time.Second, interrupted: func() bool { return false }}
		first(c)
		s.run(nil, 1)
		return s.failures
	})
	return failures
}
