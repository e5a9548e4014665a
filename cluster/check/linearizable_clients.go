package check

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"

	"github.com/anishathalye/porcupine"
)

// clientHistory is the clients' history alone, without any other evidence, since the
// last moment at which it determines the counter.
type clientHistory struct {
	start        counterState
	unknown      []*operation // older increments that may still count, earliest first
	checkpointed []*operation // later ones that were checked with evidence
	forgotten    bool         // there were too many of those
	stepsMax     int          // bounds each run of porcupine
	steps        int          // of all runs so far, those with evidence included
}

// checkpointedMax bounds how many operations are kept to be checked again.
const checkpointedMax = 1 << 17

// checkpoint follows a checkpoint of the history: value is the counter according to
// the evidence, top the highest value that a client got.
func (c *clientHistory) checkpoint(done, rest []*operation, value int64, top maxValue) {
	c.checkpointed = append(c.checkpointed, done...)
	unknown := c.unknownIncrements(rest)
	switch {
	case len(unknown) == 0:
		*c = clientHistory{start: counterState{value: value, known: true}, stepsMax: c.stepsMax, steps: c.steps}
	case c.forgotten:
	case top.isLast && c.start.known && onlyGrows(c.checkpointed) && sameDelta(unknown):
		c.advance(unknown, top.value)
	}
	if len(c.checkpointed) > checkpointedMax {
		c.checkpointed, c.forgotten = nil, true
	}
}

// unknownIncrements returns the increments that may or may not count, earliest first.
func (c *clientHistory) unknownIncrements(rest []*operation) []*operation {
	var unknown []*operation
	for _, list := range [][]*operation{c.unknown, c.checkpointed, rest} {
		for _, o := range list {
			if o.mayTakeEffect() && !o.consumed {
				unknown = append(unknown, o)
			}
		}
	}
	slices.SortFunc(unknown, func(a, b *operation) int { return int(a.call - b.call) })
	return unknown
}

// sameDelta reports whether increments all have the same positive delta.
func sameDelta(increments []*operation) bool {
	delta := increments[0].delta()
	return delta > 0 && !slices.ContainsFunc(increments, func(o *operation) bool { return o.delta() != delta })
}

// advance moves the start to a checkpoint. As the counter only grew, its value shows
// how many of the unknown increments have counted, and as these are alike, they may as
// well have been the earliest.
func (c *clientHistory) advance(unknown []*operation, value int64) {
	sum := c.start.value
	for _, o := range c.checkpointed {
		if o.answered {
			sum += o.delta()
		}
	}
	delta := unknown[0].delta()
	used := (value - sum) / delta
	if value < sum || (value-sum)%delta != 0 || used > int64(len(unknown)) {
		return
	}
	for _, o := range unknown[:used] {
		o.consumed = true
	}
	var left []*operation
	for _, o := range append(c.unknown, c.checkpointed...) {
		if o.mayTakeEffect() && !o.consumed {
			left = append(left, o)
		}
	}
	slices.SortFunc(left, func(a, b *operation) int { return int(a.call - b.call) })
	c.start, c.unknown, c.checkpointed = counterState{value: value, known: true}, left, nil
}

// run runs porcupine over the operations up to an event, those of unknown outcome
// included: an operation that returns later is still in flight.
func (c *clientHistory) run(operations []*operation, upTo int64) porcupine.CheckResult {
	var answered, open []*porcupineOp
	var unknown []*operation
	for _, o := range operations {
		switch {
		case o.call > upTo || o.consumed:
		case o.answered && o.ret <= upTo:
			answered = append(answered, o.toModel())
		case o.op.Kind == trace.EntryAdd && !o.noEffect:
			unknown = append(unknown, o)
			open = append(open, &porcupineOp{delta: o.delta(), call: o.call, ret: noReturn})
		}
	}
	if len(unknown) == 0 || !sameDelta(unknown) || slices.ContainsFunc(answered, func(op *porcupineOp) bool { return op.delta < 0 }) {
		return c.search(counterModel(c.start), append(answered, open...))
	}
	calls := make([]int64, len(unknown))
	for i, o := range unknown {
		calls[i] = o.call
	}
	slices.Sort(calls)
	return c.search(poolModel(c.start, unknown[0].delta(), calls), answered)
}

// search runs porcupine and counts its steps.
func (c *clientHistory) search(model porcupine.Model, ops []*porcupineOp) porcupine.CheckResult {
	result, steps := runPorcupine(model, ops, c.stepsMax)
	c.steps += steps
	return result
}

// clientsVerdict returns the verdict on the clients' history alone.
func (h *opHistory) clientsVerdict() trace.Event {
	c := &h.clients
	undecided := func(format string, args ...any) trace.Event {
		return trace.Event{Verdict: trace.VerdictUndecided, Text: fmt.Sprintf(format, args...), Count: h.checkpointed}
	}
	all := slices.Concat(c.unknown, c.checkpointed, h.open)
	slices.SortFunc(all, func(a, b *operation) int { return int(a.call - b.call) })
	switch {
	case c.forgotten:
		return undecided("no order explains the results if the committed log is right, and the history is too long to be checked without it")
	case h.startsMidRun:
		return undecided("no order explains the results, but operations in flight before the trace began may")
	}
	switch c.run(all, noReturn) {
	case porcupine.Ok:
		return trace.Event{}
	case porcupine.Unknown:
		return undecided("no order found within %d steps: %d operations have an unknown outcome", c.stepsMax, len(c.unknownIncrements(h.open)))
	case porcupine.Illegal:
	}
	return h.blame(all)
}

// blame finds the operation with whose result the history stops having an order.
func (h *opHistory) blame(all []*operation) trace.Event {
	var answered []*operation
	for _, o := range all {
		if o.answered {
			answered = append(answered, o)
		}
	}
	slices.SortFunc(answered, func(a, b *operation) int { return int(a.ret - b.ret) })
	i, _ := slices.BinarySearchFunc(answered, porcupine.Illegal, func(o *operation, _ porcupine.CheckResult) int {
		if h.clients.run(all, o.ret) == porcupine.Illegal {
			return 0
		}
		return -1
	})
	culprit := answered[min(i, len(answered)-1)]
	e := trace.Event{Verdict: trace.VerdictViolated, Count: h.checkpointed + uint64(i), Proof: []uint64{uint64(culprit.ret)}}
	e.Text = culprit.sentence() + " at " + trace.Seconds(culprit.op.Returned)
	// The best witness is the highest value returned before the culprit was even invoked.
	var witness *operation
	for _, o := range append([]*operation{h.highest}, answered[:i]...) {
		if o != nil && o.ret < culprit.call && (witness == nil || o.op.Value > witness.op.Value) {
			witness = o
		}
	}
	if witness == nil || culprit.op.Value-culprit.delta() >= witness.op.Value || !onlyGrows(all) {
		e.Text += ": no order of the operations explains that"
		return e
	}
	e.Text, e.Proof = culprit.stale(witness)
	return e
}

// sentence describes an operation's result.
func (o *operation) sentence() string {
	if o.op.Kind == trace.EntryAdd {
		return fmt.Sprintf("%s's %+d returned %d from %s", o.op.Client, o.op.Delta, o.op.Value, o.op.Node)
	}
	return fmt.Sprintf("%s read %d from %s", o.op.Client, o.op.Value, o.op.Node)
}
