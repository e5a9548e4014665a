package scenario

import (
	"fmt"
	"strconv"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// stepMax is the virtual time after which a step is given up: twice the longest
// duration that a command can name.
const stepMax = 2 * durationMax

// PerformUnattended executes the script like [Script.Perform], with no presenter.
// It gives up when a step takes too long: a command can take forever, like a
// restart on a stalled disk, and then only closing the cluster ends it.
func (s *Script) PerformUnattended(c *cluster.Inside) []Failure {
	return newRun(c, s.Settings.Seed, nil).executeWithin(s)
}

// executeWithin is execute with a limit for each step.
func (r *run) executeWithin(s *Script) []Failure {
	started := make(chan int, len(s.steps)) // the steps, as they start
	r.onStep = func(i int) { started <- i }
	done := make(chan []Failure, 1)
	r.c.Go(func() { done <- r.execute(s) })
	limit := time.NewTimer(stepMax)
	defer limit.Stop()
	at := 0
	for {
		select {
		case failures := <-done:
			return failures
		case at = <-started:
			limit.Reset(s.steps[at].limit(&s.Settings))
		case <-limit.C:
			step := s.steps[at]
			late := &Failure{Want: fmt.Sprintf("an end within %s", step.limit(&s.Settings)), Got: "still running"}
			return []Failure{s.asFailure(late, step)}
		}
	}
}

// limit returns the virtual time after which the step is given up. An increment
// can be repeated, and each repetition has its own timeout; a soak says how long it takes.
func (s step) limit(settings *trace.Settings) time.Duration {
	c := s.command.within()
	switch {
	case len(c.Args) == 0:
	case c.Verb == "increment":
		if times, err := strconv.Atoi(c.Args[0]); err == nil {
			return stepMax + time.Duration(times)*settings.ClientTimeout
		}
	case c.Verb == "soak":
		if d, err := time.ParseDuration(c.Args[0]); err == nil {
			return stepMax + d
		}
	}
	return stepMax
}
