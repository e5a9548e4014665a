package headless

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// runScript runs a script that no one observes.
func runScript(t *testing.T, s *scenario.Script) (Result, error) {
	t.Helper()
	return run(t.Context(), engine.OpenNative, s, observers{})
}

const undecided = "it takes too long"

func TestResultHoldsTheVerdictOfEachCheck(t *testing.T) {
	var state trace.State
	for _, name := range check.Names() {
		verdict := trace.Event{Kind: trace.KindVerdict, Check: name, Verdict: trace.VerdictOK}
		switch name {
		case check.AckedDurable:
			verdict.Verdict, verdict.Text = trace.VerdictViolated, "n1 has lost it"
		case check.Linearizable:
			verdict.Verdict, verdict.Text = trace.VerdictUndecided, undecided
		}
		state.Apply(&verdict)
	}
	r := Result{Scenario: "test", OK: true, asides: asides{expected: []string{check.AckedDurable}}}
	r.addState(&state, time.Second)
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
	report := stepPrinter(&steps, s, 1)
	report(trace.Event{Kind: trace.KindVerdict, Check: check.AckedDurable, Verdict: trace.VerdictViolated, Text: "n1 has lost it"})
	report(trace.Event{Kind: trace.KindVerdict, Check: check.VoteOnce, Verdict: trace.VerdictOK})
	if strings.Count(steps.String(), "s  acked-durable violated: n1 has lost it\n") != 1 || strings.Contains(steps.String(), "vote-once") {
		t.Errorf("the steps are\n%s", &steps)
	}
}
