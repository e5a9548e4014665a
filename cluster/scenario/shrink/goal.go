package shrink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Goal is how a scenario must fail: with a check, or else with a command.
type Goal struct {
	Check string // that is violated, "" for a command
	// The command's verb, what it wanted, and what it got; Got is only set where it is short
	// enough to repeat.
	Verb, Want, Got string
}

// String says what fails.
func (g Goal) String() string {
	switch {
	case g.Check != "":
		return "a violation of " + g.Check
	case g.Got != "":
		return fmt.Sprintf("%s: wanted %s, got %s", g.Verb, g.Want, g.Got)
	}
	return fmt.Sprintf("%s: wanted %s", g.Verb, g.Want)
}

// goalOf returns the goal of a command that failed. An expectation must fail with the value it
// found: otherwise a scenario without any command but the expectation would do.
func goalOf(f scenario.Failure) Goal {
	g := Goal{Verb: scenario.SplitCommand(f.Text).Verb, Want: f.Want}
	if g.Verb == "expect" {
		g.Got = f.Got
	}
	return g
}

// Trial is one run of a scenario.
type Trial struct {
	Text   string
	Goal   Goal          // the run ends once it is reached; none to run until the end
	Until  time.Duration // virtual time after which the run ends; 0 for never
	Record bool          // keep the events that say what happened to the cluster
}

// Outcome is what came of a run.
type Outcome struct {
	Fails    bool          // the goal was reached
	At       time.Duration // virtual time at which the goal was reached, or of the end
	Begun    int           // commands that had begun by then
	BegunAt  time.Duration // when the last of them began
	Violated []string      // checks, in the order of their violation
	Failures []scenario.Failure
	Events   []trace.Event // if they were to be kept
}

// Runner runs a scenario that has no mistake. An error says why it could not.
type Runner func(context.Context, Trial) (Outcome, error)

// goal returns how a run fails that had no goal: with the first check that was violated and that the
// scenario does not expect to be, else with the first that it expects. It returns false if the run
// did not fail.
func (o Outcome) goal(expected []string) (Goal, bool) {
	for _, check := range o.Violated {
		if !slices.Contains(expected, check) {
			return Goal{Check: check}, true
		}
	}
	for _, check := range expected {
		if slices.Contains(o.Violated, check) {
			return Goal{Check: check}, true
		}
	}
	if len(o.Failures) > 0 {
		return goalOf(o.Failures[0]), true
	}
	return Goal{}, false
}
