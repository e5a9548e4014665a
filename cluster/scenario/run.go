package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// SpeedAuto is the speed that slows down by itself where something happens.
const SpeedAuto = -1

// pollEvery is how often a wait looks at the state, in virtual time.
const pollEvery = 10 * time.Millisecond

// Presenter is where a scenario is shown.
type Presenter interface {
	// Speed sets how fast time runs: virtual seconds per second, vtime.Max or SpeedAuto.
	Speed(float64)
	// Step waits until whoever presents wants to go on.
	Step(c *cluster.Inside, text string)
}

// nowhere is the stage of a run that nobody watches.
type nowhere struct{}

func (nowhere) Speed(float64)                {}
func (nowhere) Step(*cluster.Inside, string) {}

// execution is a script being carried out on a cluster, inside virtual time.
type execution struct {
	c       *cluster.Inside
	stage   Presenter
	rng     *rand.Rand // what the script itself draws
	names   map[string][]string
	named   []string     // the nodes that the present command has named
	nemesis *Nemesis     // nil while there is none
	onStep  func(int)    // called with the index of each step before it runs; may be nil
	view    *trace.State // the state that a wait looks at, nil otherwise

	mu   sync.Mutex
	last trace.Op // the operation that ended last; guarded by mu
}

func newExecution(c *cluster.Inside, seed int64, stage Presenter) *execution {
	return &execution{c: c, stage: stage, rng: rand.New(rand.NewPCG(uint64(seed), 1)), names: map[string][]string{}}
}

// state returns the present state, not to be changed.
func (x *execution) state() *trace.State {
	if x.view != nil {
		return x.view
	}
	state := x.c.Trace().State()
	return &state
}

func (x *execution) sleep(d time.Duration) { x.c.Sleep(d) }

// end notes the outcome of an operation.
func (x *execution) end(op trace.Op) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last = op
}

func (x *execution) lastOp() trace.Op {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last
}

// wait waits until a condition holds, for at most within.
func (x *execution) wait(what string, within time.Duration, until condition) error {
	instead := ""
	for deadline := x.c.Now() + within; ; x.sleep(pollEvery) {
		x.c.Trace().Read(func(s *trace.State) {
			x.view = s // the log is locked: nobody may ask it for a copy now
			instead = until(x, s)
			x.view = nil
		})
		if instead == "" {
			return nil
		}
		if x.c.Now() >= deadline || x.c.Closed() {
			return &Failure{Want: fmt.Sprintf("%s within %s", what, within), Got: instead}
		}
	}
}

// run carries out the steps of a script, and returns what did not hold, which
// checks are violated that it does not announce included. It goes on after an
// expectation that does not hold, and ends after a command that cannot be carried
// out or a wait that was in vain.
func (x *execution) run(s *Script) []Failure {
	var failures []Failure
	for i, step := range s.steps {
		if x.c.Closed() {
			break
		}
		x.named = nil
		if x.onStep != nil {
			x.onStep(i)
		}
		x.c.Note(trace.KindCommand, "", step.text)
		err := step.do(x)
		if err == nil {
			continue
		}
		failure := asFailure(err, step)
		failures = append(failures, failure)
		if !step.expects {
			break
		}
	}
	x.stopNemesis()
	x.c.StopLoad()
	return append(failures, unexpectedViolations(x.verdicts(), s.scope.announced)...)
}

func asFailure(err error, s step) Failure {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Want: "it to be done", Got: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return Failure{Line: s.line, Text: s.text, Want: f.Want, Got: f.Got}
}

// problems are errors that are told together, in one line.
type problems []error

func (p *problems) add(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

// err returns the problems, nil if there are none.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p problems) Unwrap() []error { return p }

func (p problems) Error() string {
	texts := make([]string, len(p))
	for i, err := range p {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}
