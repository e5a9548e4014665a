package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

// clientHistory is the clients' history alone, without any evidence from elsewhere, since
// the last moment at which it leaves no doubt what the counter was.
type clientHistory struct {
	start        counterState
	unknown      []*operation // older ones that may yet count, earliest first
	checkpointed []*operation // those since that were judged with evidence and cut off
	forgotten    bool         // there were too many of them
	timeout      time.Duration
}

// checkpointedMax is how many operations are remembered to be judged again.
const checkpointedMax = 1 << 17

// checkpoint notes that the history was cut: value is what the counter is with the
// evidence, last what the clients were told.
func (p *clientHistory) checkpoint(judged, rest []*operation, value int64, last maxValue) {
	p.checkpointed = append(p.checkpointed, judged...)
	unsure := p.unknownIncrements(rest)
	switch {
	case len(unsure) == 0:
		*p = clientHistory{start: counterState{value: value, known: true}, timeout: p.timeout}
	case p.forgotten:
	case last.isLast && p.start.known && onlyGrows(p.checkpointed) && sameDelta(unsure):
		p.advance(unsure, last.value)
	}
	if len(p.checkpointed) > checkpointedMax {
		p.checkpointed, p.forgotten = nil, true
	}
}

// unknownIncrements returns the increments that may count or not, earliest first.
func (p *clientHistory) unknownIncrements(rest []*operation) []*operation {
	var unsure []*operation
	for _, list := range [][]*operation{p.unknown, p.checkpointed, rest} {
		for _, o := range list {
			if o.mayTakeEffect() && !o.consumed {
				unsure = append(unsure, o)
			}
		}
	}
	slices.SortFunc(unsure, func(a, b *operation) int { return int(a.call - b.call) })
	return unsure
}

// sameDelta says whether increments are of the same positive delta.
func sameDelta(unsure []*operation) bool {
	delta := unsure[0].delta()
	return delta > 0 && !slices.ContainsFunc(unsure, func(o *operation) bool { return o.delta() != delta })
}

// advance makes a cut the start: as the counter only grew, the last value says how
// many of the increments in doubt have counted, and as those are alike, it may as
// well have been the earliest.
func (p *clientHistory) advance(unsure []*operation, value int64) {
	sum := p.start.value
	for _, o := range p.checkpointed {
		if o.answered {
			sum += o.delta()
		}
	}
	delta := unsure[0].delta()
	used := (value - sum) / delta
	if value < sum || (value-sum)%delta != 0 || used > int64(len(unsure)) {
		return
	}
	for _, o := range unsure[:used] {
		o.consumed = true
	}
	left := func(o *operation) bool { return o.mayTakeEffect() && !o.consumed }
	var pool []*operation
	for _, o := range append(p.unknown, p.checkpointed...) {
		if left(o) {
			pool = append(pool, o)
		}
	}
	slices.SortFunc(pool, func(a, b *operation) int { return int(a.call - b.call) })
	p.start, p.unknown, p.checkpointed = counterState{value: value, known: true}, pool, nil
}

// run has porcupine judge operations, those that may count or not among them,
// as far as they go up to an event: what ends later is under way still.
func (p *clientHistory) run(operations []*operation, upTo int64) porcupine.CheckResult {
	var told, open []*porcupineOp
	var unsure []*operation
	for _, o := range operations {
		switch {
		case o.call > upTo || o.consumed:
		case o.answered && o.ret <= upTo:
			told = append(told, o.toModel())
		case o.op.Kind == trace.EntryAdd && !o.noEffect:
			unsure = append(unsure, o)
			open = append(open, &porcupineOp{delta: o.delta(), call: o.call, ret: noReturn})
		}
	}
	if len(unsure) == 0 || !sameDelta(unsure) || slices.ContainsFunc(told, func(a *porcupineOp) bool { return a.delta < 0 }) {
		return runPorcupine(counterModel(p.start), append(told, open...), p.timeout)
	}
	calls := make([]int64, len(unsure))
	for i, o := range unsure {
		calls[i] = o.call
	}
	slices.Sort(calls)
	return runPorcupine(poolModel(p.start, unsure[0].delta(), calls), told, p.timeout)
}

// clientsVerdict judges the clients' history alone.
func (h *opHistory) clientsVerdict() trace.Event {
	p := &h.clients
	undecided := func(format string, args ...any) trace.Event {
		return trace.Event{Verdict: trace.VerdictUndecided, Text: fmt.Sprintf(format, args...), Count: h.checkpointed}
	}
	all := slices.Concat(p.unknown, p.checkpointed, h.open)
	slices.SortFunc(all, func(a, b *operation) int { return int(a.call - b.call) })
	switch {
	case p.forgotten:
		return undecided("no order fits the evidence about operations of unknown outcome, and the history is too long to judge without it")
	case h.startsMidRun:
		return undecided("no order explains the replies, but operations pending before the history starts are unknown")
	}
	switch p.run(all, noReturn) {
	case porcupine.Ok:
		return trace.Event{}
	case porcupine.Unknown:
		return undecided("%d operations have an unknown outcome, and no order that explains the replies was found within %s", len(p.unknownIncrements(h.open)), p.timeout)
	case porcupine.Illegal:
	}
	return h.blame(all)
}

// blame finds the operation from whose answer on no order explains the history.
func (h *opHistory) blame(all []*operation) trace.Event {
	var told []*operation
	for _, o := range all {
		if o.answered {
			told = append(told, o)
		}
	}
	slices.SortFunc(told, func(a, b *operation) int { return int(a.ret - b.ret) })
	i, _ := slices.BinarySearchFunc(told, porcupine.Illegal, func(o *operation, _ porcupine.CheckResult) int {
		if h.clients.run(all, o.ret) == porcupine.Illegal {
			return 0
		}
		return -1
	})
	guilty := told[min(i, len(told)-1)]
	e := trace.Event{Verdict: trace.VerdictViolated, Count: h.checkpointed + uint64(i), Proof: []uint64{uint64(guilty.ret)}}
	e.Text = guilty.sentence()
	// Whoever was told more before it was even called.
	var witness *operation
	for _, o := range append([]*operation{h.highest}, told[:i]...) {
		if o != nil && o.ret < guilty.call && (witness == nil || o.op.Value > witness.op.Value) {
			witness = o
		}
	}
	if witness == nil || guilty.op.Value-guilty.delta() >= witness.op.Value || !onlyGrows(all) {
		e.Text += ", and no order of the operations explains that"
		return e
	}
	e.Proof = []uint64{uint64(witness.ret), uint64(guilty.ret)}
	e.Text += fmt.Sprintf(", although %d had been acknowledged to %s at %s", witness.op.Value, witness.op.Client, trace.Seconds(witness.op.Returned))
	return e
}

// sentence says what an operation was told.
func (o *operation) sentence() string {
	if o.op.Kind == trace.EntryAdd {
		return fmt.Sprintf("%s was told by %s at %s that its %+d makes %d", o.op.Client, o.op.Node, trace.Seconds(o.op.Returned), o.op.Delta, o.op.Value)
	}
	return fmt.Sprintf("%s read %d from %s at %s", o.op.Client, o.op.Value, o.op.Node, trace.Seconds(o.op.Returned))
}
