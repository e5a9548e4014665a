package scenario

import (
	"encoding/json"
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
	script := parse(t, "nodes 3\nsoak 2s")
	failures, _ := runIn(t, script, func(trace.Event) {}, func(c *cluster.Inside) []Failure {
		first(c)
		return script.Perform(c, nil)
	})
	return failures
}

// A soak is written and read as a command. Without a kind nothing strikes.
func TestSoakIsACommand(t *testing.T) {
	for text, want := range map[string]Soak{
		"soak 10m network nodes": {For: 10 * time.Minute, Chaos: []string{"network", "nodes"}},
		"soak 1h disk":           {For: time.Hour, Chaos: []string{"disk"}},
		"soak 1h0m1s":            {For: time.Hour + time.Second},
		"soak 30s":               {For: 30 * time.Second},
	} {
		if got := want.Command(); got != text {
			t.Errorf("%+v is written %q, want %q", want, got, text)
		}
		parse(t, text)
	}
	for text, why := range map[string]string{
		"soak": "expected a duration", "soak 0s": "from 1s to 10000h0m0s", "soak 10001h": "from 1s to 10000h0m0s",
		"soak 1m node": "did you mean nodes?", "soak 1m network every 2s": "not a kind of fault",
	} {
		if _, err := Parse("a", []byte(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %q", text, err, why)
		}
	}
}

// The load lasts for the whole duration, and no limit ends a long soak before.
func TestSoakLastsForItsDuration(t *testing.T) {
	short, long := parse(t, "nodes 1\nsoak 1m\nexpect value 480"), parse(t, "soak 30h")
	if failures, _ := runIn(t, short, func(trace.Event) {}, short.PerformUnattended); len(failures) > 0 {
		t.Errorf("%+v", failures)
	}
	if limit := long.steps[0].limit(&long.Settings); limit < 30*time.Hour+soakSettle {
		t.Errorf("a soak of 30h is given up after %s", limit)
	}
}

// Comments, empty lines and the name are no part of a run. Failures find their way back to them.
func TestScriptIsWrittenWithoutComments(t *testing.T) {
	bare, commented := parse(t, "seed 7\nsoak 1m\nkill n1"), parse(t, "# why\n\nseed 7\nsoak 1m\n  # this fails\n  kill n1")
	commented.Name = "found/7.capsize"
	a, errA := json.Marshal(bare)
	b, errB := json.Marshal(commented)
	if errA != nil || errB != nil || string(a) != strings.ReplaceAll(string(b), "  kill", "kill") {
		t.Errorf("%s, %v and %s, %v", a, errA, b, errB)
	}
	failures := []Failure{{Line: 3}, {Text: "checks"}}
	if commented.Locate(failures); failures[0].File != "found/7.capsize" || failures[0].Line != 6 || failures[0].Column != 3 || failures[1].Line != 0 {
		t.Errorf("%+v", failures)
	}
}
