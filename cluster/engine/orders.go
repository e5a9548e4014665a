package engine

import (
	"errors"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Submit starts an order.
func (n *Native) Submit(order Order, answered func(Answer)) {
	var once sync.Once
	ended := make(chan struct{})
	answer := func(a Answer) { once.Do(func() { close(ended); answered(a) }) }
	defer n.answerAtEnd(ended, answer)
	switch {
	case order.Scenario != nil && n.mode == ProcessesMode && order.Scenario.CheckRealTime() != nil:
		answer(n.now(Answer{End: scenario.End{Err: order.Scenario.CheckRealTime()}}))
	case order.Scenario != nil:
		n.perform(answer, func(c *cluster.Inside) ([]scenario.Failure, map[string]int) {
			return n.session.Perform(c, order.Scenario)
		})
	case order.Continue:
		if n.stage.End() {
			n.resume()
		}
		answer(n.now(Answer{}))
	case order.Answer != nil:
		if !n.stage.EndQuestion(*order.Answer) {
			answer(n.now(Answer{End: scenario.End{Err: ErrNoQuestion}}))
			return
		}
		n.resume()
		answer(n.now(Answer{}))
	case order.EndSoak:
		n.session.EndSoak()
		answer(n.now(Answer{}))
	case order.Save:
		answer(n.now(Answer{Text: n.session.Save(n.nodes, n.State().Checks)}))
	case order.Conclude != nil:
		n.conclude(*order.Conclude, answer)
	default:
		n.start(order.Line, answer)
	}
}

// answerAtEnd answers an order when the cluster ends before the order does.
func (n *Native) answerAtEnd(ended <-chan struct{}, answer func(Answer)) {
	select {
	case <-ended:
		return // as a rule, and without another goroutine
	default:
	}
	go func() {
		select {
		case <-ended:
		case <-n.Done():
			answer(Answer{End: scenario.End{Err: errors.Join(vtime.ErrClosed, n.Err())}})
		}
	}()
}

// now adds the present moment to an answer.
func (n *Native) now(a Answer) Answer {
	n.Read(func(s *trace.State) { a.End.At, a.End.Seq = max(s.At, n.Now()), s.Seq })
	return a
}

// start starts a line of the command language.
func (n *Native) start(text string, answer func(Answer)) {
	line, err := n.session.Parse(text)
	if err != nil {
		answer(n.now(Answer{End: scenario.End{Err: err}}))
		return
	}
	n.session.Start(line, func(end scenario.End) { answer(Answer{End: end, Names: n.session.Names()}) })
}

// perform runs f inside the cluster, and answers with what it returns. If the cluster ends first,
// the answer is why.
func (n *Native) perform(answer func(Answer), f func(*cluster.Inside) ([]scenario.Failure, map[string]int)) {
	err := n.cluster.Go(func(c *cluster.Inside) {
		failures, faults := f(c)
		if c.Closed() {
			answer(Answer{End: scenario.End{Err: vtime.ErrClosed}})
			return
		}
		c.AwaitVerdicts()
		state := c.Trace().State()
		state.At = max(state.At, c.Now())
		answer(Answer{
			End:      scenario.End{At: c.Now(), Seq: state.Seq},
			Failures: failures, Faults: faults, Performed: true, State: &state, Names: n.session.Names(),
		})
	})
	if err != nil {
		answer(Answer{End: scenario.End{Err: errors.Join(err, n.Err())}})
	}
}

// conclude ends the session.
func (n *Native) conclude(limit time.Duration, answer func(Answer)) {
	go func() {
		if limit > 0 {
			n.session.Finish(limit)
		}
		answer(n.now(Answer{Failures: n.session.Violations()}))
	}()
}
