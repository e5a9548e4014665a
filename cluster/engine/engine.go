package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Engine runs a cluster, or shows what one did. Its methods may be called from any goroutine
// outside of the cluster. Submit, Advance, Branch and Close may wait for the cluster, so the screen
// calls them from goroutines of its own.
type Engine interface {
	// Mode is how the engine runs a cluster.
	Mode() Mode
	// Submit starts an order: what it sets off at once has happened, or happens before time goes
	// on. It calls answered once, when the order has ended or the engine has.
	Submit(order Order, answered func(Answer))
	// Prompt parses and completes the lines that Submit takes.
	Prompt() *scenario.Prompt
	// Stage is where scenarios ask their presenter for a speed, or to wait.
	Stage() *Stage
	// Branch returns a new engine that continues from a moment of this one's past. The clock
	// of the new engine stands still. The error says why there is no way on from there.
	Branch(at trace.Position) (Engine, error)

	Events
	Clock

	// Close ends the cluster. The error says what did not end well.
	Close() error
	// Remark is worth telling the user after Close, "" for nothing.
	Remark() string
}

// Events is what happens in a cluster, and the state it adds up to.
type Events interface {
	// CopyTo copies the present state, reusing the memory of the copy.
	CopyTo(*trace.State)
	// Read calls f with the present state: see [trace.Stream.Read].
	Read(f func(*trace.State))
	// Subscribe makes the engine call f with every later event: see [trace.Stream.Subscribe].
	Subscribe(f func(trace.Event))
	// AddSink passes the present state and every later event to a sink.
	AddSink(trace.Sink)
	// History returns the events so far, nil if none are kept.
	History() *history.History
}

// Clock is the virtual time of a cluster.
type Clock interface {
	// Now returns the virtual time since the start of the cluster.
	Now() time.Duration
	// Run makes time pass at a speed, in virtual seconds per second: see [vtime.Clock.Run].
	Run(speed float64)
	// Speed returns the speed, 0 while the clock stands still.
	Speed() float64
	// Advance lets time pass as fast as possible, and returns when it has.
	Advance(time.Duration) error
	// Done is closed when the engine has ended, by Close or by itself; Err says why.
	Done() <-chan struct{}
	Err() error
}

// Mode is how an engine runs a cluster, as --json names it.
type Mode string

// The modes.
const (
	NativeMode    Mode = "native"
	ExactMode     Mode = "exact"
	RecordingMode Mode = "recording"
	ProcessesMode Mode = "processes"
)

// ErrRecorded is the error of an order to a recording.
var ErrRecorded = errors.New("this is a recording: nothing in it can change")

// ErrNoQuestion is the error of an answer while no question waits.
var ErrNoQuestion = errors.New("no question waits for an answer")

// Order is something for the cluster to do. Exactly one field is set.
type Order struct {
	Line     string           `json:"line,omitempty"`     // of the command language
	Scenario *scenario.Script `json:"scenario,omitempty"` // to perform
	Continue bool             `json:"continue,omitempty"` // with what comes after the step or question that waits: a question is skipped
	Answer   *Votes           `json:"answer,omitempty"`   // to the question that waits
	EndSoak  bool             `json:"endsoak,omitempty"`  // heal, and judge at once
	Save     bool             `json:"save,omitempty"`     // write the orders so far as a scenario
	// Conclude ends the session: load and chaos stop, and commands that run async get as much
	// virtual time to end; with 0 everything stays as it is. The answer has the violated checks.
	Conclude *time.Duration `json:"conclude,omitempty"`
}

// Votes is how many people have picked each choice of a question. One person is a single vote.
type Votes []int

// Answer is what came of an order.
type Answer struct {
	End       scenario.End       `json:"end"`
	Failures  []scenario.Failure `json:"failures,omitempty"`  // of what the order performed
	Faults    map[string]int     `json:"faults,omitempty"`    // that a soak injected, by kind
	Text      string             `json:"text,omitempty"`      // the saved session
	Names     []string           `json:"names,omitempty"`     // that the session knows
	Performed bool               `json:"performed,omitempty"` // a scenario has ended
	// State is the state of the cluster right after a performance, nil for other orders.
	State *trace.State `json:"-"`
	// Fingerprint identifies the events up to then, if the engine is exact: equal ones mean equal
	// runs.
	Fingerprint string `json:"-"`
}

// Opener starts a cluster. Its clock stands still.
type Opener func(cluster.Config, Options) (Engine, error)

// Options is how an engine starts, beside the cluster's own configuration.
type Options struct {
	// Attended makes the steps of a scenario wait for a presenter. Without it they continue,
	// and a step that takes too long is given up.
	Attended bool
	// Ends makes the run of an exact engine end with what it performs, so that its events are
	// the same in every run.
	Ends bool
}

// FirstElection is how much virtual time the first election of a cluster gets before the
// cluster is shown, or its scenario starts, without a leader.
const FirstElection = 10 * time.Second

// AwaitLeader advances the clock at full speed until the cluster has a leader, for at most limit
// of virtual time, and reports whether it has one.
func AwaitLeader(e Engine, limit time.Duration) bool {
	const step = 10 * time.Millisecond
	for range limit / step {
		found := false
		e.Read(func(s *trace.State) { found = s.LeaderNode() != nil && s.HasLeader() })
		if found {
			return true
		}
		if e.Advance(step) != nil {
			return false
		}
	}
	return false
}

// CloseWithin is [Engine.Close] with a limit in real time. After an error, the cluster may still
// be shutting down.
func CloseWithin(e Engine, limit time.Duration) error {
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(limit):
		return fmt.Errorf("cluster did not shut down within %s", limit)
	}
}

// JoinClose adds the error of Close to that of what came before. Of an engine that has ended by
// itself both are the same, and once is enough.
func JoinClose(err, closed error) error {
	if err != nil && closed != nil && strings.Contains(err.Error(), closed.Error()) {
		return err
	}
	return errors.Join(err, closed)
}

// Do submits an order and waits for its answer.
func Do(e Engine, order Order) Answer {
	done := make(chan Answer, 1)
	e.Submit(order, func(a Answer) { done <- a })
	return <-done
}
