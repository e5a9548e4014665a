package headless

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// runScript runs a script that no one observes.
func runScript(t *testing.T, s *scenario.Script) (Result, error) {
	t.Helper()
	return run(t.Context(), s, observers{})
}

const undecided = "it takes too long"

// forge emits a verdict as if a check had reached it.
func forge(c *cluster.Inside, name string, verdict trace.Verdict, text string) {
	c.AwaitVerdicts() // the forged verdict comes last
	c.Trace().Emit(trace.Event{Kind: trace.KindVerdict, At: c.Now(), Check: name, Verdict: verdict, Text: text})
}

func TestResultHoldsTheVerdictOfEachCheck(t *testing.T) {
	s := script(t, "test", "nodes 1\nincrement")
	r, err := runCluster(t.Context(), s.Name, cluster.Config{Nodes: s.Nodes, Settings: s.Settings}, observers{}, func(c *cluster.Inside) Result {
		failures := s.PerformUnattended(c)
		forge(c, check.AckedDurable, trace.VerdictViolated, "n1 has lost it")
		forge(c, check.Linearizable, trace.VerdictUndecided, undecided)
		return Result{Failures: failures, asides: asides{expected: []string{check.AckedDurable}}}
	})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := WriteJSON(&text, []Result{r}); err != nil {
		t.Fatal(err)
	}
	var object struct {
		OK     bool              `json:"ok"`
		Checks map[string]string `json:"checks"`
	}
	if err := json.Unmarshal(text.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"acked-durable": "violated", "linearizable": "undecided"}
	if len(object.Checks) != 9 || len(check.Names()) != 9 || !object.OK {
		t.Errorf("%s", &text)
	}
	for _, name := range check.Names() {
		verdict, other := want[name]
		if !other {
			verdict = "ok"
		}
		if object.Checks[name] != verdict {
			t.Errorf("%s is %q, want %q", name, object.Checks[name], verdict)
		}
	}
	text.Reset()
	if err := WriteTable(&text, []Result{r}); err != nil {
		t.Fatal(err)
	}
	if line := "\ntest: violated as expected: acked-durable\n"; !strings.Contains(text.String(), line) {
		t.Errorf("the table lacks %q:\n%s", line, &text)
	}
}

func TestVerboseRunReportsViolations(t *testing.T) {
	s := script(t, "test", "nodes 1\nincrement\nwait 1s")
	var steps bytes.Buffer
	_, err := runCluster(t.Context(), s.Name, cluster.Config{Nodes: s.Nodes, Settings: s.Settings}, observers{event: stepPrinter(&steps, s, 1)}, func(c *cluster.Inside) Result {
		forge(c, check.AckedDurable, trace.VerdictViolated, "n1 has lost it")
		forge(c, check.VoteOnce, trace.VerdictOK, "")
		return Result{Failures: s.PerformUnattended(c)}
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(steps.String(), "s  acked-durable violated: n1 has lost it\n") != 1 || strings.Contains(steps.String(), "vote-once") {
		t.Errorf("the steps are\n%s", &steps)
	}
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
		"undecided": {check.ElectionSafety, trace.VerdictUndecided, undecided, "checks: wanted election-safety ok, got undecided: " + undecided},
	} {
		var got []string
		for _, f := range soakAfter(t, func(c *cluster.Inside) { forge(c, test.check, test.verdict, test.text) }).Failures {
			got = append(got, f.Error())
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if r := soakAfter(t, func(*cluster.Inside) {}); len(r.Failures) > 0 {
		t.Errorf("a healthy cluster fails: %+v", r.Failures)
	}
}

// soakAfter runs a short soak on a cluster to which something has happened.
func soakAfter(t *testing.T, first func(*cluster.Inside)) Result {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	r, err := runCluster(t.Context(), "soak", cluster.Config{Nodes: 3, Settings: settings}, observers{}, func(c *cluster.Inside) Result {
		s := &soak{c: c, nodes: c.Names(), until: c.Now() + 2*time.Second, interrupted: func() bool { return false }}
		first(c)
		return s.run(SoakConfig{})
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
