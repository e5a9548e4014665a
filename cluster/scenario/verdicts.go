package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/check"
	"capsize/cluster/trace"
)

// verdicts returns what each of the checks says, once all that happened so far is
// judged.
func (x *execution) verdicts() []trace.Check {
	x.c.AwaitVerdicts()
	return verdicts(x.state())
}

// verdicts returns what each of the checks says.
func verdicts(s *trace.State) []trace.Check {
	var all []trace.Check
	for _, name := range check.Names() {
		c := trace.Check{Name: name, Verdict: trace.VerdictUndecided, Text: "it has judged nothing yet"}
		if said := s.Check(name); said != nil {
			c = *said
		}
		all = append(all, c)
	}
	return all
}

// expectChecks takes what all checks must say. Ok is all there is: of a violation
// one says which.
func expectChecks(r *reader) (expectation, error) {
	_, err := r.oneOf("what the checks must say", string(trace.VerdictOK))
	return func(x *execution, _ *trace.State) (want, got string) {
		var others []string
		for _, c := range x.verdicts() {
			if c.Verdict != trace.VerdictOK {
				others = append(others, inWords(c))
			}
		}
		return "checks ok", strings.Join(others, "; ")
	}, err
}

// expectViolation takes the check that must be violated, and announces that.
func expectViolation(r *reader) (expectation, error) {
	name, err := r.oneOf("a check", check.Names()...)
	if err != nil {
		return nil, err
	}
	r.scope.announced = append(r.scope.announced, name)
	return func(x *execution, _ *trace.State) (want, got string) {
		c := x.verdicts()[slices.Index(check.Names(), name)]
		if c.Verdict == trace.VerdictViolated {
			return "", ""
		}
		return "violation " + name, inWords(c)
	}, nil
}

// inWords says in one line what a check says.
func inWords(c trace.Check) string {
	if c.Text == "" {
		return fmt.Sprintf("%s %s", c.Name, c.Verdict)
	}
	return fmt.Sprintf("%s %s: %s", c.Name, c.Verdict, c.Text)
}

// unannounced returns a failure for each check that is violated and that the
// script, wherever it says so, does not expect to be.
func unannounced(checks []trace.Check, announced []string) []Failure {
	return complaints(checks, func(c trace.Check) bool {
		return c.Verdict == trace.VerdictViolated && !slices.Contains(announced, c.Name)
	})
}

// complaints returns a failure for each of the checks that is wrong.
func complaints(checks []trace.Check, wrong func(trace.Check) bool) []Failure {
	var failures []Failure
	for _, c := range checks {
		if wrong(c) {
			failures = append(failures, Failure{Text: "checks", Want: c.Name + " ok", Got: fmt.Sprintf("%s: %s", c.Verdict, c.Text)})
		}
	}
	return failures
}

// judge notes in the result what the checks say. What is no failure but should be
// known becomes a remark: a violation that was announced, a check without a verdict.
func (r *Result) judge(checks []trace.Check) {
	r.Checks = map[string]string{}
	var announced []string
	for _, c := range checks {
		r.Checks[c.Name] = string(c.Verdict)
		switch {
		case c.Verdict == trace.VerdictUndecided:
			r.remarks = append(r.remarks, inWords(c))
		case c.Verdict == trace.VerdictViolated && slices.Contains(r.announced, c.Name):
			announced = append(announced, c.Name)
		}
	}
	if len(announced) > 0 {
		r.remarks = append(r.remarks, "violated as announced: "+strings.Join(announced, ", "))
	}
}
