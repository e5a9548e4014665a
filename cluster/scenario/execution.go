package scenario

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// SpeedAuto is the speed that slows down by itself when something happens.
const SpeedAuto = -1

// pollEvery is how often, in virtual time, a wait checks its condition.
const pollEvery = 10 * time.Millisecond

// Presenter shows a scenario to an audience. Its methods are called inside virtual
// time.
type Presenter interface {
	// Speed sets the speed of time: virtual seconds per second, vtime.Max or SpeedAuto.
	Speed(float64)
	// Step returns when the presenter continues.
	Step(c *cluster.Inside, text string)
	// Ask returns how many people have picked each of the choices of the question that the trace
	// holds, nil if the question was skipped.
	Ask(c *cluster.Inside, choices int) []int
}

// noPresenter is the presenter of a run without an audience.
type noPresenter struct{}

func (noPresenter) Speed(float64)                  {}
func (noPresenter) Step(*cluster.Inside, string)   {}
func (noPresenter) Ask(*cluster.Inside, int) []int { return nil }

// run is the execution of a script, or of one command of a session, on a cluster.
// It lives inside virtual time.
type run struct {
	c         *cluster.Inside
	presenter Presenter
	rng       *rand.Rand // draws what the script leaves to chance
	names     map[string][]string
	named     []string     // the nodes that the present command has named so far
	nemesis   *Nemesis     // nil while there is no chaos
	onStep    func(int)    // called with the index of each step before it runs; may be nil
	view      *trace.State // the state that a wait looks at, nil outside a wait
	refusal   string       // that expect refused has met, "" for none
	watch     *watch       // of the question that is open, nil for none

	mu     sync.Mutex
	own    trace.Op // its client operation that ended last; guarded by mu
	shared *shared  // with the other commands of a session
	logged *logged  // the command that runs now, in the log of the session
}

// newRun returns a run; presenter may be nil.
func newRun(c *cluster.Inside, seed int64, presenter Presenter) *run {
	if presenter == nil {
		presenter = noPresenter{}
	}
	return &run{c: c, presenter: presenter, rng: rand.New(rand.NewPCG(uint64(seed), 1)), names: map[string][]string{}, shared: &shared{}}
}

// Perform runs the script on a cluster, inside virtual time. The presenter may be
// nil. It returns the failures: see [Script.ExpectedViolations] for the checks.
func (s *Script) Perform(c *cluster.Inside, presenter Presenter) []Failure {
	return newRun(c, s.Settings.Seed, presenter).execute(s)
}

// execute runs the steps of a script and returns its failures, with a failure for
// each check that is not ok and has no `expect violation`. It continues after an
// expectation that does not hold. It stops after a command that cannot be carried
// out and after a wait that runs out of time.
func (r *run) execute(s *Script) []Failure {
	var failures []Failure
	for i, step := range s.steps {
		if r.c.Closed() {
			break
		}
		r.named = nil
		if r.onStep != nil {
			r.onStep(i)
		}
		r.c.Note(trace.KindCommand, "", step.command.Text)
		r.logged = r.shared.begin(r.c, step.command, true)
		err := step.do(r)
		r.shared.end(r.c, r.logged, err)
		if err != nil && !IsTried(err) {
			failures = append(failures, s.asFailures(err, step)...)
			if !step.isExpectation {
				break
			}
		}
	}
	r.endWatch()
	r.endUnattended(s)
	return append(failures, unexpectedVerdicts(r.verdicts(), s.scope.expectedViolations)...)
}

// endUnattended stops the load and the chaos that a script has left running. It logs that in
// the session, for the commands that follow the script.
func (r *run) endUnattended(s *Script) {
	stop := func(command string) { r.shared.end(r.c, r.shared.begin(r.c, SplitCommand(command), true), nil) }
	if r.nemesis != nil {
		stop("chaos off")
	}
	if slices.ContainsFunc(s.steps, func(s step) bool { return s.command.within().Verb == "load" }) {
		stop("load off")
	}
	r.stopNemesis()
	r.c.StopLoad()
}

// state returns the present state, which the caller must not change.
func (r *run) state() *trace.State {
	if r.view != nil {
		return r.view
	}
	state := r.c.Trace().State()
	return &state
}

func (r *run) sleep(d time.Duration) { r.c.Sleep(d) }

// setLast records a client operation that has ended.
func (r *run) setLast(op trace.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own = op
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	r.shared.last = op
}

// ownOp returns the run's client operation that ended last, or a pending one if none has
// ended.
func (r *run) ownOp() trace.Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.own
}

// lastOp returns the session's client operation that ended last, or a pending one if none
// has ended.
func (r *run) lastOp() trace.Op {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	return r.shared.last
}

// wait waits until a condition holds, for at most limit. The error is a [*Failure] that
// says what holds instead. A condition on verdicts waits for the checks first.
func (r *run) wait(limit time.Duration, until waitCondition, onVerdicts bool) error {
	instead := ""
	for deadline := r.c.Now() + limit; ; r.sleep(pollEvery) {
		if onVerdicts {
			r.c.AwaitVerdicts()
		}
		r.c.Trace().Read(func(s *trace.State) {
			r.view = s // Read holds the lock that a copy of the state would need
			instead = until(r, s)
			r.view = nil
		})
		if instead == "" {
			return nil
		}
		if r.c.Now() >= deadline || r.c.Closed() {
			return &Failure{Got: instead}
		}
	}
}

// failWanting completes the failure of a wait.
func failWanting(want string, err error) error {
	var f *Failure
	if errors.As(err, &f) {
		f.Want = want
	}
	return err
}
