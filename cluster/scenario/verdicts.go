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
	return Verdicts(x.state())
}

// Verdicts returns the verdict of each check. A check that has not judged anything
// yet is undecided.
func Verdicts(s *trace.State) []trace.Check {
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
				others = append(others, DescribeVerdict(c))
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
		return "violation " + name, DescribeVerdict(c)
	}, nil
}

// DescribeVerdict formats the verdict of a check as one line.
func DescribeVerdict(c trace.Check) string {
	if c.Text == "" {
		return fmt.Sprintf("%s %s", c.Name, c.Verdict)
	}
	return fmt.Sprintf("%s %s: %s", c.Name, c.Verdict, c.Text)
}

// unexpectedViolations returns a failure for each violated check that no `expect
// violation` of the script names, before or after the violation.
func unexpectedViolations(checks []trace.Check, expected []string) []Failure {
	return VerdictFailures(checks, func(c trace.Check) bool {
		return c.Verdict == trace.VerdictViolated && !slices.Contains(expected, c.Name)
	})
}

// VerdictFailures returns a failure for each check that is wrong.
func VerdictFailures(checks []trace.Check, wrong func(trace.Check) bool) []Failure {
	var failures []Failure
	for _, c := range checks {
		if wrong(c) {
			failures = append(failures, Failure{Text: "checks", Want: c.Name + " ok", Got: fmt.Sprintf("%s: %s", c.Verdict, c.Text)})
		}
	}
	return failures
}
