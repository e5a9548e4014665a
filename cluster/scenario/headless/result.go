package headless

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Result is the outcome of a run. Its JSON form is part of the command line.
type Result struct {
	Scenario    string `json:"scenario"`
	OK          bool   `json:"ok"`
	Interrupted bool   `json:"interrupted,omitempty"` // ended before its time; OK is false then
	Identity
	VirtualSeconds float64            `json:"virtual_seconds"`
	WallSeconds    float64            `json:"wall_seconds"`
	Nodes          int                `json:"nodes"`
	Events         uint64             `json:"events"`
	Ops            Ops                `json:"ops"`
	Value          int64              `json:"value"`
	Term           uint64             `json:"term"`
	Checks         map[string]string  `json:"checks"`
	Failures       []scenario.Failure `json:"failures"`
	Faults         map[string]int     `json:"faults,omitzero"` // of soaks: injected faults by kind

	asides
}

// Identity says which run it was: with a fingerprint, it can be repeated exactly.
type Identity struct {
	Mode        engine.Mode `json:"mode"`
	Seed        int64       `json:"seed"`
	Fingerprint string      `json:"fingerprint,omitempty"` // of the trace
	*Share                  // of a soak with many seeds, otherwise nil
}

// Share says to which soak with many seeds a run belongs, so that shards can be merged.
type Share struct {
	Seeds   string `json:"seeds"`           // the whole range
	Shard   string `json:"shard"`           // of it
	Script  string `json:"script"`          // what each seed ran
	Version string `json:"version"`         // of the exact engine, or of the program
	Found   string `json:"found,omitempty"` // the scenario that keeps a failing run
}

// addFound notes the scenario that keeps the run.
func (r *Result) addFound(name string) {
	if r.Share != nil {
		share := *r.Share
		share.Found = name
		r.Share = &share
	}
}

// asides are what a run says besides its failures.
type asides struct {
	Questions []Question `json:"questions,omitempty"` // that were judged

	expected []string // the checks that the script expects to be violated
	remarks  []string // worth knowing, but not a failure
}

// Ops counts the operations of clients by outcome.
type Ops struct {
	OK      uint64 `json:"ok"`
	Failed  uint64 `json:"failed"`
	Unknown uint64 `json:"unknown"`
}

// Question is a question of a scenario that has been judged.
type Question struct {
	Line    int      `json:"line"` // of its ask
	Text    string   `json:"text"`
	Choices []string `json:"choices"`
	True    []int    `json:"true"` // the choices that came true, counted from 1
}

// questionOf returns a question that has been judged.
func questionOf(s *scenario.Script, q *trace.Question) Question {
	one := Question{Line: s.QuestionLine(q.Number), Text: q.Text, Choices: []string{}, True: []int{}} // never null in JSON
	for _, c := range q.Choices {
		one.Choices = append(one.Choices, c.Text)
	}
	for _, i := range q.True() {
		one.True = append(one.True, i+1)
	}
	return one
}

func (o Ops) String() string {
	text := fmt.Sprintf("%d ok", o.OK)
	if o.Failed > 0 {
		text += fmt.Sprintf(", %d failed", o.Failed)
	}
	if o.Unknown > 0 {
		text += fmt.Sprintf(", %d unknown", o.Unknown)
	}
	return text
}

// resultOf returns the result of a script that has been performed, except what the caller knows.
func resultOf(e engine.Engine, s *scenario.Script, a engine.Answer) Result {
	r := Result{
		Scenario: s.Name, OK: len(a.Failures) == 0, Faults: a.Faults,
		Identity: Identity{Mode: e.Mode(), Fingerprint: a.Fingerprint},
		Failures: append([]scenario.Failure{}, a.Failures...), // never null in JSON
		asides:   asides{expected: s.ExpectedViolations()},
	}
	r.addState(a.State, a.End.At)
	return r
}

// addState adds a state of the cluster and its time, and the verdicts on everything until then.
func (r *Result) addState(state *trace.State, at time.Duration) {
	r.addVerdicts(scenario.Verdicts(state))
	r.VirtualSeconds, r.Events = at.Seconds(), state.Seq
	r.Ops = Ops{OK: state.Clients.OK, Failed: state.Clients.Failed, Unknown: state.Clients.Unknown}
	r.Term, r.Value = scenario.HighestTerm(state), committedValue(state)
}

// addVerdicts adds the verdicts. Expected violations become a remark; any other verdict
// except ok is already a failure.
func (r *Result) addVerdicts(checks []trace.Check) {
	r.Checks = map[string]string{}
	var expected []string
	for _, c := range checks {
		r.Checks[c.Name] = string(c.Verdict)
		if c.Verdict == trace.VerdictViolated && slices.Contains(r.expected, c.Name) {
			expected = append(expected, c.Name)
		}
	}
	if len(expected) > 0 {
		r.remarks = append(r.remarks, "violated as expected: "+strings.Join(expected, ", "))
	}
}

// committedValue returns the counter of the running node that has applied most.
func committedValue(s *trace.State) (value int64) {
	applied := uint64(0)
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Process.Running() && n.Applied >= applied {
			applied, value = n.Applied, n.Value
		}
	}
	return value
}

// AllOK reports whether every run did what its scenario expects.
func AllOK(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return !r.OK })
}
