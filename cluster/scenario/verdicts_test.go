package scenario

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// forge returns a step that emits a verdict as if a check had reached it.
func forge(name string, verdict trace.Verdict, text string) step {
	return step{command: Command{Text: "a verdict"}, do: func(r *run) error {
		r.c.AwaitVerdicts() // the forged verdict comes last
		r.c.Trace().Emit(trace.Event{Kind: trace.KindVerdict, At: r.c.Now(), Check: name, Verdict: verdict, Text: text})
		return nil
	}}
}

// withVerdicts returns a script on one node in which verdicts are forged between two
// blocks of lines.
func withVerdicts(t *testing.T, before, after string, verdicts ...step) *Script {
	t.Helper()
	s := parse(t, "nodes 1\nincrement\n"+before+after)
	at := 1 + strings.Count(before, "\n")
	s.steps = append(append(append([]step{}, s.steps[:at]...), verdicts...), s.steps[at:]...)
	return s
}

const (
	lost      = "n1 has lost it"
	undecided = "it takes too long"
)

func TestVerdictsAreExpectedExactly(t *testing.T) {
	red := forge("acked-durable", trace.VerdictViolated, lost)
	open := forge("linearizable", trace.VerdictUndecided, undecided)
	for name, test := range map[string]struct {
		before, after string
		verdicts      []step
		want          []string
	}{
		"all ok":                          {after: "expect checks ok\n"},
		"none expected":                   {},
		"expected after it happened":      {after: "expect violation acked-durable\n", verdicts: []step{red}},
		"undecided":                       {verdicts: []step{open}, want: []string{"checks: wanted linearizable ok, got undecided: " + undecided}},
		"violation after its expectation": {before: "expect violation acked-durable\n", verdicts: []step{red}, want: []string{"test:3:1: expect violation acked-durable: wanted violation acked-durable, got acked-durable ok"}},
		"violation that does not happen":  {after: "expect violation vote-once\n", want: []string{"test:3:1: expect violation vote-once: wanted violation vote-once, got vote-once ok"}},
		"unexpected violation":            {verdicts: []step{red}, want: []string{"checks: wanted acked-durable ok, got violated: " + lost}},
		"violation of another check expected": {
			after: "expect violation acked-durable\n", verdicts: []step{red, forge("vote-once", trace.VerdictViolated, "n1 voted twice")},
			want: []string{"checks: wanted vote-once ok, got violated: n1 voted twice"},
		},
		"ok before the violation": {before: "expect checks ok\n", after: "expect violation acked-durable\n", verdicts: []step{red}},
		"ok expected of a violated check": {
			after: "expect violation acked-durable\nexpect checks ok\n", verdicts: []step{red},
			want: []string{"test:4:1: expect checks ok: wanted checks ok, got acked-durable violated: " + lost},
		},
		"ok expected of an undecided check": {
			after: "expect checks ok\n", verdicts: []step{open},
			want: []string{
				"test:3:1: expect checks ok: wanted checks ok, got linearizable undecided: " + undecided,
				"checks: wanted linearizable ok, got undecided: " + undecided,
			},
		},
		"violation expected of an undecided check": {
			after: "expect violation linearizable\n", verdicts: []step{open},
			want: []string{"test:3:1: expect violation linearizable: wanted violation linearizable, got linearizable undecided: " + undecided},
		},
		"violation after an undecided check": {
			after: "expect violation linearizable\n", verdicts: []step{open, forge("linearizable", trace.VerdictViolated, lost)},
		},
		"run ends before the expectation": {
			after: "kill n1\nkill n1\nexpect violation acked-durable\n", verdicts: []step{red},
			want: []string{"test:4:1: kill n1: cannot kill n1: it is killed: restart it first"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range unattended(t, withVerdicts(t, test.before, test.after, test.verdicts...)) {
				got = append(got, f.Error())
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

// Both sides of a recovery by force go on. What one acknowledges, the other lacks.
func TestIncrementAcknowledgedOnOneSideOfARecoveryIsLost(t *testing.T) {
	mustHold(t, `nodes 5
transfer n1
wait leader n1
increment 2
wait converged
isolate n5
wait 1s
recover n5
wait leader n5 within 10s
read strong via n1
wait 1s
increment via n5
expect value 3 on n5
read strong via n1
expect violation acked-durable
expect violation state-machine-safety
expect violation linearizable
`)
}
