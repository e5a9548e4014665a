package check

import (
	"math"

	"github.com/anishathalye/porcupine"
)

// stepsMax bounds the steps of one run of porcupine, which then takes at most a second or
// two. Unlike a time limit, it gives the same verdict on every machine.
const stepsMax = 4_000_000

// noReturn is the return time of an operation that never returns.
const noReturn = math.MaxInt64

// counterState is the counter in the sequential specification.
type counterState struct {
	value int64
	known bool
	// Only in poolModel: how many increments of the pool have counted, and the earliest
	// moment at which the next operation can take effect.
	used int
	now  int64
}

// porcupineOp is an operation as the model sees it.
type porcupineOp struct {
	delta     int64 // of an increment
	value     int64 // the result
	hasResult bool  // false: it takes effect, but no client learnt the result
	call      int64
	ret       int64
}

// counterModel returns the sequential specification of the counter from start on.
func counterModel(start counterState) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, _ any) (bool, any) {
			s, op := state.(counterState), input.(*porcupineOp)
			switch {
			case !op.hasResult && !s.known:
				return true, s
			case !op.hasResult:
				s.value += op.delta
				return true, s
			case s.known && s.value+op.delta != op.value:
				return false, nil
			}
			s.value, s.known = op.value, true
			return true, s
		},
		Equal: func(a, b any) bool { return a.(counterState) == b.(counterState) },
		Hash:  hashCounter,
	}
}

func hashCounter(state any) uint64 {
	s := state.(counterState)
	return (uint64(s.value)*31+uint64(s.used))*0x9e3779b97f4a7c15 ^ uint64(s.now)
}

// poolModel is counterModel for a history in which some increments, all of the same
// positive delta, have an unknown outcome. The pool holds their call times, earliest
// first.
//
// Because these increments are alike, only their number matters: the earliest can do
// whatever a later one can. Because increments only add, the result of the next
// operation shows how many have counted by then. So none of them needs a place of its
// own in the order, which is what makes porcupine exponential. An operation that needs
// one of them to have counted takes effect after that increment's call, and so does
// everything that follows.
func poolModel(start counterState, delta int64, pool []int64) porcupine.Model {
	model := counterModel(start)
	model.Step = func(state, input, _ any) (bool, any) {
		s, op := state.(counterState), input.(*porcupineOp)
		if !s.known {
			s.value, s.known = op.value-op.delta, true
		}
		need := op.value - op.delta - s.value
		if need < 0 || need%delta != 0 || need/delta > int64(len(pool)-s.used) {
			return false, nil
		}
		s.used += int(need / delta)
		s.now = max(s.now, op.call)
		if need > 0 {
			s.now = max(s.now, pool[s.used-1])
		}
		if s.now > op.ret {
			return false, nil
		}
		s.value = op.value
		return true, s
	}
	return model
}

// runPorcupine checks operations against a model and returns how many steps it took. It
// gives up, with porcupine.Unknown, after stepsMax steps.
func runPorcupine(model porcupine.Model, ops []*porcupineOp, stepsMax int) (result porcupine.CheckResult, steps int) {
	if len(ops) == 0 {
		return porcupine.Ok, 0
	}
	step := model.Step
	model.Step = func(state, input, output any) (bool, any) {
		if steps++; steps > stepsMax {
			return false, nil // rejecting every operation ends the search
		}
		return step(state, input, output)
	}
	operations := make([]porcupine.Operation, len(ops))
	for i, op := range ops {
		operations[i] = porcupine.Operation{ClientId: i, Input: op, Call: op.call, Return: op.ret}
	}
	switch {
	case porcupine.CheckOperations(model, operations):
		return porcupine.Ok, steps
	case steps > stepsMax:
		return porcupine.Unknown, steps
	default:
		return porcupine.Illegal, steps
	}
}
