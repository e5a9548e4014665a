package scenario

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// say has a check say something, as if it had found it out.
func say(name string, verdict trace.Verdict, text string) step {
	return step{command: Command{Text: "a verdict"}, do: func(r *run) error {
		r.c.AwaitVerdicts() // so that it is the last word
		r.c.Trace().Emit(trace.Event{Kind: trace.KindVerdict, At: r.c.Now(), Check: name, Verdict: verdict, Text: text})
		return nil
	}}
}

// judgedScript returns a script of one node, in which verdicts come between two
// halves of lines.
func judgedScript(t *testing.T, before, after string, verdicts ...step) *Script {
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

func TestWhatTheChecksSayIsExpectedExactly(t *testing.T) {
	red := say("acked-durable", trace.VerdictViolated, lost)
	open := say("linearizable", trace.VerdictUndecided, undecided)
	for name, test := range map[string]struct {
		before, after string
		verdicts      []step
		want          []string
	}{
		"all ok":            {after: "expect checks ok\n"},
		"nothing is asked":  {},
		"announced after":   {after: "expect violation acked-durable\n", verdicts: []step{red}},
		"one is undecided":  {verdicts: []step{open}},
		"it comes too late": {before: "expect violation acked-durable\n", verdicts: []step{red}, want: []string{"line 3: expect violation acked-durable: wanted violation acked-durable, got acked-durable ok"}},
		"it does not come":  {after: "expect violation vote-once\n", want: []string{"line 3: expect violation vote-once: wanted violation vote-once, got vote-once ok"}},
		"not announced":     {verdicts: []step{red}, want: []string{"checks: wanted acked-durable ok, got violated: " + lost}},
		"another announced": {
			after: "expect violation acked-durable\n", verdicts: []step{red, say("vote-once", trace.VerdictViolated, "n1 voted twice")},
			want: []string{"checks: wanted vote-once ok, got violated: n1 voted twice"},
		},
		"ok before and red later": {before: "expect checks ok\n", after: "expect violation acked-durable\n", verdicts: []step{red}},
		"ok is wanted of a red one": {
			after: "expect violation acked-durable\nexpect checks ok\n", verdicts: []step{red},
			want: []string{"line 4: expect checks ok: wanted checks ok, got acked-durable violated: " + lost},
		},
		"ok is wanted of an undecided one": {
			after: "expect checks ok\n", verdicts: []step{open},
			want: []string{"line 3: expect checks ok: wanted checks ok, got linearizable undecided: " + undecided},
		},
		"a violation is wanted of an undecided one": {
			after: "expect violation linearizable\n", verdicts: []step{open},
			want: []string{"line 3: expect violation linearizable: wanted violation linearizable, got linearizable undecided: " + undecided},
		},
		"the run ends before it is expected": {
			after: "kill n1\nkill n1\nexpect violation acked-durable\n", verdicts: []step{red},
			want: []string{"line 4: kill n1: cannot kill n1: it is killed: restart it first"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range unattended(t, judgedScript(t, test.before, test.after, test.verdicts...)) {
				got = append(got, f.Error())
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("\n got %q\nwant %q", got, test.want)
			}
		})
	}
}
