package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"

	"github.com/anishathalye/porcupine"
)

// pure is the clients' history alone, without any evidence from elsewhere, since
// the last moment at which it leaves no doubt what the counter was.
type pure struct {
	start  counterState
	pool   []*operation // older ones that may yet count, earliest first
	behind []*operation // those since that were judged with evidence and cut off
	blind  bool         // there were too many of them
	limit  time.Duration
}

// behindMax is how many operations are remembered to be judged again.
const behindMax = 1 << 17

// cut notes that the history was cut: value is what the counter is with the
// evidence, last what the clients were told.
func (p *pure) cut(judged, rest []*operation, value int64, last highest) {
	p.behind = append(p.behind, judged...)
	unsure := p.unsure(rest)
	switch {
	case len(unsure) == 0:
		*p = pure{start: counterState{value: value, known: true}, limit: p.limit}
	case p.blind:
	case last.sure && p.start.known && onlyGrows(p.behind) && alike(unsure):
		p.advance(unsure, last.value)
	}
	if len(p.behind) > behindMax {
		p.behind, p.blind = nil, true
	}
}

// unsure returns the increments that may count or not, earliest first.
func (p *pure) unsure(rest []*operation) []*operation {
	var unsure []*operation
	for _, list := range [][]*operation{p.pool, p.behind, rest} {
		for _, o := range list {
			if o.isOpen() && !o.spent {
				unsure = append(unsure, o)
			}
		}
	}
	slices.SortFunc(unsure, func(a, b *operation) int { return int(a.call - b.call) })
	return unsure
}

// alike says whether increments are of the same positive delta.
func alike(unsure []*operation) bool {
	delta := unsure[0].delta()
	return delta > 0 && !slices.ContainsFunc(unsure, func(o *operation) bool { return o.delta() != delta })
}

// advance makes a cut the start: as the counter only grew, the last value says how
// many of the increments in doubt have counted, and as those are alike, it may as
// well have been the earliest.
func (p *pure) advance(unsure []*operation, value int64) {
	sum := p.start.value
	for _, o := range p.behind {
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
		o.spent = true
	}
	left := func(o *operation) bool { return o.isOpen() && !o.spent }
	var pool []*operation
	for _, o := range append(p.pool, p.behind...) {
		if left(o) {
			pool = append(pool, o)
		}
	}
	slices.SortFunc(pool, func(a, b *operation) int { return int(a.call - b.call) })
	p.start, p.pool, p.behind = counterState{value: value, known: true}, pool, nil
}

// explain has porcupine judge operations, those that may count or not among them,
// as far as they go up to an event: what ends later is under way still.
func (p *pure) explain(operations []*operation, upTo int64) porcupine.CheckResult {
	var told, open []*action
	var unsure []*operation
	for _, o := range operations {
		switch {
		case o.call > upTo || o.spent:
		case o.answered && o.finish <= upTo:
			told = append(told, o.told())
		case o.op.Kind == trace.EntryAdd && !o.dropped:
			unsure = append(unsure, o)
			open = append(open, &action{delta: o.delta(), call: o.call, finish: never})
		}
	}
	if len(unsure) == 0 || !alike(unsure) || slices.ContainsFunc(told, func(a *action) bool { return a.delta < 0 }) {
		return ask(counterModel(p.start), append(told, open...), p.limit)
	}
	calls := make([]int64, len(unsure))
	for i, o := range unsure {
		calls[i] = o.call
	}
	slices.Sort(calls)
	return ask(poolModel(p.start, unsure[0].delta(), calls), told, p.limit)
}

// pureVerdict judges the clients' history alone.
func (h *history) pureVerdict() trace.Event {
	p := &h.pure
	undecided := func(format string, args ...any) trace.Event {
		return trace.Event{Verdict: trace.VerdictUndecided, Text: fmt.Sprintf(format, args...), Count: h.count}
	}
	all := slices.Concat(p.pool, p.behind, h.open)
	slices.SortFunc(all, func(a, b *operation) int { return int(a.call - b.call) })
	switch {
	case p.blind:
		return undecided("what is known of the operations with an unknown outcome explains no order, and the history since they were called is too long to be judged without")
	case h.midway:
		return undecided("no order of the operations explains what the clients were told, but what was under way before the history begins is not known")
	}
	switch p.explain(all, never) {
	case porcupine.Ok:
		return trace.Event{}
	case porcupine.Unknown:
		return undecided("%d operations have an unknown outcome, and in %s no order was found in which they explain the others", len(p.unsure(h.open)), p.limit)
	case porcupine.Illegal:
	}
	return h.accuse(all)
}

// accuse finds the operation from whose answer on no order explains the history.
func (h *history) accuse(all []*operation) trace.Event {
	var told []*operation
	for _, o := range all {
		if o.answered {
			told = append(told, o)
		}
	}
	slices.SortFunc(told, func(a, b *operation) int { return int(a.finish - b.finish) })
	i, _ := slices.BinarySearchFunc(told, porcupine.Illegal, func(o *operation, _ porcupine.CheckResult) int {
		if h.pure.explain(all, o.finish) == porcupine.Illegal {
			return 0
		}
		return -1
	})
	guilty := told[min(i, len(told)-1)]
	e := trace.Event{Verdict: trace.VerdictViolated, Count: h.count + uint64(i), Proof: []uint64{uint64(guilty.finish)}}
	e.Text = guilty.sentence()
	// Whoever was told more before it was even called.
	var witness *operation
	for _, o := range append([]*operation{h.highest}, told[:i]...) {
		if o != nil && o.finish < guilty.call && (witness == nil || o.op.Value > witness.op.Value) {
			witness = o
		}
	}
	if witness == nil || guilty.op.Value-guilty.delta() >= witness.op.Value || !onlyGrows(all) {
		e.Text += ", and no order of the operations explains that"
		return e
	}
	e.Proof = []uint64{uint64(witness.finish), uint64(guilty.finish)}
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
