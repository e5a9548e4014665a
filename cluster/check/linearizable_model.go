package check

import (
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// porcupineTimeout is how long porcupine may think about one history, in real time.
const porcupineTimeout = 2 * time.Second

// counterState is the counter of the sequential specification.
type counterState struct {
	value int64
	known bool
	// Of the model with a pool: how many of its increments have counted, and the
	// earliest moment at which the next operation can take effect.
	used int
	now  int64
}

// porcupineOp is an operation as the model sees it.
type porcupineOp struct {
	isAdd     bool
	delta     int64 // of an increment
	value     int64 // what it was told
	hasResult bool  // false: it has an effect, and nobody was told of which
	call      int64
	ret       int64
}

// counterModel returns the sequential specification of the counter, which begins
// at start.
func counterModel(start counterState) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, _ any) (bool, any) {
			s, a := state.(counterState), input.(*porcupineOp)
			switch {
			case !a.hasResult && !s.known:
				return true, s
			case !a.hasResult:
				s.value += a.delta
				return true, s
			case s.known && s.value+a.delta != a.value:
				return false, nil
			}
			s.value, s.known = a.value, true
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
// positive delta, have an unknown outcome: pool are the moments at which they were
// called, earliest first.
//
// As they are all alike, it only matters how many of them have counted, not which;
// the earliest can do whatever a later one can. As increments only add, what the
// next operation was told says how many have counted by then. So none of them needs
// to be an operation with its own place, which is what makes porcupine exponential.
// An operation before which one of them has to count takes effect after that one
// was called, and so does everything that follows.
func poolModel(start counterState, delta int64, pool []int64) porcupine.Model {
	model := counterModel(start)
	model.Step = func(state, input, _ any) (bool, any) {
		s, a := state.(counterState), input.(*porcupineOp)
		if !s.known {
			s.value, s.known = a.value-a.delta, true
		}
		need := a.value - a.delta - s.value
		if need < 0 || need%delta != 0 || need/delta > int64(len(pool)-s.used) {
			return false, nil
		}
		s.used += int(need / delta)
		s.now = max(s.now, a.call)
		if need > 0 {
			s.now = max(s.now, pool[s.used-1])
		}
		if s.now > a.ret {
			return false, nil
		}
		s.value = a.value
		return true, s
	}
	return model
}

// runPorcupine has porcupine judge a history, for at most limit.
func runPorcupine(model porcupine.Model, history []*porcupineOp, limit time.Duration) porcupine.CheckResult {
	if len(history) == 0 {
		return porcupine.Ok
	}
	operations := make([]porcupine.Operation, len(history))
	for i, a := range history {
		operations[i] = porcupine.Operation{ClientId: i, Input: a, Call: a.call, Return: a.ret}
	}
	return porcupine.CheckOperationsTimeout(model, operations, limit)
}

// noReturn is the time at which an operation returns that does not.
const noReturn = math.MaxInt64
