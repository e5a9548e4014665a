package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// Result is what came of a run.
type Result struct {
	Scenario       string            `json:"scenario"`
	OK             bool              `json:"ok"`
	Seed           int64             `json:"seed"`
	VirtualSeconds float64           `json:"virtual_seconds"`
	WallSeconds    float64           `json:"wall_seconds"`
	Nodes          int               `json:"nodes"`
	Events         uint64            `json:"events"`
	Ops            Ops               `json:"ops"`
	Value          int64             `json:"value"`
	Term           uint64            `json:"term"`
	Checks         map[string]string `json:"checks"`
	Failures       []Failure         `json:"failures"`
	Faults         map[string]int    `json:"faults,omitempty"` // of a soak: what chaos did, by kind

	announced []string // the checks that the script expects to be violated
	remarks   []string // of its checks, for people: what is no failure but should be known
}

// Ops counts the operations of clients by outcome.
type Ops struct {
	OK      uint64 `json:"ok"`
	Failed  uint64 `json:"failed"`
	Unknown uint64 `json:"unknown"`
}

// RunRecorded runs a script as fast as it goes, without a screen, and returns all that
// happened too, of which the last event that belongs to the run is the one whose
// number is Result.Events. When ctx ends, so does the run. The error says why it
// could not be started or ended by itself.
func RunRecorded(ctx context.Context, s *Script) (past *history.History, r Result, err error) {
	r, err = headless(ctx, s, watch{past: &past, budget: history.DefaultBudget})
	return past, r, err
}

// firstElection is the virtual time within which a script starts, with a leader
// or without.
const firstElection = 10 * time.Second

// watch is who looks on while something runs without a screen.
type watch struct {
	record *recording.Writer // nil for nobody
	event  func(trace.Event)
	past   **history.History // is given what happens, as far as budget bytes hold it
	budget int64
	clock  *atomic.Pointer[vtime.Clock]
}

// headless is Rehearse with somebody who looks on.
func headless(ctx context.Context, s *Script, w watch) (Result, error) {
	return flatOut(ctx, s.Name, cluster.Config{Nodes: s.Nodes, Settings: s.Settings}, w, func(c *cluster.Cluster) Result {
		// A command can take for ever, like a restart on a disk that stalls.
		begun := make(chan int, len(s.steps)+1)
		next := 0
		c.Trace().Subscribe(func(e trace.Event) {
			if e.Kind == trace.KindCommand && next < len(s.steps) {
				begun <- next
				next++
			}
		})
		done := make(chan []Failure, 1)
		c.Go(func() { done <- newExecution(c, s.Settings.Seed, nowhere{}).run(s) })
		limit := time.NewTimer(stepMax)
		defer limit.Stop()
		at := 0
		for {
			select {
			case failures := <-done:
				return Result{Failures: failures, announced: s.scope.announced}
			case at = <-begun:
				limit.Reset(s.steps[at].longest(&s.Settings))
			case <-limit.C:
				step := s.steps[at]
				return Result{announced: s.scope.announced, Failures: []Failure{{
					Line: step.line, Text: step.text,
					Want: fmt.Sprintf("it to be done within %s", step.longest(&s.Settings)), Got: "it is still under way",
				}}}
			}
		}
	})
}

// stepMax is the virtual time after which a step is given up: twice the longest
// that one can ask for.
const stepMax = 2 * durationMax

// longest returns the virtual time after which the step is given up. Increments
// may be many, and each has its timeout.
func (s step) longest(settings *trace.Settings) time.Duration {
	words := strings.Fields(s.text)
	if len(words) > 1 && words[0] == "increment" {
		if times, err := strconv.Atoi(words[1]); err == nil {
			return stepMax + time.Duration(times)*settings.ClientTimeout
		}
	}
	return stepMax
}

// flatOut opens a cluster, runs f inside of it as fast as it goes, and closes the
// cluster. F returns its failures, and what else it knows; the rest of the result
// is taken at the moment when it returns.
func flatOut(ctx context.Context, name string, cfg cluster.Config, w watch, f func(*cluster.Cluster) Result) (r Result, err error) {
	started := time.Now()
	cfg.Record, cfg.HistoryBudget = w.record, w.budget
	c, err := cluster.Open(cfg)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if w.record != nil {
		// How the nodes are stopped in the end is not part of what happened.
		defer func() { err = errors.Join(err, w.record.Close()) }()
	}
	if w.event != nil {
		c.Trace().Subscribe(w.event)
	}
	if w.past != nil {
		*w.past = c.History()
	}
	if w.clock != nil {
		w.clock.Store(c.Clock())
	}
	c.AwaitLeader(firstElection)
	done := make(chan Result, 1)
	err = c.Clock().Do(func() {
		c.Go(func() {
			r := f(c)
			c.AwaitVerdicts()
			state := c.Trace().State()
			r.judge(verdicts(&state))
			r.VirtualSeconds, r.Events = c.Now().Seconds(), state.Seq
			r.Ops = Ops{OK: state.Clients.OK, Failed: state.Clients.Failed, Unknown: state.Clients.Unknown}
			r.Term, r.Value = highestTerm(&state), committedValue(&state)
			done <- r
		})
	})
	if err != nil {
		return Result{}, err
	}
	c.Clock().Run(vtime.Max)
	select {
	case r = <-done:
	case <-c.Clock().Done():
		return Result{}, c.Clock().Err()
	case <-ctx.Done():
		return Result{}, ErrInterrupted
	}
	r.Scenario, r.OK, r.Seed, r.Nodes = name, len(r.Failures) == 0, cfg.Settings.Seed, cfg.Nodes
	r.WallSeconds = time.Since(started).Seconds()
	r.Failures = append([]Failure{}, r.Failures...)
	return r, nil
}

// ErrInterrupted is the error of a run that whoever started it has ended.
var ErrInterrupted = errors.New("interrupted")

// highestTerm returns the highest term that a node has on its disk.
func highestTerm(s *trace.State) (term uint64) {
	for i := range s.Nodes {
		term = max(term, s.Nodes[i].Term)
	}
	return term
}

// committedValue returns the counter of the node that has applied the most.
func committedValue(s *trace.State) (value int64) {
	applied := uint64(0)
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Process.Running() && n.Applied >= applied {
			applied, value = n.Applied, n.Value
		}
	}
	return value
}

// progressAfter is the real time after which it is said how far a run is, and
// progressEvery how often.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// showProgress writes how far things are to a terminal, over and over in one
// line, until stop is called. Without a terminal (nil) it does nothing.
func showProgress(terminal io.Writer, line func() string) (stop func()) {
	if terminal == nil {
		return func() {}
	}
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		const erase = "\r\x1b[K"
		for wait := progressAfter; ; wait = progressEvery {
			select {
			case <-time.After(wait):
				_, _ = fmt.Fprintf(terminal, "%s%.79s", erase, line())
			case <-stopping:
				if wait != progressAfter {
					_, _ = io.WriteString(terminal, erase)
				}
				return
			}
		}
	}()
	return func() {
		close(stopping)
		<-stopped
	}
}
