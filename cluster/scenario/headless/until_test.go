package headless

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

func TestUntilNamesAnEvent(t *testing.T) {
	told := trace.State{Story: []trace.StoryLine{{Seq: 5, Text: "n2 becomes Leader of term 3"}}}
	for _, c := range []struct {
		text  string
		event trace.Event
		is    bool
	}{
		{"5", trace.Event{Seq: 4}, false},
		{"#5", trace.Event{Seq: 5}, true},
		{"5", trace.Event{Seq: 6}, true},
		{"1.5s", trace.Event{At: time.Second}, false},
		{"1.5s", trace.Event{At: 2 * time.Second}, true},
		{"violation", trace.Event{Kind: trace.KindVerdict, Verdict: trace.VerdictUndecided}, false},
		{"Violation", trace.Event{Kind: trace.KindVerdict, Verdict: trace.VerdictViolated}, true},
		{"becomes leader", trace.Event{Seq: 5}, true},
		{"becomes leader", trace.Event{Seq: 6}, false},
		{"crashes", trace.Event{Seq: 5}, false},
	} {
		u, err := ParseUntil(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := u.is(&c.event, &told); got != c.is {
			t.Errorf("--until %s: %t for %+v", c.text, got, c.event)
		}
	}
	for text, why := range map[string]string{"": "needs an event", " ": "needs an event", "0": "from 1", "#0": "from 1", "-2s": "like 12.5s", "-1": "from 1", "5.0": "from 1", "1e3": "from 1", "99999999999999999999999": "from 1", "0ms": "like"} {
		if _, err := ParseUntil(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("--until %q: %v", text, err)
		}
	}
}

// Exact runs of one seed must be the same; a run that differs fails.
func TestRunsThatDifferFail(t *testing.T) {
	run := func(fingerprint string, seed int64) Result {
		return Result{Scenario: "a", OK: true, Identity: Identity{Mode: engine.ExactMode, Seed: seed, Fingerprint: fingerprint}}
	}
	results := []Result{run("sha256:1", 1), run("sha256:1", 1), run("sha256:2", 1), run("sha256:2", 2)}
	compare(results)
	for i, ok := range []bool{true, true, false, true} {
		if results[i].OK != ok || (len(results[i].Failures) == 0) != ok {
			t.Errorf("run %d: %+v", i, results[i])
		}
	}
	var text strings.Builder
	if err := WriteTable(&text, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trace sha256:1: all 2 runs are the same", "--repeat: wanted trace sha256:1, got trace sha256:2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &text)
		}
	}
}
