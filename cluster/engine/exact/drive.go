package exact

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"

	"capsize/cluster/engine"
	"capsize/cluster/engine/exact/wire"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// drive calls the guest until the engine ends.
func (e *Engine) drive() {
	err := e.serve()
	e.mu.Lock()
	if e.err == nil {
		e.err = err
	}
	cause := e.err
	answers, orders := e.answers, e.orders
	e.answers, e.orders = nil, nil
	e.closing, e.over = true, true
	e.moved.Broadcast()
	e.mu.Unlock()
	if cause == nil {
		cause = vtime.ErrClosed
	}
	_ = e.guest.close() // it frees memory, nothing else
	close(e.ended)
	for _, answered := range answers {
		answered(engine.Answer{End: scenario.End{Err: cause}})
	}
	for _, p := range orders {
		p.answered(engine.Answer{End: scenario.End{Err: cause}})
	}
}

// serve gives the guest orders and time, until Close.
func (e *Engine) serve() error {
	for !e.finished {
		if err := e.takeSnapshot(); err != nil {
			return e.died(err)
		}
		e.mu.Lock()
		reached := e.reached
		e.mu.Unlock()
		e.await(reached, 0)
		e.mu.Lock()
		closing, failed := e.closing, e.err
		order, given := e.nextOrder()
		if !given && !closing {
			e.reached = (e.reached/wire.Tick + 1) * wire.Tick
		}
		e.mu.Unlock()
		var err error
		switch {
		case failed != nil:
			return failed
		case closing:
			return nil
		case given:
			err = e.order(order)
		default:
			_, err = e.guest.call(e.guest.tick)
		}
		if err != nil {
			return e.died(err)
		}
	}
	for !e.mustClose() { // the run has ended, and what is left of it can be looked at
		<-e.wake
	}
	return nil
}

func (e *Engine) mustClose() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closing
}

// died says where the guest has ended by itself.
func (e *Engine) died(err error) error {
	var seq uint64
	e.Read(func(s *trace.State) { seq = s.Seq })
	return fmt.Errorf("the exact engine has ended: %w (seed %d, after event %d)", err, e.cfg.Settings.Seed, seq)
}

// nextOrder takes the next order: one to repeat, or a new one. The caller holds e.mu.
func (e *Engine) nextOrder() (pending, bool) {
	if order, ok := e.replay.take(e.reached); ok {
		return pending{order, func(engine.Answer) {}}, true
	}
	if len(e.orders) == 0 {
		return pending{}, false
	}
	next := e.orders[0]
	e.orders = e.orders[1:]
	e.pace.order = max(e.pace.order, e.reached) // this is its moment
	return next, true
}

// order gives the guest an order.
func (e *Engine) order(p pending) error {
	if p.order.Continue || p.order.Answer != nil {
		e.stage.End() // for the presenter, unless it has continued the step itself
	}
	answered := p.answered
	if script := p.order.Scenario; script != nil {
		answered = func(a engine.Answer) {
			script.Locate(a.Failures)
			p.answered(a)
		}
	}
	e.mu.Lock()
	e.lastID++
	id := e.lastID
	e.answers[id], e.ordered = answered, true
	e.mu.Unlock()
	now, err := e.give(e.guest.order, p.order, uint64(id))
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ordered, e.reached = false, time.Duration(now[0])
	e.pace.order = max(e.pace.order, e.reached)
	return nil
}

// give calls a function of the guest that takes a value, and returns its results. The size of the
// value is its last parameter.
func (e *Engine) give(function api.Function, value any, parameters ...uint64) ([]uint64, error) {
	var err error
	if e.given, err = json.Marshal(value); err != nil {
		return nil, err
	}
	return e.guest.call(function, append(parameters, uint64(len(e.given)))...)
}

// input implements host.
func (e *Engine) input() []byte { return e.given }

// event implements host: it takes a line of the trace, once its moment has come.
func (e *Engine) event(line []byte) {
	var event trace.Event
	if err := e.decoder.Decode(line[:len(line)-1], &event); err != nil {
		e.fail("event that cannot be read: " + err.Error())
		return
	}
	if e.await(event.At, event.Seq); e.finished || e.mustClose() {
		return // it is not part of the run
	}
	e.digest.Write(line)
	if event.Kind == trace.KindOrder {
		e.remember(&event)
	}
	if event.Kind == trace.KindPacket {
		e.EmitPacket(event.At, event.Packet)
	} else {
		e.Emit(event)
	}
}

// remember keeps an order, to repeat it in branches.
func (e *Engine) remember(event *trace.Event) {
	one, err := orderIn(event)
	if err != nil {
		e.fail(err.Error())
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.past = append(e.past, one)
}

// await waits until the guest may pass a moment: the end of a tick, with seq 0, or an event.
func (e *Engine) await(at time.Duration, seq uint64) {
	for {
		e.mu.Lock()
		now := time.Now()
		e.pace.reach(at, seq == 0, now)
		held := e.replay.holds(at, seq)
		if held && !e.replay.held {
			e.replay.held = true
			e.pace.freeze(e.replay.holdAt)
		}
		e.moved.Broadcast()
		due := at
		if seq == 0 {
			due++ // a tick begins once it is later than its beginning
		}
		wait, ever := e.pace.until(due, now)
		rushes, ordered := e.closing || e.err != nil || len(e.orders) > 0, e.ordered
		e.mu.Unlock()
		if rushes || (ordered || ever && wait == 0) && !held {
			return
		}
		if !ever || held {
			<-e.wake
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-e.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// signal wakes the goroutine that calls the guest.
func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// answer implements host.
func (e *Engine) answer(id int32, text []byte) {
	var a engine.Answer
	if err := json.Unmarshal(text, &a); err != nil {
		e.fail("answer that cannot be read: " + err.Error())
		return
	}
	e.prompt.Define(a.Names...)
	e.mu.Lock()
	answered := e.answers[id]
	delete(e.answers, id)
	e.mu.Unlock()
	if answered == nil {
		return
	}
	if a.Performed {
		state := e.State()
		a.State, a.Fingerprint = &state, e.Fingerprint()
		e.finish()
	}
	answered(a)
}

// finish ends the run, if it ends with its performance.
func (e *Engine) finish() {
	if e.finished = e.options.Ends; e.finished {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.pace.set(0, time.Now())
		e.over = true
		e.moved.Broadcast()
	}
}

// fail implements host.
func (e *Engine) fail(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = fmt.Errorf("the exact engine cannot go on: %s", text)
	}
}

// speed implements host.
func (e *Engine) speed(speed float64) { e.stage.RequestSpeed(speed) }

// step implements host: the clock stands still at once, so what comes after the step does not
// depend on how long people look at it.
func (e *Engine) step(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stage.Begin(text)
	e.pause()
}

// ask implements host, like step.
func (e *Engine) ask(choices int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stage.Ask(choices)
	e.pause()
}

// pause makes the clock stand still, unless the engine repeats a run. The caller holds e.mu.
func (e *Engine) pause() {
	if !e.replay.isActive() {
		e.pace.set(0, time.Now())
	}
}
