package exact

import (
	"slices"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Branch returns an engine that has done the same up to a moment, and stands still there. Left
// alone it repeats what came after, orders included. The first new order begins another future.
func (e *Engine) Branch(at trace.Position) (engine.Engine, error) {
	e.mu.Lock()
	past := replay{orders: slices.Clone(e.past), hold: at.Seq, holdAt: at.At}
	e.mu.Unlock()
	cfg := e.cfg
	cfg.Record = nil
	b, err := open(e.program, cfg, e.options, past)
	if err != nil {
		return nil, err
	}
	b.runToHold()
	return b, b.awaitHold()
}

// runToHold lets time pass as fast as possible until the moment at which to hold.
func (e *Engine) runToHold() {
	e.mu.Lock()
	e.pace.set(vtime.Max, time.Now())
	e.mu.Unlock()
	e.signal()
}

// awaitHold waits until the engine stands still at the moment at which it is to hold.
func (e *Engine) awaitHold() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.replay.held && !e.over {
		e.moved.Wait()
	}
	return e.err
}
