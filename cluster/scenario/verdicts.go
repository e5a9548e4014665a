package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/check"
	"capsize/cluster/trace"
)

// verdicts returns the verdict of each check on everything that has happened so far.
func (r *run) verdicts() []trace.Check {
	r.c.AwaitVerdicts()
	return Verdicts(r.state())
}

// Verdicts returns the verdict of each check. A check that has not judged anything
// yet is undecided.
func Verdicts(s *trace.State) []trace.Check {
	var all []trace.Check
	for _, name := range check.Names() {
		c := trace.Check{Name: name, Verdict: trace.VerdictUndecided, Text: "no verdict yet"}
		if known := s.Check(name); known != nil {
			c = *known
		}
		all = append(all, c)
	}
	return all
}

// expectChecks takes the verdict that all checks must have. Only ok can be expected
// of all: a violation is expected of one check.
func expectChecks(p *lineParser) (expectation, error) {
	err := p.expect(string(trace.VerdictOK), "after checks")
	return func(_ *run, s *trace.State) (want, got string) {
		var others []string
		for _, c := range Verdicts(s) {
			if c.Verdict != trace.VerdictOK {
				others = append(others, DescribeVerdict(c))
			}
		}
		return "checks ok", strings.Join(others, "; ")
	}, err
}

// expectViolation takes the check that must be violated. A violation that a script
// expects anywhere does not fail its run; any other verdict except ok does.
func expectViolation(p *lineParser) (expectation, error) {
	name, err := p.choice("a check", check.Names()...)
	if err != nil {
		return nil, err
	}
	p.scope.expectedViolations = append(p.scope.expectedViolations, name)
	return func(_ *run, s *trace.State) (want, got string) {
		c := Verdicts(s)[slices.Index(check.Names(), name)]
		if c.Verdict == trace.VerdictViolated {
			return "", ""
		}
		return "violation " + name, DescribeVerdict(c)
	}, nil
}

// DescribeVerdict returns the verdict of a check as one line.
func DescribeVerdict(c trace.Check) string {
	if c.Text == "" {
		return fmt.Sprintf("%s %s", c.Name, c.Verdict)
	}
	return fmt.Sprintf("%s %s: %s", c.Name, c.Verdict, c.Text)
}

// unexpectedVerdicts returns a failure for each check that is not ok, except for those
// expected to be violated: the expectation itself fails if they are not.
func unexpectedVerdicts(checks []trace.Check, expected []string) []Failure {
	return VerdictFailures(checks, func(c trace.Check) bool {
		return c.Verdict != trace.VerdictOK && !slices.Contains(expected, c.Name)
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
