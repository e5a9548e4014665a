package headless

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// Until is the event at which a run stops.
type Until struct {
	text string
	is   func(*trace.Event, *trace.State) bool
}

// ParseUntil parses an event: its number, a virtual time like 12.5s, the word violation, or words
// of the story.
func ParseUntil(text string) (Until, error) {
	u := Until{text: text}
	number, notNumber := strconv.ParseUint(strings.TrimPrefix(text, "#"), 10, 64)
	at, notTime := time.ParseDuration(text)
	words := strings.ToLower(strings.TrimSpace(text))
	switch {
	case words == "":
		return u, errors.New("--until: needs an event: its number, a time, violation, or words of the story")
	case notNumber == nil && number == 0, notTime == nil && at <= 0, notNumber != nil && notTime != nil && strings.ContainsAny(text[:1], "0123456789#+-."):
		return u, fmt.Errorf("--until %s: events are numbered from 1, and times are like 12.5s", text)
	case notNumber == nil:
		u.is = func(e *trace.Event, _ *trace.State) bool { return e.Seq >= number }
	case notTime == nil:
		u.is = func(e *trace.Event, _ *trace.State) bool { return e.At >= at }
	case words == "violation":
		u.is = func(e *trace.Event, _ *trace.State) bool {
			return e.Kind == trace.KindVerdict && e.Verdict == trace.VerdictViolated
		}
	default:
		u.is = func(e *trace.Event, s *trace.State) bool {
			n := len(s.Story)
			return n > 0 && s.Story[n-1].Seq == e.Seq && strings.Contains(strings.ToLower(s.Story[n-1].Text), words)
		}
	}
	return u, nil
}

// holder is an engine that can stop right after an event.
type holder interface {
	HoldAfter(trace.Position)
	Fingerprint() string
}

// RunUntil runs the script of a batch until an event, and returns the engine, which stands still
// right after it, with the result so far. The caller closes the engine, which ends the trace. If the
// event never comes, the engine is nil, and the result has a failure.
func (b Batch) RunUntil(ctx context.Context, until Until, historyBudget int64) (engine.Engine, Result, error) {
	started, s := time.Now(), b.Scripts[0]
	stop := &stopSink{until: until, reached: make(chan Result, 1)}
	cfg := cluster.Config{Nodes: s.Nodes, Settings: s.Settings, HistoryBudget: historyBudget, Sink: stop}
	if b.Trace != "" {
		var err error
		if cfg.Record, err = recording.Create(b.Trace, header(s.Settings.Seed, b.Exact, s.Nodes)); err != nil {
			return nil, Result{}, scenario.FileError(b.Trace, err)
		}
	}
	e, err := b.Open(cfg, engine.Options{})
	if err != nil {
		if cfg.Record != nil {
			err = errors.Join(err, cfg.Record.Close())
		}
		return nil, Result{}, err
	}
	stop.engine.Store(&e)
	done := make(chan engine.Answer, 1)
	const step = 10 * time.Millisecond
	for waited := time.Duration(0); waited < engine.FirstElection && !stop.isReached(); waited += step {
		if engine.AwaitLeader(e, step) {
			break
		}
	}
	if !stop.isReached() {
		e.Submit(engine.Order{Scenario: s}, func(a engine.Answer) { done <- a })
		e.Run(vtime.Max)
	}
	select {
	case r := <-stop.reached:
		e.Run(0)
		r.Scenario, r.OK, r.Nodes, r.Failures = s.Name, true, s.Nodes, []scenario.Failure{}
		r.Seed, r.Mode, r.WallSeconds = s.Settings.Seed, e.Mode(), time.Since(started).Seconds()
		return e, r, nil
	case a := <-done:
		if err := errors.Join(a.End.Err, e.Close()); err != nil {
			return nil, Result{}, err
		}
		r := resultOf(e, s, a)
		r.Seed, r.Nodes, r.OK, r.WallSeconds = s.Settings.Seed, s.Nodes, false, time.Since(started).Seconds()
		r.Failures = append(r.Failures, scenario.Failure{Text: "--until", Want: until.text, Got: "the end of the run"})
		return nil, r, nil
	case <-ctx.Done():
		return nil, Result{}, errors.Join(ErrInterrupted, e.Close())
	}
}

// stopSink stops an engine at an event.
type stopSink struct {
	until   Until
	engine  atomic.Pointer[engine.Engine]
	reached chan Result // the state right after the event
}

func (s *stopSink) isReached() bool { return len(s.reached) > 0 }

// Start implements [trace.Sink].
func (s *stopSink) Start(*trace.State) {}

// Add implements [trace.Sink].
func (s *stopSink) Add(e *trace.Event, state *trace.State) {
	if s.isReached() || !s.until.is(e, state) {
		return
	}
	var r Result
	if running := s.engine.Load(); running != nil {
		h := (*running).(holder)
		h.HoldAfter(trace.Position{Seq: e.Seq, At: e.At})
		r.Fingerprint = h.Fingerprint()
	}
	r.addState(state, e.At)
	text := string(e.Kind)
	if n := len(state.Story); n > 0 && state.Story[n-1].Seq == e.Seq {
		text = state.Story[n-1].Text
	}
	r.remarks = append(r.remarks, fmt.Sprintf("stopped at event %d, %s: %s", e.Seq, trace.ClockMillis(e.At), text))
	s.reached <- r
}

// AddPacket implements [trace.Sink].
func (s *stopSink) AddPacket(p *trace.Packet, state *trace.State) {
	s.Add(&trace.Event{Seq: state.Seq, At: state.At, Kind: trace.KindPacket, Packet: p}, state)
}
